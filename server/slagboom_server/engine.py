"""Connections to the database a URL names, opened so that a commit is durable.

SQLite: write-ahead log with `synchronous=FULL`, so a committed decision survives a loss of power;
writers take their lock at BEGIN, so they wait for each other instead of failing halfway. A file
that was removed or replaced keeps taking commits that nobody will find again: each connection
therefore knows which file it has open.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from slagboom_banner.errors import SlagboomError
from slagboom_server import postgresql
from slagboom_server.errors import Contended, LogAltered, LogCorrupt, StoreUnavailable
from slagboom_server.retry import retried

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine
    from sqlalchemy.engine import URL
    from sqlalchemy.pool import ConnectionPoolEntry

_BUSY_TIMEOUT_MS: Final = 10_000
_CORRUPT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_CORRUPT_STATES: Final = frozenset({"XX001", "XX002"})
"""What SQLite and PostgreSQL say where a page or an index is damaged."""

_NO_TEXT: Final = "Could not decode to UTF-8"
"""How the driver begins to say so of SQLite, which takes any bytes for a text."""

_WRITES: Final = "slagboom_writes"
_FILE: Final = "slagboom_file"


def parse_url(database_url: str) -> URL:
    """The database a URL names. Raises SlagboomError where it names none that keeps anything."""
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError) as error:
        message = (
            f"{_hide_password(database_url)!r} is no database address; give one as "
            "sqlite:///var/slagboom.db or postgresql://user:password@host/name"
        )
        raise SlagboomError(message) from error
    backend = url.drivername.partition("+")[0]
    if backend == "sqlite" and url.database in {None, "", ":memory:"}:
        message = f"{database_url!r} keeps nothing; name a file, as sqlite:///var/slagboom.db"
        raise SlagboomError(message)
    return postgresql.name_driver(url) if backend in {"postgresql", "postgres"} else url


def _hide_password(text: str) -> str:
    """What somebody wrote instead of an address, without the parts that may hold a password."""
    before, at, after = text.partition("?")[0].rpartition("@")
    return f"…@{after}" if at else before or after


def name_database(url: URL) -> str:
    """An address to show: it tells no password."""
    return url.difference_update_query(["password", "sslpassword"]).render_as_string()


def sqlite_file(url: URL) -> Path | None:
    """The file of an SQLite database, None for another engine."""
    if url.get_backend_name() != "sqlite" or url.database is None:
        return None
    return Path(url.database)


def open_engine(url: URL) -> Engine:
    """An engine for one database. Raises SlagboomError where its driver is not installed.

    An SQLite file whose address ends with `?mode=ro` is read as it lies there, and left so.
    """
    mode = "rw"
    if sqlite_file(url) is not None and url.query.get("mode") == "ro":
        # The driver knows no such option; `_open_existing` tells SQLite itself.
        mode, url = "ro", url.difference_update_query(["mode"])
    is_postgresql = url.drivername == postgresql.DRIVER
    options = postgresql.options(url) if is_postgresql else {}
    try:
        # An error would show the values of a statement, which are a visitor's.
        engine = create_engine(url, hide_parameters=True, **options)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        message = f"no driver is installed for {url.drivername!r} databases ({error})"
        raise SlagboomError(message) from error
    file = sqlite_file(url)
    if file is not None:
        event.listen(engine, "do_connect", partial(_open_existing, file, mode))
        event.listen(engine, "connect", partial(_prepare_sqlite, file, mode))
        event.listen(engine, "begin", _begin_sqlite)
    if is_postgresql:
        postgresql.prepare_engine(engine)
    return engine


def _open_existing(
    file: Path,
    mode: str,
    _dialect: object,
    _record: object,
    arguments: list[Any],
    options: dict[str, Any],
) -> None:
    # The driver would make a missing file, an empty one in the place of the log.
    arguments[:] = [f"file:{quote(str(file))}?mode={mode}"]
    options["uri"] = True


def identify(file: Path) -> tuple[int, int] | None:
    """Device and number of the file under this path now, None where there is none."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _prepare_sqlite(
    file: Path,
    mode: str,
    connection: Any,  # noqa: ANN401 - a driver's own object
    record: ConnectionPoolEntry,
) -> None:
    record.info[_FILE] = file, identify(file)
    # The driver's own BEGIN comes too late and cannot be IMMEDIATE; `_begin_sqlite` sends it.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    if mode == "rw":
        _write_ahead(file, connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # What undoes one statement of many rows would otherwise be a file, made anew each time.
    connection.execute("PRAGMA temp_store = MEMORY")


@retried
def _write_ahead(file: Path, connection: Any) -> None:  # noqa: ANN401 - a driver's own object
    """Lets readers and a writer keep out of each other's way, from the first use of a file on.

    Where several make the change at the same moment, SQLite refuses one at once, however long it
    waits otherwise; a moment later that one finds it made.
    """
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        message = f"the consent log {file} is in use: {error}"
        raise Contended(message) from error


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A look at the database, of which SQLite's is one consistent view, however long it lasts.

    PostgreSQL's is one for each statement, which saves opening and closing a transaction. Raises
    StoreUnavailable where it cannot be read.
    """
    with _one_line(engine), engine.connect() as connection:
        if engine.name == "postgresql":
            connection.execution_options(isolation_level="AUTOCOMMIT")
        _require_same_file(engine, connection)
        yield connection


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """As `reading`, but of PostgreSQL, too, one consistent view. Meanwhile it tidies nothing up."""
    with _one_line(engine), engine.connect() as connection:
        if engine.name == "postgresql":
            connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        _require_same_file(engine, connection)
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction, durable once the block is left.

    Raises StoreUnavailable: undone entirely, or committed where it may be lost: to a file that is
    not there any more, or without the standby that should have it too.
    """
    with _one_line(engine), engine.connect() as connection:
        connection.execution_options(**{_WRITES: True})
        with connection.begin():
            yield connection
        # Asked after the commit: before it, the file could still go in between.
        _require_same_file(engine, connection)
        postgresql.require_replicated(connection)


def _require_same_file(engine: Engine, connection: Connection) -> None:
    """Raises StoreUnavailable where the file is another; the next connection opens that one."""
    file, identity = connection.info.get(_FILE, (None, None))
    if file is None or (identity is not None and identity == identify(file)):
        return
    try:
        # SQLite would take the journal that is left beside the next file for that one's own.
        connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.invalidate()
        engine.dispose()
    message = f"the consent log {file} was removed or replaced while it was in use"
    raise StoreUnavailable(message)


def _is_corrupt(error: BaseException | None) -> bool:
    """Whether the database says that it is damaged, by an extended code or another."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in _CORRUPT or getattr(error, "sqlstate", None) in _CORRUPT_STATES


@contextmanager
def _one_line(engine: Engine) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error) as error:
        # Who takes many rows from the driver itself meets its errors bare.
        reason = error.orig if isinstance(error, DBAPIError) else error
        if postgresql.is_read_only(reason):
            # The next connection may lead to the server that has taken its place.
            engine.dispose()
        kind: type[StoreUnavailable] = StoreUnavailable
        if postgresql.is_contended(reason):
            kind = Contended
        elif _is_corrupt(reason):
            kind = LogCorrupt
        elif str(reason).startswith(_NO_TEXT):
            # What it goes on with is the text itself, which may be a visitor's.
            message = (
                f"the consent log at {name_database(engine.url)} was altered: a text in it is not "
                "UTF-8; run `slagboom log verify`, and restore a backup"
            )
            raise LogAltered(message) from error
        lines = str(reason).splitlines() or [type(reason).__name__]
        # Several addresses were tried: the first line only says so.
        told = " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]
        message = f"the consent log at {name_database(engine.url)} cannot be used: {told}"
        raise kind(message) from error
