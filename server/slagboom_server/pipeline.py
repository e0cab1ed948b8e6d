"""Statements that PostgreSQL gets together: one packet there, one back.

psycopg's own pipeline sends each statement by itself and looks at the socket twice for it, so that
the server wakes for every one of them. That takes both sides longer than the statements do. The
library below psycopg sends what has gathered when it is told to.
"""

from __future__ import annotations

import itertools
import select
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

from psycopg import IsolationLevel, OperationalError
from psycopg.errors import InvalidSqlStatementName, error_from_result
from psycopg.pq import ConnStatus, ExecStatus, Format, TransactionStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psycopg import Connection
    from psycopg.pq.abc import PGconn, PGresult

    Row = tuple[Any, ...]
    Statement = tuple[str, Sequence[object]]
    _Sent = tuple[int, str, bytes]
    """What a result will be of: its kind, its text and the name of that."""

_WRITERS: Final[dict[type, Callable[[Any], bytes | None]]] = {
    int: lambda value: b"%d" % value,
    bytes: bytes,
    str: str.encode,
    bool: lambda value: b"t" if value else b"f",
    NoneType: lambda _: None,
}
"""Texts to PostgreSQL, all but bytes."""

_READERS: Final[dict[int, Callable[[bytes], object]]] = {
    17: bytes,
    **dict.fromkeys((20, 21, 23), lambda value: int.from_bytes(value, signed=True)),
}
"""By PostgreSQL's number of a type: bytea; bigint, smallint and integer."""

_numbers: Final = itertools.count(1)
_FORMATS: Final = (Format.TEXT, Format.BINARY)
_COMMAND, _NAME, _STATEMENT = range(3)
"""What a result is of; a name is given to each text."""


class Pipeline:
    """The way to PostgreSQL over one connection of psycopg's, for as long as that lasts.

    The server keeps each text it is ever given, ready to run again: the caller has few.
    """

    def __init__(self, driver: Connection) -> None:
        self._driver = driver
        self._names: dict[str, bytes] = {}

    def run(self, statements: Sequence[Statement], *, are_last: bool) -> list[list[Row]]:
        """What each statement answers. Begins a transaction where none is open.

        are_last: whether to commit as well. Values are numbers, truths, bytes, texts or None;
        answers are numbers and bytes. Raises psycopg's errors; the transaction has failed then, or
        the connection is closed.
        """
        connection = self._driver.pgconn
        results: list[PGresult] = []
        try:
            connection.enter_pipeline_mode()
            sent = self._send(statements, are_last=are_last)
            _exchange(connection, results)
            connection.exit_pipeline_mode()
        except BaseException as error:
            # What still comes would be taken for the answer to something else.
            self._driver.close()
            if isinstance(error, OperationalError):
                # A server that goes says why before it does.
                self._require_success(results)
            raise
        answers: list[list[Row]] = []
        for (kind, text, name), result in zip(sent, results, strict=True):
            self._require_success([result])
            if kind == _NAME:
                self._names[text] = name
            elif kind == _STATEMENT:
                answers.append(_read(result))
        return answers

    def _require_success(self, results: Sequence[PGresult]) -> None:
        """Raises what the first of them failed of."""
        for result in results:
            if result.status == ExecStatus.FATAL_ERROR:
                error = error_from_result(result)
                if isinstance(error, InvalidSqlStatementName):
                    # After some of its own commands psycopg has the server forget every name.
                    self._names.clear()
                raise error

    def _send(self, statements: Sequence[Statement], *, are_last: bool) -> list[_Sent]:
        """Has everything gather; what will be answered, in its order."""
        connection = self._driver.pgconn
        known = self._names
        sent: list[_Sent] = []
        if connection.transaction_status == TransactionStatus.IDLE:
            connection.send_query_params(_begin_text(self._driver), None)
            sent.append((_COMMAND, "", b""))
        for text, values in statements:
            name = known.get(text)
            if name is None:
                name = b"slagboom_%d" % next(_numbers)
                known = {**known, text: name}
                connection.send_prepare(name, _number_marks(text))
                sent.append((_NAME, text, name))
            written = [_WRITERS[type(value)](value) for value in values]
            formats = [_FORMATS[type(value) is bytes] for value in values]
            connection.send_query_prepared(name, written, formats, Format.BINARY)
            sent.append((_STATEMENT, text, name))
        if are_last:
            connection.send_query_params(b"COMMIT", None)
            sent.append((_COMMAND, "", b""))
        connection.pipeline_sync()
        return sent


def _begin_text(driver: Connection) -> bytes:
    level = driver.isolation_level
    if level is None:
        return b"BEGIN"
    return f"BEGIN ISOLATION LEVEL {IsolationLevel(level).name.replace('_', ' ')}".encode()


def _number_marks(text: str) -> bytes:
    """The marks of a statement as the server's own, which are numbered."""
    first, *others = text.split("%s")
    numbered = [f"${number}{part}" for number, part in enumerate(others, 1)]
    return "".join([first, *numbered]).encode()


def _exchange(connection: PGconn, results: list[PGresult]) -> None:
    """Sends what has gathered; adds every result, until both sides are in step again."""
    waiting = select.poll()
    waiting.register(connection.socket, select.POLLIN | select.POLLOUT)
    while connection.flush():
        waiting.poll()
        connection.consume_input()
    waiting.modify(connection.socket, select.POLLIN)
    while True:
        while connection.is_busy():
            waiting.poll()
            connection.consume_input()
        result = connection.get_result()
        if result is None:
            # The end of what one thing answers, or of everything.
            if connection.status == ConnStatus.BAD:
                raise OperationalError(connection.get_error_message())
        elif result.status == ExecStatus.PIPELINE_SYNC:
            return
        else:
            results.append(result)


def _read(result: PGresult) -> list[Row]:
    columns = range(result.nfields)
    readers = [_READERS[result.ftype(column)] for column in columns]
    return [
        tuple(
            None if (value := result.get_value(row, column)) is None else readers[column](value)
            for column in columns
        )
        for row in range(result.ntuples)
    ]
