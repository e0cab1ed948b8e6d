"""The choice cookie: one compact, versioned line (the same codec as static/js/cookie.js).

Layout, parts separated by dots: format version 1, revision, scope, given (seconds), lifetime
(days), consent id, decision id, a 0 or 1 per purpose, a 0 or 1 per service, flags (1: anonymise the
address, 2: the browser's signal answered), checksum. Numbers are base 36, ids 22 characters of
base64url. Shared cases in tests/golden hold both codecs together.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

COOKIE_NAME = "slagboom"
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Choice:
    """What the cookie holds. given_at: seconds since 1970, by the visitor's clock; not below 0."""

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


def _base36(number: int) -> str:
    if number < 0:
        message = f"{number} has no place in a choice cookie"
        raise ValueError(message)
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _BASE36[digit] + digits
    return digits or "0"


def _pack_uuid(uuid: UUID) -> str:
    return base64.urlsafe_b64encode(uuid.bytes).rstrip(b"=").decode()


def _pack_bits(bits: tuple[bool, ...]) -> str:
    return "".join(str(int(bit)) for bit in bits) or "-"


def _checksum(text: str) -> str:
    """FNV-1a, 32 bits: voids what was cut or mixed up; it is no signature."""
    value = 0x811C9DC5
    for byte in text.encode("ascii"):
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return _base36(value)


def encode_choice(site: str, choice: Choice) -> str:
    """The cookie's value, under 200 bytes; the checksum binds it to the site.

    Raises ValueError for a number below 0.
    """
    payload = ".".join(
        (
            "1",
            _base36(choice.revision),
            choice.scope,
            _base36(choice.given_at),
            _base36(choice.lifetime_days),
            _pack_uuid(choice.consent_id),
            _pack_uuid(choice.decision_id),
            _pack_bits(choice.purposes),
            _pack_bits(choice.services),
            str(choice.anonymise_ip + 2 * choice.gpc),
        )
    )
    return f"{payload}.{_checksum(f'{site}|{payload}')}"
