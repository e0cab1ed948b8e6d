"""One site as it is served: its policy made into scripts in every encoding, and into notices."""

from __future__ import annotations

import functools
import gzip
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import brotli

from slagboom_banner.assets import static_directory, texts_directory, themes_directory
from slagboom_banner.bundle import Sources, build_bundle
from slagboom_banner.texts import read_texts
from slagboom_server.record import OfferedNotice, OfferedService

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slagboom_banner.bundle import Bundle
    from slagboom_banner.load import LoadedPolicy


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
def compress_script(body: bytes) -> Script:
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
        gate=compress_script(bundle.gate),
        asking_gates={
            language: compress_script(body) for language, body in bundle.asking_gates.items()
        },
        parts={name: compress_script(body) for name, body in bundle.parts.items()},
        notices=_describe_offers(loaded, bundle),
    )
