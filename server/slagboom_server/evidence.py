"""What the log keeps to prove itself, without a word of SQL.

`ledger.py` continues the chains with each group of records. This is the rest: where the chains
stand, the checkpoints over them, and the leaves a receipt needs. Appends only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from slagboom_server.chain import Chain
    from slagboom_server.checkpoint import Checkpoint, Erasures


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint as the database has it, which may be damaged. text: as it was stored."""

    number: int
    digest: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Timestamp:
    """An authority's word that a checkpoint existed then (RFC 3161).

    checkpoint: its number. stamped_at: ms since 1970, by the authority's clock. authority: its
    address. token: its whole answer, DER.
    """

    checkpoint: int
    stamped_at: int
    authority: str
    token: bytes


@dataclass(frozen=True, slots=True)
class Sealed:
    """A record's place in its chain. is_erased: whether only its tombstone is left."""

    seq: int
    leaf: bytes
    hash: bytes
    is_erased: bool


@dataclass(frozen=True, slots=True)
class Opening:
    """What a record's leaf covers beside the record. offer: the notice's, as it is stored."""

    salt: bytes
    offer: str


class Evidence(Protocol):
    """The evidence of one log. Every method raises StoreUnavailable while it cannot be used."""

    def chains(self) -> Sequence[Chain]:
        """Every chain as it stands at one moment, in the order of their numbers."""
        ...

    def last_checkpoint(self) -> StoredCheckpoint | None:
        """The newest checkpoint, None where there is none yet."""
        ...

    def checkpoint(self, number: int) -> StoredCheckpoint | None:
        """One checkpoint, None where there is none."""
        ...

    def checkpoints(self) -> Iterator[StoredCheckpoint]:
        """Every checkpoint, oldest first."""
        ...

    def published(self) -> str:
        """Every site's newest publication, as `publication.list_newest` words it."""
        ...

    def erased(self) -> Erasures | None:
        """How many records were erased, None for none, or where that cannot be told any more."""
        ...

    def add_checkpoint(self, checkpoint: Checkpoint, published: str) -> bool:
        """Keeps a checkpoint; False where another process has taken its number.

        published: the list whose digest it signs, which is kept with it.
        """
        ...

    def last_timestamp(self) -> Timestamp | None:
        """The newest time-stamp, None where there is none."""
        ...

    def timestamps(self) -> Sequence[Timestamp]:
        """Every time-stamp, oldest first."""
        ...

    def add_timestamp(self, timestamp: Timestamp) -> None:
        """Keeps a time-stamp."""
        ...

    def sealed(self, first: int, last: int) -> Sequence[Sealed]:
        """What is kept of the numbers `first` to `last` of one chain, in order.

        With the checkpoint that covers `last`, this is the chain segment of a receipt.
        """
        ...

    def opening(self, seq: int) -> Opening | None:
        """What a receipt needs to show a record's leaf; None where the record is erased."""
        ...
