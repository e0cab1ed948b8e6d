"""What a policy offers and what a choice grants. Fails closed.

`grants` follows the same cases as static/js/decide.js (tests/golden/grants.json).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from slagboom_banner.model import LegalBasis
from slagboom_banner.substance import substance

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
    necessary = tuple(p.id for p in policy.purposes if p.id not in purposes)
    asked = substance(
        {
            "accept_anonymises": policy.accept_all_anonymises_ip,
            "purposes": [{"id": p.id, "necessary": p.id in necessary} for p in policy.purposes],
            "services": [service.model_dump(mode="json") for service in loaded.services],
        }
    )
    question = json.dumps([policy.site, policy.revision, asked])
    return Offer(
        purposes=purposes,
        necessary=necessary,
        services=tuple(s for s in loaded.services if s.purpose in purposes),
        scope=hashlib.sha256(question.encode()).hexdigest()[:8],
    )


class Asked(Protocol):
    """A service as far as its grant depends on it."""

    @property
    def id(self) -> str:
        """Its identifier."""
        ...

    @property
    def needs_full_ip(self) -> bool:
        """Whether it is useless without the visitor's full address."""
        ...


def grants(
    offered: Iterable[Asked], services: Mapping[str, bool], *, anonymise_ip: bool
) -> dict[str, bool]:
    """Which of the offered services a choice lets run.

    services: what was chosen, by id; one that is missing was not chosen. A service that needs the
    full address never runs while the visitor wants theirs anonymised.
    """
    return {
        service.id: services.get(service.id, False) and not (service.needs_full_ip and anonymise_ip)
        for service in offered
    }
