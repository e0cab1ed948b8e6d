"""A checkpoint: where every chain stood at one moment, signed, as a few lines of plain text.

It is text so that a copy can be printed, mailed or kept in a git repository, and read without this
program. Every line is a name and its values; the last one signs all lines before it. Each names
the digest of the checkpoint before, so one copy outside vouches for all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from slagboom_banner.errors import SlagboomError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_TITLE: Final = "Slagboom checkpoint 1"
_FORM: Final = re.compile(
    r"Slagboom checkpoint 1\n"
    r"log ([0-9a-f]{32})\n"
    r"number ([1-9][0-9]{0,9})\n"
    r"made ([0-9]{1,16})( [0-9TZ:.-]+)\n"
    r"previous (none|[0-9a-f]{64})\n"
    r"((?:chain [0-9a-f]{32} [0-9]{1,12} [0-9a-f]{64}\n)+)"
    r"(?:publications ([0-9a-f]{64})\n)?"
    r"(?:erasures ([1-9][0-9]{0,18}) ([0-9a-f]{64})\n)?"
    r"key ([0-9a-f]{64})\n"
    r"(?:next-key ([0-9a-f]{64})\n)?"
    r"signature ([0-9a-f]{128})\n"
)


@dataclass(frozen=True, slots=True)
class Head:
    """Where one chain stands. uid: its public name. length: its records. hash: the newest one's."""

    uid: bytes
    length: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Erasures:
    """How many records were erased so far, and the link of the newest tombstone."""

    length: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint as it was read.

    log: the first chain's name, which all checkpoints of one log share. made_at: ms since 1970.
    previous: digest of the checkpoint before, None in the first. published: digest of the list of
    every site's newest publication (`publication.list_newest`), None where there was none. erased:
    how many records were erased, None for none or in a checkpoint of an early release. key: the raw
    public key that signs. next_key: the one that signs from the next checkpoint on. text: all.
    """

    log: bytes
    number: int
    made_at: int
    previous: bytes | None
    heads: tuple[Head, ...]
    published: bytes | None
    erased: Erasures | None
    key: bytes
    next_key: bytes | None
    text: str

    @property
    def digest(self) -> bytes:
        """SHA-256 of the text, which the next checkpoint and a time-stamp name."""
        return sha256(self.text.encode()).digest()

    def is_signed(self) -> bool:
        """Whether the signature is that of `key`; whose key it is must be known from elsewhere."""
        body, _, signature = self.text.rpartition("signature ")
        try:
            key = Ed25519PublicKey.from_public_bytes(self.key)
            key.verify(bytes.fromhex(signature), body.encode())
        except InvalidSignature:
            return False
        return True


def write_checkpoint(  # noqa: PLR0913 -- a checkpoint is the sum of its lines
    *,
    log: bytes,
    number: int,
    made_at: int,
    time: str,
    previous: bytes | None,
    heads: Sequence[Head],
    published: bytes | None = None,
    erased: Erasures | None = None,
    key: Ed25519PrivateKey,
    next_key: bytes | None = None,
) -> Checkpoint:
    """A signed checkpoint. made_at: ms since 1970. time: the same for people, ISO 8601."""
    lines = [
        _TITLE,
        f"log {log.hex()}",
        f"number {number}",
        f"made {made_at} {time}",
        f"previous {'none' if previous is None else previous.hex()}",
        *(f"chain {head.uid.hex()} {head.length} {head.hash.hex()}" for head in heads),
        *([] if published is None else [f"publications {published.hex()}"]),
        *([] if erased is None else [f"erasures {erased.length} {erased.head.hex()}"]),
        f"key {key.public_key().public_bytes_raw().hex()}",
        *([] if next_key is None else [f"next-key {next_key.hex()}"]),
    ]
    body = "\n".join(lines) + "\n"
    return read_checkpoint(f"{body}signature {key.sign(body.encode()).hex()}\n")


def read_checkpoint(text: str) -> Checkpoint:
    """The checkpoint a text holds; other line ends and spaces around lines are no harm.

    Raises SlagboomError where it is none. The signature is not looked at.
    """
    plain = "".join(f"{line.strip()}\n" for line in text.strip().splitlines())
    found = _FORM.fullmatch(plain)
    if found is None:
        message = "is no checkpoint, or not all of one"
        raise SlagboomError(message)
    log, number, made_at, _, previous, chains, published, *others = found.groups()
    length, head, key, next_key, _ = others
    return Checkpoint(
        log=bytes.fromhex(log),
        number=int(number),
        made_at=int(made_at),
        previous=None if previous == "none" else bytes.fromhex(previous),
        heads=tuple(_read_head(line) for line in chains.splitlines()),
        published=None if published is None else bytes.fromhex(published),
        erased=None if length is None else Erasures(int(length), bytes.fromhex(head)),
        key=bytes.fromhex(key),
        next_key=None if next_key is None else bytes.fromhex(next_key),
        text=plain,
    )


def _read_head(line: str) -> Head:
    _, uid, length, head = line.split()
    return Head(bytes.fromhex(uid), int(length), bytes.fromhex(head))
