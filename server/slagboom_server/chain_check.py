"""One stretch of one chain, checked record by record.

A stretch is checked from the hash before it, as the database has it, so that stretches can be
checked side by side: together they show the same as one walk along the chain. Nearly always all is
well, which `find_break` sees at once; only where it is not, each record is looked at by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from slagboom_server.chain import begin_chain, is_bytes, link, to_seq
from slagboom_server.schema import records
from slagboom_server.sealed_rows import fetch_rows, find_break, read_sealed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from slagboom_server.chain import Chain
    from slagboom_server.evidence import Sealed
    from slagboom_server.sealed_rows import Portions, RowContexts

LATEST_MS: Final = 253_402_300_800_000
"""The year 10000, in ms since 1970: nothing from there on can be told as a date."""

_ID_BYTES: Final = 16
MAX_FINDINGS: Final = 50
"""Findings kept of one stretch; the rest is counted."""


class Fault(StrEnum):
    """What can be wrong with a place in a chain.

    altered: what stands there does not follow from what stands before it. missing: nothing stands
    there, not even a tombstone. inserted: its neighbours belong together without it. rewritten:
    the chain is whole, and yet not the one that was signed.
    """

    ALTERED = "altered"
    MISSING = "missing"
    INSERTED = "inserted"
    REWRITTEN = "rewritten"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a chain.

    number: the chain's. position: the first one concerned; count: how many from there on.
    decision_id, received_at (ms): of the record there, or received_at of the last one before it.
    checkpoint: the number of the checkpoint that says so.
    """

    fault: Fault
    number: int
    position: int
    count: int = 1
    decision_id: bytes | None = None
    received_at: int | None = None
    checkpoint: int | None = None


@dataclass(slots=True)
class Stretch:
    """What is known of the positions `first` to `last` of a chain. head: the hash at `last`."""

    number: int
    first: int
    last: int
    head: bytes | None = None
    erased: int = 0
    faults: int = 0
    findings: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        """Notes what is wrong."""
        self.faults += 1
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(finding)


def fetch_stretch(connection: Connection, stretch: Stretch) -> Portions:
    """The rows of a stretch, for `check_stretch`."""
    return fetch_rows(connection, *_numbers(stretch))


def check_stretch(  # noqa: PLR0913, PLR0917 -- a stretch, and what it is held against
    connection: Connection,
    contexts: RowContexts,
    chain: Chain,
    stretch: Stretch,
    rows: Portions,
    heads: Mapping[int, tuple[bytes, int]],
    previous: bytes | None = None,
) -> None:
    """Fills in what a stretch comes to.

    heads: by position the hash a checkpoint gives, and the checkpoint's number. previous: the hash
    in front of the stretch, where it is known.
    """
    first, last = _numbers(stretch)
    previous = previous or hash_at(connection, contexts, chain, stretch.first - 1)
    if previous is not None:
        stretch.head = find_break(rows, contexts, last - first + 1, previous)
    found = {} if stretch.head else read_sealed(connection, contexts, first, last)
    if stretch.head is None:
        entries = [found.get(seq) for seq in range(first, last + 1)]
        stretch.erased = sum(entry is not None and entry.is_erased for entry in entries)
        stretch.head = _check_entries(connection, stretch, entries, previous)
    for position, (signed, checkpoint) in heads.items():
        if stretch.first <= position <= stretch.last:
            _check_head(connection, contexts, chain, stretch, position, signed, checkpoint)


def _numbers(stretch: Stretch) -> tuple[int, int]:
    """The numbers of the first and the last record of a stretch."""
    return to_seq(stretch.number, stretch.first), to_seq(stretch.number, stretch.last)


def hash_at(
    connection: Connection, contexts: RowContexts, chain: Chain, position: int
) -> bytes | None:
    """The hash the database has at a position, None where nothing stands there."""
    if position == 0:
        return begin_chain(chain.number, chain.uid, chain.started_at).head
    seq = to_seq(chain.number, position)
    entry = read_sealed(connection, contexts, seq, seq).get(seq)
    return None if entry is None else entry.hash


def _check_entries(
    connection: Connection,
    stretch: Stretch,
    entries: Sequence[Sealed | None],
    previous: bytes | None,
) -> bytes | None:
    """Notes everything that is wrong; the hash at the end."""
    gap = 0
    for place, entry in enumerate(entries):
        position = stretch.first + place
        if entry is None:
            gap += 1
            previous = None
            continue
        if gap:
            _add_gap(connection, stretch, position - gap, gap)
            gap = 0
        if previous is not None and link(previous, entry.leaf) != entry.hash:
            following = entries[place + 1] if place + 1 < len(entries) else None
            joins = following is not None and link(previous, following.leaf) == following.hash
            told = _tell(connection, stretch.number, position)
            fault = Fault.INSERTED if joins else Fault.ALTERED
            stretch.add(Finding(fault, stretch.number, position, 1, *told))
        previous = entry.hash
    if gap:
        _add_gap(connection, stretch, stretch.last - gap + 1, gap)
    return previous


def _add_gap(connection: Connection, stretch: Stretch, position: int, count: int) -> None:
    _, received_at = _tell(connection, stretch.number, position - 1)
    stretch.add(Finding(Fault.MISSING, stretch.number, position, count, None, received_at))


def _check_head(  # noqa: PLR0913, PLR0917 -- one checkpoint's word on one place
    connection: Connection,
    contexts: RowContexts,
    chain: Chain,
    stretch: Stretch,
    position: int,
    signed: bytes,
    checkpoint: int,
) -> None:
    stored = hash_at(connection, contexts, chain, position)
    if stored is not None and stored != signed:
        told = _tell(connection, chain.number, position)
        stretch.add(Finding(Fault.REWRITTEN, chain.number, position, 1, *told, checkpoint))


def _tell(connection: Connection, number: int, position: int) -> tuple[bytes | None, int | None]:
    """Which decision stands at a place and when it was received, as far as the row says."""
    query = select(records.c.decision_id, records.c.received_at)
    row = connection.execute(query.where(records.c.seq == to_seq(number, position))).first()
    if row is None:
        return None, None
    is_id = is_bytes(row.decision_id, _ID_BYTES)
    is_time = isinstance(row.received_at, int) and 0 <= row.received_at < LATEST_MS
    return row.decision_id if is_id else None, row.received_at if is_time else None
