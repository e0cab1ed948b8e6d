"""The hash chain that binds each record to all before it.

Every writer has a chain of its own, so that none waits for another. A chain begins with a hash
over its random name; each record's hash covers the one before it and the record's leaf. Changing,
removing, inserting or moving a record changes every later hash, up to a head that was signed.
docs/evidence.md describes the same for readers without this program.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final, TypeGuard

POSITION_BITS: Final = 36
_POSITIONS: Final = (1 << POSITION_BITS) - 1
_LINK: Final = b"\x01"
"""Leaves begin with 0, links with 1, so that neither can pass for the other (RFC 6962, 2.1)."""


class Reason(StrEnum):
    """Why a record was erased: its visitor or the controller's officer asked, or its time is up."""

    VISITOR = "visitor"
    DPO = "dpo"
    PURGE = "purge"


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain as it is now.

    number: its number in this database; another database may give it another one. uid: its public
    name, 16 random bytes. started_at: ms since 1970. length: records ever added, erased ones too.
    head: the newest record's hash.
    """

    number: int
    uid: bytes
    started_at: int
    length: int
    head: bytes


def begin_chain(number: int, uid: bytes, started_at: int) -> Chain:
    """A chain without records."""
    head = sha256(b"slagboom chain 1" + uid + started_at.to_bytes(8, "big")).digest()
    return Chain(number, uid, started_at, 0, head)


def link(previous: bytes, leaf: bytes) -> bytes:
    """The hash of the record with this leaf behind the record with the hash `previous`."""
    return sha256(_LINK + previous + leaf).digest()


def to_seq(number: int, position: int) -> int:
    """A record's number in the log. number: its chain's. position: 1 for the chain's first.

    The first chain's records are simply 1, 2, 3 and so on.
    """
    return number << POSITION_BITS | position


def from_seq(seq: int) -> tuple[int, int]:
    """Chain number and position of a record."""
    return seq >> POSITION_BITS, seq & _POSITIONS


def is_bytes(value: object, length: int) -> TypeGuard[bytes]:
    """Whether what stands in a cell, where anybody may have put anything, is so many bytes."""
    return isinstance(value, bytes) and len(value) == length
