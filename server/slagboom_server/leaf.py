"""The leaf of a record: a salted digest of everything it says.

The canonical form has a fixed length and is made of the numbers the database keeps, so that
verifying reads a row, packs it and hashes it. The names a row's ids stand for enter as one digest,
the context; ids themselves do not, so a log may be copied to a database that numbers them
otherwise. The salt keeps an erased record's leaf from being guessed: it goes with the content.
docs/evidence.md describes the form; a golden test keeps it as it is.
"""

from __future__ import annotations

from hashlib import sha256
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION: Final = 1
SALT_BYTES: Final = 16
CANONICAL: Final = (
    "received_at",
    "given_at",
    "valid_until",
    "decision_id",
    "consent_id",
    "previous",
    "action",
    "layer",
    "choices",
    "services",
    "anonymise_ip",
    "gpc",
    "regime",
    "country",
    "ip",
    "flags",
)
"""The columns of a record that its leaf covers as they are, in the order they are handed around."""

LEAF: Final = "x 16s 16s 16s 16s BBBBBBH qqq QQ 10p"
"""What a leaf is the digest of, but for the 32 bytes of its context at the end, for `struct`,
big-endian. The first byte is 0: leaves begin with it, links with 1 (RFC 6962, 2.1)."""

_pack = Struct(f">{LEAF} 32s").pack


def digest_context(names: Sequence[str]) -> bytes:
    """What a row's ids stand for, as 32 bytes.

    names: site, notice digest, revision, language, offer, browser, system, device, origin; each
    with its length in front, so that no two lists look alike.
    """
    encoded = (name.encode() for name in names)
    return sha256(b"".join(len(name).to_bytes(4, "big") + name for name in encoded)).digest()


def digest_record(salt: bytes, values: Sequence[Any], context: bytes) -> bytes:
    """The leaf of a record. values: its columns `CANONICAL`. context: see `digest_context`."""
    (
        received_at,
        given_at,
        valid_until,
        decision_id,
        consent_id,
        previous,
        action,
        layer,
        choices,
        services,
        anonymise_ip,
        gpc,
        regime,
        country,
        ip,
        flags,
    ) = values
    packed = _pack(
        decision_id,
        consent_id,
        previous or b"",
        salt,
        VERSION,
        action,
        layer,
        anonymise_ip,
        gpc,
        regime,
        flags,
        received_at,
        given_at,
        valid_until,
        choices,
        services,
        (country or "--").encode() + (ip or b""),
        context,
    )
    return sha256(packed).digest()
