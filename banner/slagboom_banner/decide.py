"""What a policy offers and what a choice grants. Fails closed.

`grants` follows the same cases as static/js/decide.js (tests/golden/grants.json).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slagboom_banner.model import LegalBasis

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slagboom_banner.load import LoadedPolicy
    from slagboom_banner.model import Service


@dataclass(frozen=True, slots=True)
class Offer:
    """What is asked: the purposes that need consent and their services, in the policy's order.

    scope: eight hex digits that change whenever the question does.
    """

    purposes: tuple[str, ...]
    necessary: tuple[str, ...]
    services: tuple[Service, ...]
    scope: str


def read_offer(loaded: LoadedPolicy) -> Offer:
    """What this policy asks its visitors for."""
    policy = loaded.policy
    purposes = tuple(p.id for p in policy.purposes if p.legal_basis is LegalBasis.CONSENT)
    services = tuple(s for s in loaded.services if s.purpose in purposes)
    question = [
        policy.site,
        policy.revision,
        purposes,
        [(s.id, s.purpose, s.needs_full_ip) for s in services],
    ]
    return Offer(
        purposes=purposes,
        necessary=tuple(p.id for p in policy.purposes if p.id not in purposes),
        services=services,
        scope=hashlib.sha256(json.dumps(question).encode()).hexdigest()[:8],
    )


def grants(offer: Offer, services: Mapping[str, bool], *, anonymise_ip: bool) -> dict[str, bool]:
    """Which services a choice lets run.

    services: what was chosen, by id; one that is missing was not chosen. A service that needs the
    full address never runs while the visitor wants theirs anonymised.
    """
    return {
        service.id: services.get(service.id, False) and not (service.needs_full_ip and anonymise_ip)
        for service in offer.services
    }
