"""The choice cookie of a record: the very value the browser wrote, and the header that sets it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from slagboom_banner.cookie import COOKIE_NAME, Choice, encode_choice
from slagboom_banner.model import Action
from slagboom_server.row import from_bits, service_ids
from slagboom_server.schema import ACTIONS

if TYPE_CHECKING:
    from slagboom_banner.model import Policy
    from slagboom_server.entry import Entry
    from slagboom_server.record import OfferedNotice

DAY_SECONDS = 86400


def cookie_value(entry: Entry, offer: OfferedNotice, scope: str) -> str | None:
    """What the browser keeps of a decision; None for one from before 1970, which it cannot hold.

    offer: of the notice that the decision names. scope: what that notice asked, as a digest.
    """
    if entry.given_at < 0:
        return None
    kind = entry.kind
    choice = Choice(
        revision=offer.revision,
        scope=scope,
        given_at=entry.given_at // 1000,
        lifetime_days=offer.consent_lifetime_days,
        consent_id=UUID(bytes=entry.consent_id),
        decision_id=UUID(bytes=entry.decision_id),
        purposes=tuple(from_bits(kind.choices, offer.purposes).values()),
        services=tuple(from_bits(kind.services, service_ids(offer)).values()),
        anonymise_ip=kind.anonymise_ip,
        gpc=kind.action == ACTIONS[Action.GPC],
    )
    return encode_choice(kind.site, choice)


def cookie_header(policy: Policy, value: str, seconds: int, *, is_secure: bool) -> str:
    """The cookie, kept for so long, as `Set-Cookie` and `document.cookie` both take it."""
    parts = [f"{COOKIE_NAME}={value}", "Path=/", f"Max-Age={seconds}"]
    if policy.cookie_domain:
        parts.append(f"Domain={policy.cookie_domain}")
    parts.append("SameSite=Lax")
    if is_secure:
        parts.append("Secure")
    return "; ".join(parts)
