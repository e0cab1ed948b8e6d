"""Which decisions the log holds already, in a way that stays true with many writers.

SQLite has one writer at a time, and a unique index on records settles it. On PostgreSQL records are
kept by the month they were received in, and an index over all months must contain that time, so it
cannot tell whether a decision came before, in another month. The decision's own identifier holds a
time too, but that is the visitor's claim: months by it could never be dropped whole. Identifiers
therefore stand in a small table of their own, which a transaction writes first: of two that bring
the same decision, the second waits until the first is through.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    MetaData,
    Table,
    Uuid,
    delete,
    func,
    select,
)

from slagboom_server.driver import run_together
from slagboom_server.row import CONTENT
from slagboom_server.schema import records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Select

    from slagboom_server.driver import Row, Statement

    Held = dict[bytes, tuple[int, tuple[Any, ...]]]

_BYTES: Final = 16

decisions = Table(
    "decisions",
    MetaData(),
    # Not bytes as elsewhere: that is an eighth less of all that a decision takes on the disk.
    Column("decision_id", Uuid, primary_key=True),
    Column("received_at", BigInteger, nullable=False),
)
"""On PostgreSQL only: where each record is found by its decision_id."""

_COLUMNS: Final = tuple(records.c[name] for name in CONTENT)
_STORED: Final = select(records.c.decision_id, records.c.seq, *_COLUMNS)
# In one order everywhere: two writers with the same decisions then wait instead of locking up.
_CLAIM: Final = (
    "INSERT INTO decisions (decision_id, received_at)"
    " SELECT * FROM unnest(CAST(%s AS uuid[]), CAST(%s AS bigint[]))"
    " ON CONFLICT DO NOTHING RETURNING uuid_send(decision_id)"
)


def hold_decisions(
    connection: Connection, times: Mapping[bytes, int], also: Sequence[Statement] = ()
) -> tuple[Held, list[list[Row]]]:
    """Number and content of those decisions that are stored already.

    The others belong to this transaction from now on. times: by decision_id, when each was
    received, in ms since 1970. also: statements that go with the question; second, their answers.
    """
    if connection.dialect.name != "postgresql":
        found, *others = run_together(connection, [_find_statement(list(times)), *also])
        return {row[0]: (row[1], row[2:]) for row in found}, others
    ids = sorted(times)
    # As PostgreSQL writes arrays: the driver would take its time over each of their elements.
    claim = (
        "{" + ",".join([decision_id.hex() for decision_id in ids]) + "}",
        "{" + ",".join([str(times[decision_id]) for decision_id in ids]) + "}",
    )
    rows, *others = run_together(connection, [(_CLAIM, claim), *also])
    if len(rows) == len(ids):
        return {}, others
    claimed = {row[0] for row in rows}
    known = [decision_id for decision_id in ids if decision_id not in claimed]
    held = _find(connection, known)
    erased = {decision_id: times[decision_id] for decision_id in known if decision_id not in held}
    if erased:
        # Its record is gone; whoever brings it again brings a new one.
        release_decisions(connection, list(erased))
        held.update(hold_decisions(connection, erased)[0])
    return held, others


def release_decisions(connection: Connection, decision_ids: Sequence[bytes]) -> None:
    """Forgets decisions whose records this transaction erases."""
    if connection.dialect.name == "postgresql":
        # One that was altered to be none stands in no place where it had to be released.
        known = [UUID(bytes=each) for each in decision_ids if len(each) == _BYTES]
        connection.execute(delete(decisions).where(decisions.c.decision_id.in_(known)))


def with_decisions(query: Select[Any], dialect: str, decision_ids: Sequence[bytes]) -> Select[Any]:
    """A query over records, limited to some decisions, that reads no more than those."""
    if dialect != "postgresql":
        return query.where(records.c.decision_id.in_(decision_ids))
    return query.join(
        decisions,
        (func.uuid_send(decisions.c.decision_id) == records.c.decision_id)
        & (decisions.c.received_at == records.c.received_at),
    ).where(decisions.c.decision_id.in_([UUID(bytes=each) for each in decision_ids]))


@cache
def _find_text(size: int) -> str:
    columns = ", ".join(column.name for column in _STORED.selected_columns)
    marks = ", ".join("?" * size)
    return f"SELECT {columns} FROM records WHERE decision_id IN ({marks})"  # noqa: S608 -- our own


def _find_statement(decision_ids: Sequence[bytes]) -> Statement:
    # A few texts, whatever the number: the driver keeps a statement it has seen.
    size = 1 << (len(decision_ids) - 1).bit_length()
    return _find_text(size), (*decision_ids, *[decision_ids[0]] * (size - len(decision_ids)))


def _find(connection: Connection, decision_ids: Sequence[bytes]) -> Held:
    found = connection.execute(with_decisions(_STORED, "postgresql", decision_ids))
    return {row.decision_id: (row.seq, tuple(row)[2:]) for row in found}
