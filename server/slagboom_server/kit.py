"""One running kit: the sites it serves, and the log their decisions go to.

A kit is a value passed along, not a module's state: two can run in one process. Reading the
policies again replaces every site at once or, where any policy is wrong, none.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slagboom_server.anonymise import KnownClients
from slagboom_server.earlier_parts import EarlierParts
from slagboom_server.familiar import Familiar
from slagboom_server.handover import KEY_BYTES, Tokens
from slagboom_server.metrics import Metrics
from slagboom_server.publication import SERVE_AUTHOR
from slagboom_server.publishing import build_sites, publish
from slagboom_server.rate_limit import RateLimiter
from slagboom_server.receipts import Receipts
from slagboom_server.sites import compress_script

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from slagboom_banner.errors import Finding
    from slagboom_banner.load import LoadedPolicy
    from slagboom_server.checkpointer import Checkpointer
    from slagboom_server.geo import Countries
    from slagboom_server.record import OfferedNotice
    from slagboom_server.scribe_writer import ScribeWriter
    from slagboom_server.sites import Script, Site
    from slagboom_server.store import Store
    from slagboom_server.writer import Writer


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
    sites, findings = build_sites(policies, store, adapt)
    for site in sites.values():
        publish(store, site, SERVE_AUTHOR, now)
    return Prepared(sites, store.offers(), findings)


class Kit:
    """The sites served now, by id, and what their decisions need.

    adapt: applied to each policy after the lint, for a kit that serves a demo. tokens: left out,
    those of this kit are good for no other one. rate_limit: requests of one kind that a network may
    send to a site in a minute, 0 for any number. keys: the folder of the log's signing keys; left
    out, receipts are signed by a key of this kit alone. checkpointer: of the log; left out, nobody
    who downloads a receipt waits for a checkpoint.
    """

    def __init__(  # noqa: PLR0913 -- a kit is the sum of its parts
        self,
        *,
        policies: Path,
        store: Store,
        writer: Writer | ScribeWriter,
        countries: Countries,
        clock: Callable[[], dt.datetime],
        adapt: Callable[[LoadedPolicy], LoadedPolicy] | None = None,
        tokens: Tokens | None = None,
        metrics: Metrics | None = None,
        rate_limit: int = 0,
        keys: Path | None = None,
        checkpointer: Checkpointer | None = None,
    ) -> None:
        self.store = store
        self.writer = writer
        self.countries = countries
        self.clock = clock
        self.clients = KnownClients(secrets.token_bytes(16))
        self.tokens = tokens or Tokens(secrets.token_bytes(KEY_BYTES))
        self.metrics = metrics or Metrics()
        self.familiar = Familiar()
        self.limiter = RateLimiter(rate_limit, secrets.token_bytes(32), time.monotonic)
        self.receipts = Receipts(store, keys, checkpointer)
        self.sites: Mapping[str, Site] = {}
        self.notices: dict[tuple[str, str], OfferedNotice] = {}
        self.parts: dict[tuple[str, str], Script] = {}
        self._earlier_parts = EarlierParts(store.publications, time.monotonic)
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

    def find_part(self, site: str, file: str) -> Script | None:
        """A part that is not of this process, but of another one or of an earlier one of this log.

        Asks the store. Raises StoreUnavailable.
        """
        body = self._earlier_parts.find(site, file) if site in self.sites else None
        if body is None:
            return None
        part = self.parts[site, file] = compress_script(body)
        return part

    def retention_days(self) -> dict[str, int]:
        """For each site served now, how long a record is kept after its choice has ended."""
        return {name: site.loaded.policy.record.retention_days for name, site in self.sites.items()}

    def take(self, prepared: Prepared) -> None:
        """Serves what was prepared, from now on."""
        for name, site in prepared.sites.items():
            # A page that holds an older gate may still ask for the parts that belong to it.
            self.parts.update({(name, file): part for file, part in site.parts.items()})
        self.notices = {(offer.site, offer.digest): offer for offer in prepared.offers}
        self.sites = prepared.sites
        self.familiar = Familiar()

    def read(self) -> tuple[Finding, ...]:
        """Reads the policies and serves them from now on; returns the lint's warnings.

        Raises PolicyError; what was served before then stays as it was.
        """
        prepared = self.prepare()
        self.take(prepared)
        return prepared.warnings
