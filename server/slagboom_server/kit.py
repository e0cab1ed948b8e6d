"""One running kit: the sites it serves, and the log their decisions go to.

A kit is a value passed along, not a module's state: two can run in one process. Reading the
policies again replaces every site at once or, where any policy is wrong, none.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import brotli

from slagboom_banner.assets import static_directory, texts_directory, themes_directory
from slagboom_banner.bundle import Sources, build_bundle
from slagboom_banner.errors import PolicyError
from slagboom_banner.rules import check_policies
from slagboom_banner.rules_revision import check_revision
from slagboom_banner.texts import read_texts
from slagboom_server.anonymise import KnownClients
from slagboom_server.handover import KEY_BYTES, Tokens
from slagboom_server.record import OfferedNotice, OfferedService

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from slagboom_banner.bundle import Bundle
    from slagboom_banner.errors import Finding
    from slagboom_banner.load import LoadedPolicy
    from slagboom_server.geo import Countries
    from slagboom_server.store import Store
    from slagboom_server.writer import Writer


@dataclass(frozen=True, slots=True)
class Script:
    """A script as it is served, in each encoding.

    etag: as the header has it; weak, because it stands for every encoding (RFC 9110, 8.8.1).
    """

    etag: str
    bodies: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Site:
    """One site as it is served now.

    gate: for visitors who have answered. asking_gates: by language, with the first layer.
    notices: what each current notice offers, by digest.
    """

    loaded: LoadedPolicy
    bundle: Bundle
    gate: Script
    asking_gates: Mapping[str, Script]
    parts: Mapping[str, Script]
    notices: Mapping[str, OfferedNotice]


@functools.cache
def read_sources() -> Sources:
    """The built scripts, themes and texts of this installation, read once."""
    built = static_directory() / "js" / "dist"
    return Sources(
        scripts={file.stem: file.read_text("utf-8") for file in built.glob("*.js")},
        themes={file.stem: file.read_text("utf-8") for file in themes_directory().glob("*.css")},
        texts=read_texts(texts_directory()),
    )


@functools.lru_cache(maxsize=1024)
def _compress(body: bytes) -> Script:
    """The script; one that a reload leaves as it was is not compressed again."""
    return Script(
        f'W/"{hashlib.sha256(body).hexdigest()[:32]}"',
        {
            "br": brotli.compress(body, quality=11),
            "gzip": gzip.compress(body, 9, mtime=0),
            "identity": body,
        },
    )


def _describe_offers(loaded: LoadedPolicy, bundle: Bundle) -> dict[str, OfferedNotice]:
    policy = loaded.policy
    return {
        notice.digest: OfferedNotice(
            site=policy.site,
            digest=notice.digest,
            revision=policy.revision,
            language=language,
            purposes=bundle.offer.purposes,
            services=tuple(
                OfferedService(service.id, service.purpose, service.needs_full_ip)
                for service in bundle.offer.services
            ),
            accept_anonymises=policy.accept_all_anonymises_ip,
            consent_lifetime_days=policy.consent_lifetime_days,
            ip=policy.record.ip,
        )
        for language, notice in bundle.notices.items()
    }


def build_site(loaded: LoadedPolicy, sources: Sources) -> Site:
    """Everything one site serves, compressed once."""
    bundle = build_bundle(loaded, sources)
    return Site(
        loaded=loaded,
        bundle=bundle,
        gate=_compress(bundle.gate),
        asking_gates={language: _compress(body) for language, body in bundle.asking_gates.items()},
        parts={name: _compress(body) for name, body in bundle.parts.items()},
        notices=_describe_offers(loaded, bundle),
    )


def _check_revision(store: Store, site: Site) -> tuple[Finding, ...]:
    """An answer belongs to a question: the same revision must go on asking the same."""
    published = store.latest_notices(site.loaded.policy.site)
    if not published:
        return ()
    offered = next(iter(site.bundle.notices.values()))
    return check_revision(site.loaded, published[-1].document, offered.document)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a kit could serve next. offers: every notice ever published. warnings: of the lint."""

    sites: Mapping[str, Site]
    offers: Sequence[OfferedNotice]
    warnings: tuple[Finding, ...]


def prepare_sites(
    policies: Path,
    store: Store,
    now: dt.datetime,
    adapt: Callable[[LoadedPolicy], LoadedPolicy] | None = None,
) -> Prepared:
    """Reads a folder of policies and builds what they ask for, which takes seconds.

    now: when notices that are new count as published. adapt: as for a `Kit`.
    Raises PolicyError where any policy is wrong.
    """
    sources = read_sources()
    loaded, findings = check_policies(policies, sources.texts)
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise PolicyError(tuple(errors))
    sites = {
        name: build_site(adapt(policy) if adapt else policy, sources)
        for name, policy in loaded.items()
    }
    errors = [error for site in sites.values() for error in _check_revision(store, site)]
    if errors:
        raise PolicyError(tuple(errors))
    for site in sites.values():
        for notice in site.bundle.notices.values():
            store.remember_notice(site.notices[notice.digest], notice.document, now)
    return Prepared(sites, store.offers(), findings)


class Kit:
    """The sites served now, by id, and what their decisions need.

    adapt: applied to each policy after the lint, for a kit that serves a demo. tokens: left out,
    those of this kit are good for no other one.
    """

    def __init__(  # noqa: PLR0913 -- a kit is the sum of its parts
        self,
        *,
        policies: Path,
        store: Store,
        writer: Writer,
        countries: Countries,
        clock: Callable[[], dt.datetime],
        adapt: Callable[[LoadedPolicy], LoadedPolicy] | None = None,
        tokens: Tokens | None = None,
    ) -> None:
        self.store = store
        self.writer = writer
        self.countries = countries
        self.clock = clock
        self.clients = KnownClients(secrets.token_bytes(16))
        self.tokens = tokens or Tokens(secrets.token_bytes(KEY_BYTES))
        self.sites: Mapping[str, Site] = {}
        self.notices: dict[tuple[str, str], OfferedNotice] = {}
        self.parts: dict[tuple[str, str], Script] = {}
        self._policies = policies
        self._adapt = adapt

    def prepare(self) -> Prepared:
        """Reads the policies and builds what they ask for; see `prepare_sites`.

        Nothing that is served changes, so this may run on a thread of its own; one at a time.
        """
        return prepare_sites(self._policies, self.store, self.clock(), self._adapt)

    def find_notice(self, site: str, digest: str) -> OfferedNotice | None:
        """What a published notice offers, None where this site never published it.

        Asks the store about one that is new here: another node may have published it since.
        """
        offer = self.notices.get((site, digest))
        if offer is None:
            stored = self.store.notice(site, digest)
            if stored is None:
                return None
            offer = self.notices[site, digest] = stored.offer
        return offer

    def take(self, prepared: Prepared) -> None:
        """Serves what was prepared, from now on."""
        for name, site in prepared.sites.items():
            # A page that holds an older gate may still ask for the parts that belong to it.
            self.parts.update({(name, file): part for file, part in site.parts.items()})
        self.notices = {(offer.site, offer.digest): offer for offer in prepared.offers}
        self.sites = prepared.sites

    def read(self) -> tuple[Finding, ...]:
        """Reads the policies and serves them from now on; returns the lint's warnings.

        Raises PolicyError; what was served before then stays as it was.
        """
        prepared = self.prepare()
        self.take(prepared)
        return prepared.warnings
