"""Records as the database keeps them, for those who read all of them.

A `ConsentRecord` costs more to make than to read and write; an export of millions takes the bare
rows instead, and looks up once what their numbers stand for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy import literal_column, select, tuple_

from slagboom_server.row import REPEATED, SINGLE
from slagboom_server.schema import records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import ColumnClause, ColumnElement, Connection

    from slagboom_server.anonymise import Client
    from slagboom_server.record import OfferedNotice

LEAN: Final = (*SINGLE, *REPEATED)
"""The columns of a lean row. Those that repeat much stand together, so that a slice is a key."""

LeanRow = tuple[Any, ...]

_PAGE: Final = 5000
_RECEIVED_AT: Final = LEAN.index("received_at")


class Lookup(Protocol):
    """What the numbers in a lean row stand for."""

    def offer(self, notice_id: int) -> OfferedNotice:
        """What a notice offers."""
        ...

    def client(self, client_id: int) -> Client:
        """A family of browsers, systems and devices."""
        ...

    def origin(self, origin_id: int) -> str:
        """Scheme, host and port of a page."""
        ...


def read_lean_pages(
    read: Callable[[], AbstractContextManager[Connection]],
    conditions: Sequence[ColumnElement[bool]],
) -> Iterator[Sequence[LeanRow]]:
    """All rows that fulfil the conditions, in the log's order, a few thousand at a time.

    read: opens a connection, for each page anew, so that a slow reader holds none meanwhile.
    """
    # Without types, the driver's own values come through untouched.
    columns: list[ColumnClause[Any]] = [literal_column(name) for name in LEAN]
    query = select(*columns).select_from(records).where(*conditions).limit(_PAGE)
    query = query.order_by(records.c.received_at, records.c.seq)
    page: list[LeanRow] = []
    while not page or len(page) == _PAGE:
        here = query
        if page:
            time, seq = page[-1][_RECEIVED_AT], page[-1][0]
            behind = tuple_(records.c.received_at, records.c.seq) > tuple_(time, seq)
            # The second condition tells PostgreSQL which months to leave out.
            here = query.where(behind, records.c.received_at >= time)
        with read() as connection:
            cursor = connection.execute(here).cursor
            page = list(cursor.fetchall()) if cursor is not None else []
        if not page:
            return
        yield page
