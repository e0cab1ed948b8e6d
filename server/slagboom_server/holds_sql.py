"""Legal holds in an SQL database, and the condition they put on what may be erased."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, func, insert, or_, select, true, update

from slagboom_server.altered import BROKEN
from slagboom_server.errors import LogAltered
from slagboom_server.hold_filter import read_filter_text, write_filter
from slagboom_server.retention import Hold
from slagboom_server.row import from_ms, read_text, to_ms
from slagboom_server.schema import holds
from slagboom_server.selection import conditions

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection

    from slagboom_server.names import Names, Notices
    from slagboom_server.row import AnyRow
    from slagboom_server.store import Filter


_LOCK: Final = 7_015_290_430_105_718_628
"""Any number of our own: PostgreSQL's advisory locks are numbers."""


def wait_for_holds(connection: Connection) -> None:
    """No hold comes into force until this transaction is through; one that has, is seen by it."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock_shared({_LOCK})")


def held_records(
    connection: Connection, sites: Names, notices: Notices
) -> dict[int, ColumnElement[bool]]:
    """By the number of each hold in force, which records it keeps."""
    kept: dict[int, ColumnElement[bool]] = {}
    for row in connection.execute(select(holds).where(holds.c.released_at.is_(None))):
        required = conditions(connection, _read(row).chosen, sites, notices)
        kept[row.number] = and_(true(), *required)
    return kept


def not_held(kept: dict[int, ColumnElement[bool]]) -> list[ColumnElement[bool]]:
    """What a record must fulfil to be erased."""
    return [~or_(*kept.values())] if kept else []


def read_holds(connection: Connection) -> Sequence[Hold]:
    """Every hold there ever was, oldest first."""
    return [_read(row) for row in connection.execute(select(holds).order_by(holds.c.number))]


def insert_hold(connection: Connection, chosen: Filter, reason: str, now: dt.datetime) -> Hold:
    """A new hold, in force at once."""
    if connection.dialect.name == "postgresql":
        # Whoever erases at this moment has not seen it.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    number = (connection.scalar(select(func.max(holds.c.number))) or 0) + 1
    row = {
        "number": number,
        "filter": write_filter(chosen),
        "reason": reason,
        "made_at": to_ms(now),
    }
    connection.execute(insert(holds).values(row))
    return Hold(number, chosen, reason, from_ms(to_ms(now)), None)


def end_hold(connection: Connection, number: int, now: dt.datetime) -> Hold | None:
    """Ends a hold; None where no hold in force has this number."""
    same = and_(holds.c.number == number, holds.c.released_at.is_(None))
    if connection.execute(update(holds).where(same).values(released_at=to_ms(now))).rowcount != 1:
        return None
    return _read(connection.execute(select(holds).where(holds.c.number == number)).one())


def _read(row: AnyRow) -> Hold:
    """The hold of a row. Raises LogAltered: what is held is unknown then, and nothing may go."""
    try:
        released_at = None if row.released_at is None else from_ms(row.released_at)
        return Hold(
            row.number,
            read_filter_text(row.filter),
            read_text(row.reason),
            from_ms(row.made_at),
            released_at,
        )
    except BROKEN as error:
        message = (
            f"legal hold {row.number} was altered, so that nobody can tell what it keeps; restore "
            "a backup"
        )
        raise LogAltered(message) from error
