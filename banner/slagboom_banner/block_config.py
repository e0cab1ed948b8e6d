"""What the part in front of the gate needs of a policy: other tools' categories, hosts to hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slagboom_banner.google_consent import runs_ahead
from slagboom_banner.host_ends import describe_embed, list_ends

if TYPE_CHECKING:
    from slagboom_banner.decide import Offer
    from slagboom_banner.model import Policy

_SAME_MEANING = (
    ("necessary", "essential", "strictly-necessary", "C0001"),
    ("preferences", "functional", "functionality", "C0003"),
    ("statistics", "analytics", "performance", "C0002"),
    ("marketing", "advertising", "targeting", "ads", "C0004"),
)
"""Categories of Cookiebot, OneTrust, vanilla-cookieconsent's and Klaro's examples, by meaning."""


def _default_categories(policy: Policy) -> dict[str, str]:
    """The purpose for each usual category of which the policy has one of the same meaning."""
    purposes = [purpose.id for purpose in policy.purposes]
    defaults: dict[str, str] = {}
    for group in _SAME_MEANING:
        own = next((purpose for purpose in purposes if purpose in group), None)
        if own is not None:
            defaults |= {category: own for category in group if category not in purposes}
    return defaults


def describe_block(policy: Policy, offer: Offer) -> dict[str, Any] | None:
    """The configuration of static/js/block, or None where the policy asks for none of it."""
    if not (policy.markup or policy.auto_block):
        return None
    held = [
        service
        for service in (offer.services if policy.auto_block else ())
        if not runs_ahead(service, policy.google_consent)
    ]
    return {
        "markup": policy.markup,
        "categories": _default_categories(policy) | policy.markup_categories
        if policy.markup
        else {},
        "auto_block": policy.auto_block,
        "services": [
            {
                "id": service.id,
                "hosts": list_ends(service.hosts),
                "embed": service.embed and describe_embed(service.embed),
            }
            for service in held
        ],
    }
