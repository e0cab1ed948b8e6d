"""Connections to PostgreSQL, opened so that a commit is durable and a lost server is noticed.

A server that restarts says so on every idle connection: that is looked for before a connection is
used, which costs no round trip. A server that vanished without a word is given up after seconds.
"""

from __future__ import annotations

import select
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.pq import Format
from psycopg.types.string import BytesBinaryDumper
from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary, SmallInteger, Uuid, event
from sqlalchemy.exc import DBAPIError, DisconnectionError

from slagboom_banner.errors import SlagboomError
from slagboom_server.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Engine, Table
    from sqlalchemy.engine import URL
    from sqlalchemy.engine.interfaces import ExecutionContext
    from sqlalchemy.pool import ConnectionPoolEntry

DRIVER: Final = "postgresql+psycopg"
BINARY: Final = "slagboom_binary"
"""The execution option of a query whose many rows come as bytes, half as many as of texts."""

_OLDEST: Final = 15
_LIBPQ: Final = {
    "application_name": "slagboom",
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}
"""Seconds, the last one milliseconds; a URL may say otherwise in its query."""

_POOL: Final = {"pool_size": 5, "max_overflow": 5, "pool_timeout": 10, "pool_use_lifo": True}
"""At most ten connections for each worker: PostgreSQL takes a hundred unless it is told more."""

_FLUSH: Final = """
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit', true) NOT IN ('on', 'remote_apply')
"""

_LOCK_TIMEOUT_MS: Final = 1200
"""Six attempts (retry.py) end before a visitor's patience does; above PostgreSQL's own second until
it looks for a deadlock."""

_BOUND: Final = f"""
    SELECT set_config('lock_timeout', '{_LOCK_TIMEOUT_MS}', false)
    WHERE current_setting('lock_timeout', true) = '0'
"""
_UNBOUND: Final = f"""
    SELECT set_config('lock_timeout', '0', true)
    WHERE current_setting('lock_timeout', true) = '{_LOCK_TIMEOUT_MS}ms'
"""
"""For one transaction; not where it has set a shorter time itself."""

_CONTENDED: Final = frozenset({"40001", "40P01", "55P03", "23505", "23514", "26000"})
"""Serialisation failure, deadlock, a lock that somebody keeps; a name that another writer gave a
number just before; a record on its way to `records_other` while another writer made its month; and
a statement that the server has forgotten the name of (pipeline.py).
"""

_READ_ONLY: Final = "25006"
_WARNINGS: Final = "slagboom_warnings"
_SCHEMA_LOCK: Final = 0x736C6167  # "slag": advisory locks are numbers that a whole database shares


def name_driver(url: URL) -> URL:
    """The URL with our driver. Raises SlagboomError where it asks for another one."""
    if url.drivername in {"postgresql", "postgres"}:
        return url.set(drivername=DRIVER)
    if url.drivername != DRIVER:
        message = f"no driver is installed for {url.drivername!r} databases; write postgresql://"
        raise SlagboomError(message)
    return url


def options(url: URL) -> dict[str, Any]:
    """What `create_engine` needs beside the URL."""
    arguments = {name: value for name, value in _LIBPQ.items() if name not in url.query}
    return {**_POOL, "connect_args": arguments}


def prepare_engine(engine: Engine) -> None:
    """Makes each new connection durable, and a pooled one known to be alive."""
    # Before SQLAlchemy asks anything that an old server may not know.
    event.listen(engine, "connect", _prepare, insert=True)
    event.listen(engine, "checkout", _require_alive)
    event.listen(engine, "begin", _forget_warnings)
    event.listen(engine, "before_cursor_execute", _choose_format)


def _prepare(
    connection: Any,  # noqa: ANN401 - a driver's own object
    record: ConnectionPoolEntry,
) -> None:
    version = connection.info.server_version // 10_000
    if version < _OLDEST:
        host = f"{connection.info.host}:{connection.info.port}"
        message = f"{host} is PostgreSQL {version}; Slagboom needs {_OLDEST} or newer"
        raise SlagboomError(message)
    # Inside a transaction the setting would end with it.
    connection.autocommit = True
    connection.execute(_FLUSH)
    connection.execute(_BOUND)
    connection.autocommit = False
    # The driver has two for this type, and takes the one that is not compiled.
    connection.adapters.register_dumper(bytes, BytesBinaryDumper)
    warnings: list[str] = []
    record.info[_WARNINGS] = warnings

    def note(notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            warnings.append(notice.message_primary or "")

    connection.add_notice_handler(note)


def _choose_format(
    _connection: object,
    cursor: psycopg.Cursor,
    _statement: object,
    _values: object,
    context: ExecutionContext | None,
    _many: object,
) -> None:
    if context is not None and context.execution_options.get(BINARY):
        cursor.format = Format.BINARY


def _forget_warnings(connection: Connection) -> None:
    connection.info[_WARNINGS].clear()


def require_replicated(connection: Connection) -> None:
    """Raises StoreUnavailable where the commit just made is on this server alone and should not be.

    PostgreSQL calls a commit done, and warns, whose wait for a standby an operator has cancelled.
    """
    for warning in connection.info.get(_WARNINGS, ()):
        message = f"committed, but perhaps on one server alone: {warning}"
        raise StoreUnavailable(message)


def _require_alive(
    connection: Any,  # noqa: ANN401 - a driver's own object
    _record: object,
    _proxy: object,
) -> None:
    if connection.closed:
        raise DisconnectionError
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    # Nobody asked anything: the server has ended the session, or says that it is about to.
    if waiting.poll(0):
        raise DisconnectionError


def lock_schema(connection: Connection) -> None:
    """Waits, however long, until no other process changes the schema; holds for this transaction.

    A transaction that has set a lock_timeout of its own waits no longer than that.
    """
    connection.exec_driver_sql(_UNBOUND)
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_SCHEMA_LOCK})")


def copy_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Adds rows by COPY, which is the shortest way for many."""
    driver: Any = connection.connection.driver_connection
    statement, types = _describe_copy(table, tuple(columns))
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:
        if driver.closed:
            connection.invalidate(error)
        raise DBAPIError(statement, None, error) from error


@cache
def _describe_copy(table: Table, columns: tuple[str, ...]) -> tuple[str, list[str]]:
    """The statement, and PostgreSQL's names for the columns' types."""
    statement = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    return statement, [_name_type(table.c[name].type) for name in columns]


def _name_type(kind: object) -> str:
    """PostgreSQL's name for a column's type. A big or small integer is an Integer, too."""
    for known, name in (
        (Uuid, "uuid"),
        (BigInteger, "int8"),
        (SmallInteger, "int2"),
        (Integer, "int4"),
        (Boolean, "bool"),
        (LargeBinary, "bytea"),
    ):
        if isinstance(kind, known):
            return name
    return "text"


def is_contended(error: BaseException | None) -> bool:
    """Whether a driver's error means that another writer was in the way."""
    return getattr(error, "sqlstate", None) in _CONTENDED


def is_read_only(error: BaseException | None) -> bool:
    """Whether the server takes no writes, as one that was a primary until a moment ago."""
    return getattr(error, "sqlstate", None) == _READ_ONLY
