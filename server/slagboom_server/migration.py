"""The schema of a database brought to the newest revision, and checked before use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import column, inspect, select, table

from slagboom_banner.errors import SlagboomError
from slagboom_server import postgresql
from slagboom_server.engine import (
    name_database,
    open_engine,
    parse_url,
    reading,
    sqlite_file,
    writing,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

UNFINISHED: Final = "unfinished-"
"""Before the revision of a database that a backup is being put into; see `unfinished.py`."""

NEWEST: Final = "0010"
"""The revision that this program works with."""

_KNOWN: Final = frozenset(f"{number:04}" for number in range(1, int(NEWEST) + 1))
_SCRIPTS: Final = Path(__file__).parent / "migrations"
_VERSION: Final = table("alembic_version", column("version_num"))


def migrate(database_url: str) -> bool:
    """Brings a database to the newest schema; makes the file of an SQLite one.

    Returns whether anything had to be done. Several processes may call it at once.
    Raises SlagboomError where the database is newer than this program or its place cannot be
    written, and StoreUnavailable where it cannot be reached.
    """
    url = parse_url(database_url)
    _make_sqlite_file(url)
    engine = open_engine(url)
    try:
        with writing(engine) as connection:
            if engine.name == "postgresql":
                postgresql.lock_schema(connection)
            if _is_current(connection, url):
                return False
            _upgrade(connection)
            return True
    finally:
        engine.dispose()


def open_current(database_url: str) -> Engine:
    """An engine for a database that has the newest schema.

    Raises SlagboomError where the database is missing, older or newer, and StoreUnavailable where
    it cannot be reached.
    """
    url = parse_url(database_url)
    file = sqlite_file(url)
    if file is not None and not file.is_file():
        message = f"{file}: no such database; start the server once, or give --database"
        raise SlagboomError(message)
    engine = open_engine(url)
    try:
        with reading(engine) as connection:
            if _is_current(connection, url):
                return engine
    except BaseException:
        engine.dispose()
        raise
    engine.dispose()
    message = f"{name_database(url)}: has an older schema; run `slagboom migrate` first"
    raise SlagboomError(message)


def read_revision(connection: Connection) -> str | None:
    """The schema's revision; None where there is no schema yet."""
    if not inspect(connection).has_table(_VERSION.name):
        return None
    revision = connection.scalar(select(_VERSION.c.version_num))
    return None if revision is None else str(revision)


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 -- 0.1 s that every other start need not wait for
    from alembic.config import Config  # noqa: PLC0415 -- likewise

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _is_current(connection: Connection, url: URL) -> bool:
    revision = read_revision(connection)
    if revision is not None and revision.startswith(UNFINISHED):
        message = (
            f"{name_database(url)}: holds a part of a log, for `slagboom restore` did not come to "
            "its end; run it again with the same backup, or give another database"
        )
        raise SlagboomError(message)
    if revision is not None and revision not in _KNOWN:
        message = (
            f"{name_database(url)}: was written by a newer Slagboom (schema {revision}, this one "
            f"knows {NEWEST}); install that version"
        )
        raise SlagboomError(message)
    return revision == NEWEST


def _make_sqlite_file(url: URL) -> None:
    file = sqlite_file(url)
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Personal data: for the operator's account alone.
        file.touch(mode=0o600)
    except OSError as error:
        message = f"{file}: cannot make the database: {error.strerror}"
        raise SlagboomError(message) from error
