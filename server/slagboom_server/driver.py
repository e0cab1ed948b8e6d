"""Statements handed to the database's own driver, past SQLAlchemy.

What is sent with every group of decisions is sent thousands of times an hour, and to compose and
wrap it anew costs several times what the database does. Transactions, connections and errors stay
SQLAlchemy's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.exc import DBAPIError

from slagboom_server.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    Row = tuple[Any, ...]
    Statement = tuple[str, Sequence[object]]

_PIPELINE: Final = "slagboom_pipeline"


def run(connection: Connection, statement: str, values: Sequence[object]) -> list[Row]:
    """What a statement answers; empty for one that answers nothing. values: in the marks' order.

    Raises DBAPIError, as SQLAlchemy does.
    """
    (answer,) = run_together(connection, [(statement, values)])
    return answer


def run_together(
    connection: Connection, statements: Sequence[Statement], *, are_last: bool = False
) -> list[list[Row]]:
    """What each of several statements answers; see `run`.

    A server gets all of them at once: to await an answer costs about as much as to make it.
    are_last: whether it may get the commit, too. The transaction's own then finds nothing to do.
    """
    driver: Any = connection.connection.driver_connection
    try:
        if connection.dialect.name == "postgresql" and len(statements) > 1:
            return _pipeline(connection, driver).run(statements, are_last=are_last)
        cursors = [driver.execute(statement, values) for statement, values in statements]
        return [list(cursor.fetchall()) if _has_answer(cursor) else [] for cursor in cursors]
    except connection.dialect.loaded_dbapi.Error as error:
        if getattr(driver, "closed", False):
            connection.invalidate(error)
        raise DBAPIError("; ".join(text for text, _ in statements), None, error) from error


def _pipeline(connection: Connection, driver: Any) -> Pipeline:  # noqa: ANN401 -- a driver's own
    # Kept beside the driver's connection, and forgotten with it.
    kept: Pipeline | None = connection.info.get(_PIPELINE)
    if kept is None:
        kept = connection.info[_PIPELINE] = Pipeline(driver)
    return kept


def _has_answer(cursor: Any) -> bool:  # noqa: ANN401 -- a driver's own
    # psycopg describes every column anew for who asks, which takes longer than to read a row.
    result = getattr(cursor, "pgresult", None)
    return bool(cursor.description if result is None else result.nfields)


def mark_of(connection: Connection) -> str:
    """What stands for a value in a statement."""
    return "%s" if connection.dialect.name == "postgresql" else "?"


def list_marks(mark: str, columns: int, rows: int) -> str:
    """The marks of so many rows, each in brackets."""
    return ", ".join([f"({', '.join([mark] * columns)})"] * rows)


def flatten(rows: Iterable[Row]) -> Row:
    """The values of all rows, one row after the other."""
    return tuple(value for row in rows for value in row)
