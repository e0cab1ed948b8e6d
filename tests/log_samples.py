"""Notices, decisions and records for the tests of the log; every id follows from a number."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any
from uuid import UUID

from slagboom_banner.model import Decision
from slagboom_server.anonymise import Client, Device
from slagboom_server.geo import NoCountry
from slagboom_server.record import (
    ConsentRecord,
    OfferedNotice,
    OfferedService,
    RequestFacts,
    build_record,
)

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
DOCUMENT = {
    "purposes": [
        {"id": "statistics", "name": "Statistieken", "description": "Tellen, geen € of “profiel”."},
        {"id": "marketing", "name": "Marketing", "description": "Bedrijven herkennen."},
    ],
    "services": [
        {
            "id": "google-analytics",
            "purpose": "statistics",
            "name": "Google Analytics",
            "vendor": {"name": "Google Ireland Limited"},
            "description": "Telt bezoeken.",
        }
    ],
    "texts": {"first_title": "Uw privacykeuze", "accept": "Aanvaarden", "reject": "Weigeren"},
}


def make_offer(site: str = "dsoft", number: int = 1, **changes: Any) -> OfferedNotice:
    offer = OfferedNotice(
        site=site,
        digest=f"{number:064x}",
        revision=1,
        language="nl",
        purposes=("statistics", "marketing"),
        services=(
            OfferedService("google-analytics", "statistics", needs_full_ip=False),
            OfferedService("leadinfo", "marketing", needs_full_ip=True),
        ),
        accept_anonymises=False,
        consent_lifetime_days=182,
        ip="truncated",
    )
    return dataclasses.replace(offer, **changes)


def decision_id(number: int) -> UUID:
    return UUID(f"01a20000-0000-7000-8000-{number:012x}")


def consent_id(number: int) -> UUID:
    return UUID(f"5a1ecafe-0000-4000-8000-{number:012x}")


def make_decision(number: int = 1, offer: OfferedNotice | None = None, **changes: Any) -> Decision:
    """An accept_all, or with `granted` (names of purposes and services) a save of just those."""
    offer = offer or make_offer()
    granted = changes.pop("granted", None)
    services = [service.id for service in offer.services]
    fields = {
        "decision_id": decision_id(number),
        "consent_id": consent_id(number),
        "previous": None,
        "revision": offer.revision,
        "notice": offer.digest,
        "language": offer.language,
        "layer": "first",
        "action": "accept_all" if granted is None else "save",
        "choices": {name: granted is None or name in granted for name in offer.purposes},
        "services": {name: granted is None or name in granted for name in services},
        "anonymise_ip": False,
        "gpc": False,
        "given_at": NOON,
    }
    return Decision.model_validate({**fields, **changes})


REQUEST = RequestFacts(
    address="198.51.100.77",
    user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    origin="https://www.dsoft.be",
    gpc_header=None,
)


def make_record(
    number: int = 1,
    offer: OfferedNotice | None = None,
    received_at: dt.datetime = NOON,
    **changes: Any,
) -> ConsentRecord:
    offer = offer or make_offer()
    return build_record(
        make_decision(number, offer, **changes),
        offer,
        REQUEST,
        received_at,
        is_current=True,
        countries=NoCountry(),
        clients=lambda _: Client("Firefox", "Linux", Device.COMPUTER),
    )
