"""A consent log copied to another database, evidence and all, from any engine to any other.

Records keep their numbers, salts and hashes; only the ids of names differ, which no hash covers.
Each step is one transaction that also moves the target's chain on, so a copy that was killed goes
on where it stopped, and one made while the source is served is completed by a second run. What the
source has erased since a run is erased in the target by the next one.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from slagboom_banner.errors import SlagboomError
from slagboom_server.altered import naming_altered
from slagboom_server.chain import begin_chain, to_seq
from slagboom_server.chain_rows import read_chains
from slagboom_server.engine import name_database, reading, writing
from slagboom_server.errors import LogAltered
from slagboom_server.held import decisions, release_decisions
from slagboom_server.log_match import read_hash, tell_difference
from slagboom_server.months import Months
from slagboom_server.name_map import NameMap
from slagboom_server.postgresql import copy_rows
from slagboom_server.row import from_ms
from slagboom_server.schema import (
    chains,
    checkpoints,
    contents,
    daily_counts,
    detailed_counts,
    erasures,
    holds,
    publications,
    records,
    spent_tokens,
    timestamps,
    tombstones,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import ColumnElement, Engine, Table

    from slagboom_server.row import AnyRow

_STEP: Final = 2000
"""Records in one transaction."""

WHOLE: Final = (
    *(daily_counts, detailed_counts, holds, publications, contents, spent_tokens),
    erasures,
)
"""Tables that each run brings to what they are in the source, because their rows change there."""

_COLUMNS: Final = records.c.keys()
_RECEIVED_AT: Final = _COLUMNS.index("received_at")
_DECISION_ID: Final = _COLUMNS.index("decision_id")


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run copies: everything the source held when it was asked.

    chains: those of the source. done: how many records the target has, by chain. checkpoint: the
    newest of the source then.
    """

    chains: Sequence[AnyRow]
    done: Mapping[int, int]
    checkpoint: int

    @property
    def missing(self) -> int:
        """Records, erased ones included, that the target does not have yet."""
        return sum(chain.length - self.done.get(chain.number, 0) for chain in self.chains)


class LogCopy:
    """A copy between two databases of the newest schema; nobody else may write the target.

    source: a connection instead of an engine is one view of it, of which everything is copied.
    """

    def __init__(self, source: Engine | Connection, target: Engine) -> None:
        self._source = source
        self._target = target
        self._months = Months(target)
        self._names = NameMap()

    def plan(self) -> Plan:
        """What there is to copy now. Raises SlagboomError where the target holds another log."""
        with self._look() as source, reading(self._target) as target:
            # First the checkpoint: the chains have grown past its heads by the time they are read.
            checkpoint = source.scalar(select(func.max(checkpoints.c.number))) or 0
            _require_sound_chains(source)
            found = source.execute(select(chains).order_by(chains.c.number)).all()
            difference = tell_difference(source, target, found)
            if difference is not None:
                self._refuse(difference)
            kept = target.execute(select(chains.c.number, chains.c.length))
            done = {row.number: row.length for row in kept}
        return Plan(found, done, checkpoint)

    def run(self, plan: Plan, advance: Callable[[int], None]) -> None:
        """Copies what was planned. advance: told after each step how many records it brought."""
        with self._look() as source, writing(self._target) as target:
            is_new = not any(plan.done.values())
            self._names.copy_notices(source, target, may_replace=is_new)
            for row in plan.chains:
                if row.number not in plan.done:
                    _begin_chain(target, row)
        for row in plan.chains:
            for done in range(plan.done.get(row.number, 0), row.length, _STEP):
                last = min(done + _STEP, row.length)
                self._copy_step(row, done, last)
                advance(last - done)
            self._erase(row.number)
        self._copy_checkpoints(plan.checkpoint)
        for table in WHOLE:
            self._replace(table)

    def _look(self) -> AbstractContextManager[Connection]:
        if isinstance(self._source, Connection):
            return nullcontext(self._source)
        return reading(self._source)

    def _refuse(self, reason: str) -> None:
        message = f"{name_database(self._target.url)}: {reason}"
        raise SlagboomError(message)

    def _copy_step(self, row: AnyRow, done: int, last: int) -> None:
        """Copies the records behind position `done` up to position `last` of a chain."""
        with self._look() as source:
            kept, erased = _read_step(source, row.number, done, last)
            times = [_read_time(record) for record in kept]
            if times:
                self._months.prepare([min(times), max(times)])
            with writing(self._target) as target:
                translated = self._names.translate_rows(source, target, kept)
                _insert_rows(target, records, translated)
                if target.dialect.name == "postgresql":
                    keys = [(_to_key(record), record[_RECEIVED_AT]) for record in kept]
                    _insert_rows(target, decisions, keys)
                _insert_rows(target, tombstones, erased)
                head = read_hash(target, to_seq(row.number, last))
                here = and_(chains.c.number == row.number, chains.c.length == done)
                grown = {"length": last, "head": head, "used_at": row.used_at}
                if target.execute(update(chains).where(here).values(grown)).rowcount != 1:
                    self._refuse("is written to by somebody else; stop that first")

    def _erase(self, number: int) -> None:
        """Erases in the target what the source has erased since it was copied."""
        with self._look() as source, reading(self._target) as target:
            if _count_erased(source, number) == _count_erased(target, number):
                return
        after = to_seq(number, 0)
        while True:
            with self._look() as source:
                query = select(tombstones).where(_within(tombstones, after, to_seq(number + 1, 0)))
                batch = source.execute(query.order_by(tombstones.c.seq).limit(_STEP)).all()
            if not batch:
                return
            after = batch[-1].seq
            with writing(self._target) as target:
                _erase_rows(target, batch)

    def _copy_checkpoints(self, newest: int) -> None:
        with self._look() as source, writing(self._target) as target:
            for table, number in (
                (checkpoints, checkpoints.c.number),
                (timestamps, timestamps.c.checkpoint),
            ):
                known = target.scalar(select(func.max(number))) or 0
                rows = source.execute(select(table).where(number > known, number <= newest)).all()
                _insert_rows(target, table, [tuple(row) for row in rows])

    def _replace(self, table: Table) -> None:
        """Makes a table what it is in the source now."""
        places = [place for place, name in enumerate(table.c.keys()) if name == "site_id"]
        with self._look() as source, writing(self._target) as target:
            target.execute(delete(table))
            for batch in source.execute(select(table)).partitions(_STEP):
                rows = [list(row) for row in batch]
                for row in rows:
                    for place in places:
                        row[place] = self._names.translate(source, target, "site_id", row[place])
                _insert_rows(target, table, [tuple(row) for row in rows])


def _require_sound_chains(source: Connection) -> None:
    problems: list[str] = []
    read_chains(source, problems)
    for number, used_at in source.execute(select(chains.c.number, chains.c.used_at)):
        if not isinstance(used_at, int):
            problems.append(f"chain {number} was altered: its last use is no time")
    if problems:
        message = f"the source cannot be copied: {problems[0]}; run `slagboom log verify` on it"
        raise LogAltered(message)


def _begin_chain(target: Connection, row: AnyRow) -> None:
    chain = begin_chain(row.number, row.uid, row.started_at)
    values = {
        "number": chain.number,
        "uid": chain.uid,
        "started_at": chain.started_at,
        "length": 0,
        "head": chain.head,
        # Whoever serves the target may go on with it.
        "writer": None,
        "used_at": row.used_at,
    }
    target.execute(insert(chains).values(values))


def _read_step(
    source: Connection, number: int, done: int, last: int
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Records and tombstones of a part of a chain, which make up every position of it."""
    first, end = to_seq(number, done), to_seq(number, last + 1)
    found = source.execute(select(records).where(_within(records, first, end))).all()
    # Read second: what is erased in between is found twice rather than never.
    erased = source.execute(select(tombstones).where(_within(tombstones, first, end))).all()
    gone = {row.seq for row in erased}
    kept = [tuple(row) for row in found if row.seq not in gone]
    if len(kept) + len(erased) != last - done:
        message = (
            f"chain {number} of the source lacks a record between positions {done + 1} and {last}; "
            "`slagboom log verify` tells which"
        )
        raise SlagboomError(message)
    return kept, [tuple(row) for row in erased]


def _read_time(record: tuple[Any, ...]) -> dt.datetime:
    with naming_altered(record[0]):
        return from_ms(record[_RECEIVED_AT])


def _to_key(record: tuple[Any, ...]) -> UUID:
    with naming_altered(record[0]):
        return UUID(bytes=record[_DECISION_ID])


def _within(table: Table, after: int, before: int) -> ColumnElement[bool]:
    return and_(table.c.seq > after, table.c.seq < before)


def _count_erased(connection: Connection, number: int) -> int:
    inside = _within(tombstones, to_seq(number, 0), to_seq(number + 1, 0))
    return connection.scalar(select(func.count()).select_from(tombstones).where(inside)) or 0


def _erase_rows(target: Connection, batch: Sequence[AnyRow]) -> None:
    found = select(records.c.seq, records.c.decision_id)
    alive = {
        row.seq: row.decision_id
        for row in target.execute(found.where(records.c.seq.in_([row.seq for row in batch])))
    }
    if alive:
        _insert_rows(target, tombstones, [tuple(row) for row in batch if row.seq in alive])
        target.execute(delete(records).where(records.c.seq.in_(list(alive))))
        release_decisions(target, list(alive.values()))


def _insert_rows(target: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Adds whole rows, in the columns' order, by the driver's own way for many."""
    if target.dialect.name == "postgresql":
        copy_rows(target, table, table.c.keys(), rows)
        return
    if not rows:
        return
    names, marks = ", ".join(table.c.keys()), ", ".join(["?"] * len(table.c))
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 -- our own names
    target.exec_driver_sql(statement, list(rows))
