"""New records as rows that continue a chain, written with as few statements as can be.

The writer's thread shares the interpreter with the event loop, and each statement hands it over
twice. A group therefore goes in as a few statements of many rows. Core would build them anew for
each group, which costs more than the database's own work, so their text is made once for each size
and given to the driver.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from slagboom_server.chain import link, to_seq
from slagboom_server.chain_sql import OwnChain
from slagboom_server.driver import flatten, list_marks, mark_of, run_together
from slagboom_server.entry import to_row
from slagboom_server.held import hold_decisions
from slagboom_server.leaf import CANONICAL, SALT_BYTES, digest_record
from slagboom_server.row import CONTENT, CONTEXT_IDS, to_ms
from slagboom_server.store import Appended, Conflict, Repeated, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Connection

    from slagboom_server.chain import Chain
    from slagboom_server.context import Contexts
    from slagboom_server.driver import Statement
    from slagboom_server.entry import Entry
    from slagboom_server.rollup import ShownCounts
    from slagboom_server.rollup_sql import Counting

_Values = tuple[Any, ...]

_COLUMNS: Final = ("seq", *CONTEXT_IDS, *CANONICAL, "salt", "hash")
_PREPARED: Final = (*CONTEXT_IDS, *CANONICAL)
_CONTENT: Final = tuple(_PREPARED.index(name) for name in CONTENT)
_MAX_ROWS: Final = 64
"""In one statement; the driver keeps each size it has seen, ready to run again."""


class Ledger:
    """Appends to the table of records. Its owner calls `forget` when a transaction fails.

    counting: adds up what is appended. random: so many random bytes.
    """

    def __init__(
        self, contexts: Contexts, counting: Counting, random: Callable[[int], bytes]
    ) -> None:
        self._contexts = contexts
        self._counting = counting
        self._random = random
        self._chain = OwnChain(random)

    @property
    def has_claim(self) -> bool:
        """Whether a chain waits to be released."""
        return self._chain.is_claimed

    def release(self, connection: Connection) -> None:
        """Lets another process go on with the chain."""
        self._chain.release(connection)

    def forget(self) -> None:
        """Drops what a failed transaction may have learned."""
        self._contexts.forget()
        self._chain.forget()

    def append(
        self, connection: Connection, new: Sequence[Entry], shown: ShownCounts | None = None
    ) -> list[Appended]:
        """Adds and counts what is new; the answers are in the entries' order."""
        if shown is not None:
            chain = self._chain.lock(connection, to_ms(shown.counted_at))
            counts = self._counting.adding(connection, chain.number, (), shown.counts)
            run_together(connection, counts)
        if not new:
            return []
        times = {entry.decision_id: entry.received_at for entry in reversed(new)}
        held, locked = hold_decisions(connection, times, self._chain.question(connection))
        # Even where nothing is new: "it was stored before" must wait for a standby, which a commit
        # of nothing does not.
        chain = self._chain.lock(connection, max(times.values()), locked)
        # Of a decision that comes twice in one group the first is stored.
        fresh: dict[bytes, Entry] = {}
        for entry in new:
            if entry.decision_id not in held:
                fresh.setdefault(entry.decision_id, entry)
        seqs = self._insert(connection, chain, list(fresh.values())) if fresh else range(0)
        if len(fresh) == len(new):
            return [Stored(seq) for seq in seqs]
        answers: list[Appended] = []
        stored = dict(zip(fresh, seqs, strict=True))
        for entry in new:
            decision_id, content = entry.decision_id, self._content(connection, entry)
            if decision_id not in held:
                held[decision_id] = (stored[decision_id], content)
                answers.append(Stored(stored[decision_id]))
            elif held[decision_id][1] == content:
                answers.append(Repeated(held[decision_id][0]))
            else:
                answers.append(Conflict(UUID(bytes=decision_id)))
        return answers

    def _content(self, connection: Connection, entry: Entry) -> _Values:
        row = to_row(entry, self._contexts.of(connection, entry.kind).ids)
        return tuple(row[place] for place in _CONTENT)

    def _insert(self, connection: Connection, chain: Chain, fresh: Sequence[Entry]) -> range:
        """Puts new rows behind the end of the chain; their numbers."""
        first = to_seq(chain.number, chain.length + 1)
        salts = self._random(SALT_BYTES * len(fresh))
        head = chain.head
        rows: list[_Values] = []
        for place, entry in enumerate(fresh):
            context = self._contexts.of(connection, entry.kind)
            row = to_row(entry, context.ids)
            salt = salts[place * SALT_BYTES : (place + 1) * SALT_BYTES]
            head = link(head, digest_record(salt, row[len(CONTEXT_IDS) :], context.digest))
            rows.append((first + place, *row, salt, head))
        inserts = _list_inserts(connection, rows)
        counts = self._counting.adding(connection, chain.number, [row[1:] for row in rows], {})
        grown = dataclasses.replace(chain, length=chain.length + len(fresh), head=head)
        received_at = max(entry.received_at for entry in fresh)
        advance = self._chain.advancing(connection, grown, received_at)
        run_together(connection, [*inserts, *counts, advance], are_last=True)
        return range(first, first + len(fresh))


def _list_inserts(connection: Connection, rows: Sequence[_Values]) -> Iterator[Statement]:
    is_far = connection.dialect.name == "postgresql"
    mark = mark_of(connection)
    while rows:
        size = min(len(rows), _MAX_ROWS)
        if is_far:
            # Few sizes: a server plans each of them anew, and keeps it for as long as we are there.
            size = 1 << (size.bit_length() - 1)
        yield _insert_text(size, mark), flatten(rows[:size])
        rows = rows[size:]


@cache
def _insert_text(rows: int, mark: str) -> str:
    values = list_marks(mark, len(_COLUMNS), rows)
    return f"INSERT INTO records ({', '.join(_COLUMNS)}) VALUES {values}"  # noqa: S608 -- our own names
