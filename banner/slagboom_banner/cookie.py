"""The choice cookie: one compact, versioned line (the same codec as static/js/cookie.js).

Layout, parts separated by dots: format version 1, revision, scope, given (seconds since 1970),
lifetime (days), consent id, decision id, a 0 or 1 per purpose, a 0 or 1 per service, flags (1:
anonymise the address, 2: the browser's signal answered), checksum (base 36). Shared cases in
tests/golden hold both codecs together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

COOKIE_NAME = "slagboom"
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_PARTS = 10
_DAY_SECONDS = 86400


@dataclass(frozen=True, slots=True)
class Choice:
    """What the cookie holds. given_at: seconds since 1970, by the visitor's clock."""

    revision: int
    scope: str
    given_at: int
    lifetime_days: int
    consent_id: UUID
    decision_id: UUID
    purposes: tuple[bool, ...]
    services: tuple[bool, ...]
    anonymise_ip: bool
    gpc: bool


def _pack(bits: tuple[bool, ...]) -> str:
    return "".join(str(int(bit)) for bit in bits)


def _checksum(text: str) -> str:
    """FNV-1a, 32 bits, in base 36: voids what was cut or mixed up; it is no signature."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    digits = ""
    while value:
        value, digit = divmod(value, 36)
        digits = _BASE36[digit] + digits
    return digits or "0"


def encode_choice(site: str, choice: Choice) -> str:
    """The cookie's value, under 200 bytes; the checksum binds it to the site."""
    payload = ".".join(
        (
            "1",
            str(choice.revision),
            choice.scope,
            str(choice.given_at),
            str(choice.lifetime_days),
            str(choice.consent_id),
            str(choice.decision_id),
            _pack(choice.purposes),
            _pack(choice.services),
            str(choice.anonymise_ip + 2 * choice.gpc),
        )
    )
    return f"{payload}.{_checksum(f'{site}|{payload}')}"


def is_answered(site: str, value: str, scope: str, now: int) -> bool:
    """Whether a cookie holds a choice in force, so that the first layer need not be sent.

    now: seconds since 1970. The gate decides for itself; a wrong guess here costs one request.
    """
    payload, _, checksum = value.rpartition(".")
    parts = payload.split(".")
    if len(parts) != _PARTS or parts[0] != "1" or parts[2] != scope:
        return False
    if not all(
        part.isascii() and part.isdecimal() and len(part) < _PARTS + 1 for part in parts[3:5]
    ):
        return False
    ends = int(parts[3]) + _DAY_SECONDS * int(parts[4])
    return now < ends and checksum == _checksum(f"{site}|{payload}")
