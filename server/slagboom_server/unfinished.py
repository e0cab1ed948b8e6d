"""A PostgreSQL database that a backup is being put into, so marked that nobody takes it for a log.

A restore takes more than one transaction, and a server that met half a log would go on with it.
The mark therefore stands where the schema's revision does, which every command and every version of
this program asks for first. It stays where a restore was interrupted, and tells the next one that
what is there is its own to go on with.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, inspect, select, text

from slagboom_banner.errors import SlagboomError
from slagboom_server import postgresql
from slagboom_server.checkpoint_check import count
from slagboom_server.engine import name_database, open_engine, parse_url, reading, writing
from slagboom_server.migration import NEWEST, UNFINISHED, migrate, read_revision
from slagboom_server.schema import erasures, metadata, records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

_RESTORE_LOCK: Final = 0x736C6172  # "slar"; see postgresql._SCHEMA_LOCK
_SET: Final = text("UPDATE alembic_version SET version_num = :revision")


def require_room(database_url: str) -> None:
    """Raises SlagboomError where the database is neither empty nor an unfinished restore."""
    engine = open_engine(parse_url(database_url))
    try:
        with reading(engine) as connection:
            _check(connection, _mark())
    finally:
        engine.dispose()


@contextmanager
def unfinished(database_url: str) -> Iterator[Engine]:
    """A database for a log to be copied into; it is one once the block is left without an error.

    Raises SlagboomError, and changes nothing, where anything of a log is there that no earlier
    restore has left, or another restore is at work.
    """
    engine = open_engine(parse_url(database_url))
    mark = _mark()
    try:
        with _alone(engine):
            with reading(engine) as connection:
                revision = _check(connection, mark)
            if revision != mark:
                migrate(database_url)
                with writing(engine) as connection:
                    # No server can come in between: it waits here before it looks at the schema.
                    postgresql.lock_schema(connection)
                    _check(connection, mark)
                    connection.execute(_SET, {"revision": mark})
            yield engine
            with writing(engine) as connection:
                connection.execute(_SET, {"revision": NEWEST})
    finally:
        engine.dispose()


def _mark() -> str:
    return f"{UNFINISHED}{NEWEST}"


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """Keeps another restore away for as long as the block lasts; ends with this process."""
    with reading(engine) as connection:
        if not connection.scalar(select(func.pg_try_advisory_lock(_RESTORE_LOCK))):
            message = f"{name_database(engine.url)}: another restore is at work there"
            raise SlagboomError(message)
        yield


def _check(connection: Connection, mark: str) -> str | None:
    """The revision of the schema. Raises SlagboomError where the database may not be filled."""
    name = name_database(connection.engine.url)
    revision = read_revision(connection)
    if revision == mark:
        return revision
    if revision is not None and revision.startswith(UNFINISHED):
        message = f"{name}: another version began a restore there; give an empty database"
        raise SlagboomError(message)
    there = set(inspect(connection).get_table_names())
    # The row that counts erasures is made with its table.
    kept = [table for table in metadata.sorted_tables if table.name in there - {erasures.name}]
    if any(connection.execute(select(1).select_from(each).limit(1)).first() for each in kept):
        number = 0
        if records in kept:
            number = connection.scalar(select(func.count()).select_from(records)) or 0
        told = count(number, "record")
        message = (
            f"{name}: holds a log already, of {told}; nothing is overwritten, give an "
            "empty database"
        )
        raise SlagboomError(message)
    return revision
