"""The choice cookie of a record: the very value the browser wrote, and the header that sets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slagboom_banner.cookie import COOKIE_NAME, Choice, encode_choice
from slagboom_banner.model import Action

if TYPE_CHECKING:
    from slagboom_banner.model import Policy
    from slagboom_server.record import ConsentRecord, OfferedNotice

DAY_SECONDS = 86400


def cookie_value(record: ConsentRecord, offer: OfferedNotice, scope: str) -> str | None:
    """What the browser keeps of a decision; None for one from before 1970, which it cannot hold.

    offer: of the notice that the record names. scope: what that notice asked, as a digest.
    """
    given_at = int(record.given_at.timestamp())
    if given_at < 0:
        return None
    choice = Choice(
        revision=record.revision,
        scope=scope,
        given_at=given_at,
        lifetime_days=offer.consent_lifetime_days,
        consent_id=record.consent_id,
        decision_id=record.decision_id,
        purposes=tuple(record.choices[purpose] for purpose in offer.purposes),
        services=tuple(record.services[service.id] for service in offer.services),
        anonymise_ip=record.anonymise_ip,
        gpc=record.action is Action.GPC,
    )
    return encode_choice(record.site, choice)


def cookie_header(policy: Policy, value: str, seconds: int, *, is_secure: bool) -> str:
    """The cookie, kept for so long, as `Set-Cookie` and `document.cookie` both take it."""
    parts = [f"{COOKIE_NAME}={value}", "Path=/", f"Max-Age={seconds}"]
    if policy.cookie_domain:
        parts.append(f"Domain={policy.cookie_domain}")
    parts.append("SameSite=Lax")
    if is_secure:
        parts.append("Secure")
    return "; ".join(parts)
