"""Records as the database keeps them, for those who read all of them.

A `ConsentRecord` costs more to make than to read and write; an export of millions takes the bare
rows instead, and looks up once what their numbers stand for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from sqlalchemy import ColumnClause, Select, literal_column, select, tuple_

from slagboom_server.postgresql import BINARY
from slagboom_server.row import REPEATED, SINGLE
from slagboom_server.schema import records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import ColumnElement, Connection

    from slagboom_server.anonymise import Client
    from slagboom_server.record import OfferedNotice

LEAN: Final = (*SINGLE, *REPEATED)
"""The columns of a lean row. Those that repeat much stand together, so that a slice is a key."""

LeanRow = tuple[Any, ...]
Narrow = Callable[[Select[*tuple[Any, ...]]], Select[*tuple[Any, ...]]]
"""What leaves of a query of records those that are asked for."""

# Without types, the driver's own values come through untouched.
_COLUMNS: Final[tuple[ColumnClause[Any], ...]] = tuple(
    literal_column(f"records.{name}") for name in LEAN
)
BARE: Final = select(*_COLUMNS).select_from(records).execution_options(**{BINARY: True})
"""Lean rows."""

_PAGE: Final = 5000
_RECEIVED_AT: Final = LEAN.index("received_at")
_PLACE: Final = tuple_(records.c.received_at, records.c.seq)


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


class Slice(NamedTuple):
    """Part of the log in its order, between two records, of which the last alone belongs to it.

    after, until: `received_at` (ms since 1970) and `seq` of a record; None for an end of the log.
    """

    after: tuple[int, int] | None = None
    until: tuple[int, int] | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """What holds for its records."""
        place, received_at = _PLACE, records.c.received_at
        found: list[ColumnElement[bool]] = []
        # The second condition of each tells PostgreSQL which months to leave out.
        if self.after is not None:
            found += [place > tuple_(*self.after), received_at >= self.after[0]]
        if self.until is not None:
            found += [place <= tuple_(*self.until), received_at <= self.until[0]]
        return found


WHOLE: Final = Slice()
"""The log from its first record to its last."""


def split_records(
    read: Callable[[], AbstractContextManager[Connection]],
    narrow: Narrow,
    size: int,
) -> Iterator[Slice]:
    """The log in slices of so many records that are asked for; the last has no end.

    read: as of `read_lean_pages`.
    """
    query = narrow(select(records.c.received_at, records.c.seq))
    query = query.order_by(records.c.received_at, records.c.seq).offset(size - 1).limit(1)
    after: tuple[int, int] | None = None
    while True:
        with read() as connection:
            row = connection.execute(query.where(*Slice(after=after).conditions())).first()
        until = None if row is None else (row.received_at, row.seq)
        yield Slice(after, until)
        if until is None:
            return
        after = until


def read_lean_pages(
    read: Callable[[], AbstractContextManager[Connection]],
    narrow: Narrow,
    part: Slice,
) -> Iterator[Sequence[LeanRow]]:
    """All rows of a slice that are asked for, in the log's order, thousands at a time.

    read: opens a connection, for each page anew, so that a slow reader holds none meanwhile.
    """
    query = narrow(BARE).limit(_PAGE)
    query = query.order_by(records.c.received_at, records.c.seq)
    page: list[LeanRow] = []
    while not page or len(page) == _PAGE:
        with read() as connection:
            cursor = connection.execute(query.where(*part.conditions())).cursor
            page = list(cursor.fetchall()) if cursor is not None else []
        if not page:
            return
        yield page
        part = Slice((page[-1][_RECEIVED_AT], page[-1][0]), part.until)
