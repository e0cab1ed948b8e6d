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
from slagboom_server.held import hold_decisions
from slagboom_server.leaf import CANONICAL, SALT_BYTES, digest_record
from slagboom_server.postgresql import copy_rows
from slagboom_server.row import CONTENT, CONTEXT_IDS, to_ms, to_values
from slagboom_server.schema import records
from slagboom_server.store import Appended, Conflict, Repeated, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection

    from slagboom_server.context import Contexts
    from slagboom_server.record import ConsentRecord
    from slagboom_server.rollup import ShownCounts
    from slagboom_server.rollup_sql import Counting

_Values = tuple[Any, ...]

_COLUMNS: Final = ("seq", *CONTEXT_IDS, *CANONICAL, "salt", "hash")
_PREPARED: Final = (*CONTEXT_IDS, *CANONICAL)
_RECEIVED_AT: Final = _PREPARED.index("received_at")
_DECISION_ID: Final = _PREPARED.index("decision_id")
_CONTENT: Final = tuple(_PREPARED.index(name) for name in CONTENT)
_SIZES: Final = (128, 64, 32, 16, 8, 4, 2, 1)
"""Rows in one statement; any group is a sum of few of them."""


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
        self,
        connection: Connection,
        new: Sequence[ConsentRecord],
        shown: ShownCounts | None = None,
    ) -> list[Appended]:
        """Adds and counts what is new; the answers are in the records' order."""
        if shown is not None:
            chain = self._chain.lock(connection, to_ms(shown.counted_at))
            self._counting.add(connection, chain.number, (), shown.counts)
        if not new:
            return []
        contexts = [self._contexts.of(connection, record) for record in new]
        rows = [to_values(*pair) for pair in zip(new, contexts, strict=True)]
        # Of a decision that comes twice in one group the first is stored.
        times = {row[_DECISION_ID]: row[_RECEIVED_AT] for row in reversed(rows)}
        held = hold_decisions(connection, times)
        fresh: dict[bytes, tuple[_Values, bytes]] = {}
        for row, context in zip(rows, contexts, strict=True):
            if row[_DECISION_ID] not in held:
                fresh.setdefault(row[_DECISION_ID], (row, context.digest))
        seqs = self._insert(connection, fresh) if fresh else {}
        if not fresh and connection.dialect.name == "postgresql":
            # Even "it was stored before" must wait for a standby, and a commit of nothing does not.
            self._chain.lock(connection, max(times.values()))
        answers: list[Appended] = []
        for row in rows:
            decision_id = row[_DECISION_ID]
            if decision_id not in held:
                held[decision_id] = (seqs[decision_id], _content(row))
                answers.append(Stored(seqs[decision_id]))
            elif held[decision_id][1] == _content(row):
                answers.append(Repeated(held[decision_id][0]))
            else:
                answers.append(Conflict(UUID(bytes=decision_id)))
        return answers

    def _insert(
        self, connection: Connection, fresh: Mapping[bytes, tuple[_Values, bytes]]
    ) -> dict[bytes, int]:
        """Puts new rows behind the end of the chain; their numbers by decision_id."""
        received_at = max(row[_RECEIVED_AT] for row, _ in fresh.values())
        chain = self._chain.lock(connection, received_at)
        salts = self._random(SALT_BYTES * len(fresh))
        head = chain.head
        sealed: list[_Values] = []
        for place, (row, context) in enumerate(fresh.values()):
            salt = salts[place * SALT_BYTES : (place + 1) * SALT_BYTES]
            head = link(head, digest_record(salt, row[len(CONTEXT_IDS) :], context))
            sealed.append((to_seq(chain.number, chain.length + place + 1), *row, salt, head))
        if connection.dialect.name == "postgresql":
            copy_rows(connection, records, _COLUMNS, sealed)
        else:
            _insert_sqlite(connection, sealed)
        self._counting.add(connection, chain.number, [row for row, _ in fresh.values()], {})
        grown = dataclasses.replace(chain, length=chain.length + len(fresh), head=head)
        self._chain.advance(connection, grown, received_at)
        return {decision_id: row[0] for decision_id, row in zip(fresh, sealed, strict=True)}


def _content(row: _Values) -> _Values:
    return tuple(row[place] for place in _CONTENT)


def _insert_sqlite(connection: Connection, sealed: Sequence[_Values]) -> None:
    done = 0
    for size in _SIZES:
        while len(sealed) - done >= size:
            values = tuple(value for row in sealed[done : done + size] for value in row)
            connection.exec_driver_sql(_insert_text(size), values)
            done += size


@cache
def _insert_text(rows: int) -> str:
    row = f"({', '.join(['?'] * len(_COLUMNS))})"
    values = ", ".join([row] * rows)
    return f"INSERT INTO records ({', '.join(_COLUMNS)}) VALUES {values}"  # noqa: S608 -- our own names
