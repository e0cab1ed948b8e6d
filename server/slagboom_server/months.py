"""Months as partitions of the records on PostgreSQL, made by the writer before it needs them.

A month that is past its retention can then be dropped as a whole, and a page or a period is read
from its own months alone. What falls into no month that could be made stands in `records_other`,
until its month is made and takes it over.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from slagboom_server.engine import reading, writing
from slagboom_server.errors import StoreUnavailable
from slagboom_server.postgresql import lock_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Engine

_log = logging.getLogger(__name__)

_PAUSE: Final = dt.timedelta(minutes=10)
"""After a month could not be made, as while a long export reads; it is not yet due."""

_LOCK_TIMEOUT_MS: Final = 200
"""Readers queue behind a lock that is waited for, so the wait is short."""

_MONTH: Final = re.compile(r"records_[0-9]{4}_[0-9]{2}")
_SHORT_BYTES: Final = 1 << 20

_PARTITIONS: Final = text(
    "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid"
    " WHERE inhparent = 'records'::regclass"
)


class Months:
    """The months that exist in one database; nothing to do where records are one plain table."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._made: set[str] = set()
        self._is_partitioned = engine.dialect.name == "postgresql"
        self._not_before = dt.datetime.min.replace(tzinfo=dt.UTC)

    def prepare(self, times: Sequence[dt.datetime]) -> None:
        """Makes the months of these times and those after them. times: UTC.

        A month that cannot be made now is tried again later; nothing fails for want of it.
        """
        if not times or not self._is_partitioned:
            return
        months = {(time.year, time.month) for time in times}
        begun = [dt.datetime(year, month, 1, tzinfo=dt.UTC) for year, month in months]
        wanted = {*begun, *map(_next, begun)}
        missing = [month for month in sorted(wanted) if name_month(month) not in self._made]
        if not missing or max(times) < self._not_before:
            return
        try:
            with reading(self._engine) as connection:
                self._made = set(connection.scalars(_PARTITIONS))
            self._is_partitioned = bool(self._made)
            for month in missing:
                if self._is_partitioned and name_month(month) not in self._made:
                    self._make(month)
        except StoreUnavailable as error:
            self._not_before = max(times) + _PAUSE
            _log.warning("a month of the consent log could not be made ahead: %s", error)

    def drop_empty(self, now: dt.datetime) -> list[str]:
        """Drops months that are past and empty, as a purge leaves them; their names. now: UTC.

        Writers wait for a fraction of a second at the most. What cannot be had at once, as while a
        long export reads, and what an open look at the log may still need is left for next time.
        """
        if self._engine.dialect.name != "postgresql":
            return []
        # This month is written, and a clock may be set back into the last one.
        last = _start(_start(now) - dt.timedelta(days=1))
        dropped: list[str] = []
        try:
            with reading(self._engine) as connection:
                months = sorted(filter(_is_month, connection.scalars(_PARTITIONS)))
                old = [name for name in months if name < name_month(last)]
                # What was purged stands in its file until then, and is read to find it empty.
                gone = [name for name in old if _is_empty(connection, name)]
                for name in gone:
                    connection.exec_driver_sql(f"VACUUM (SKIP_LOCKED) {name}")
            dropped += [name for name in gone if self._drop(name)]
        except StoreUnavailable as error:
            _log.warning("an empty month of the consent log could not be dropped: %s", error)
        self._made -= set(dropped)
        return dropped

    def _drop(self, name: str) -> bool:
        with writing(self._engine) as connection:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS}")
            lock_schema(connection)
            # Whoever writes or reads takes the whole table first, then its parts: so does this.
            connection.exec_driver_sql("LOCK TABLE ONLY records IN ACCESS EXCLUSIVE MODE")
            is_there = name in set(connection.scalars(_PARTITIONS))
            if not is_there or not _is_short(connection, name) or not _is_empty(connection, name):
                return False
            connection.exec_driver_sql(f"DROP TABLE {name}")
        return True

    def _make(self, month: dt.datetime) -> None:
        with writing(self._engine) as connection:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS}")
            lock_schema(connection)
            self._made = set(connection.scalars(_PARTITIONS))
            if name_month(month) not in self._made:
                make_month(connection, month)
        self._made.add(name_month(month))


def name_month(month: dt.datetime) -> str:
    """The partition's name, as records_2026_11."""
    return f"records_{month:%Y_%m}"


def _is_month(name: str) -> bool:
    return _MONTH.fullmatch(name) is not None


def _is_empty(connection: Connection, name: str) -> bool:
    return connection.exec_driver_sql(f"SELECT 1 FROM {name} LIMIT 1").first() is None  # noqa: S608 -- our own


def _is_short(connection: Connection, name: str) -> bool:
    """Whether looking for a record takes no time: what was deleted has been vacuumed away."""
    size = text("SELECT pg_relation_size(CAST(:name AS regclass))")
    return (connection.scalar(size, {"name": name}) or 0) <= _SHORT_BYTES


def make_month(connection: Connection, month: dt.datetime) -> None:
    """Makes one partition and moves what waits for it. month: its first moment, UTC."""
    name = name_month(month)
    first, end = (int(time.timestamp()) * 1000 for time in (month, _next(month)))
    # Attaching leaves everybody at work; creating it as a partition would lock the whole table.
    connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE records INCLUDING DEFAULTS)")
    connection.exec_driver_sql("LOCK TABLE records_other IN ACCESS EXCLUSIVE MODE")
    connection.exec_driver_sql(
        "WITH moved AS (DELETE FROM records_other"  # noqa: S608 -- our own names and numbers
        f" WHERE received_at >= {first} AND received_at < {end} RETURNING *)"
        f" INSERT INTO {name} SELECT * FROM moved"
    )
    connection.exec_driver_sql(
        f"ALTER TABLE records ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({end})"
    )


def _start(time: dt.datetime) -> dt.datetime:
    return dt.datetime(time.year, time.month, 1, tzinfo=dt.UTC)


def _next(month: dt.datetime) -> dt.datetime:
    return _start(month + dt.timedelta(days=31))
