"""The counts over SQL: added to with each group of decisions, read with one statement.

A group touches few rows, because most of its decisions differ in nothing that is counted. They are
summed up in memory first and written with one statement for each table.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, cast, func, select

from slagboom_banner.model import Action
from slagboom_server.altered import BROKEN
from slagboom_server.driver import flatten, list_marks, mark_of
from slagboom_server.errors import LogAltered
from slagboom_server.leaf import CANONICAL
from slagboom_server.rollup import Counts, Dimension
from slagboom_server.row import CONTEXT_IDS, DEVICE_OF
from slagboom_server.schema import (
    ACTIONS,
    COUNTERS,
    DEVICES,
    daily_counts,
    detailed_counts,
    sites,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Table

    from slagboom_server.driver import Statement
    from slagboom_server.names import Names, Notices
    from slagboom_server.record import OfferedNotice
    from slagboom_server.rollup import Shown

DAY_MS: Final = 86_400_000
EPOCH: Final = dt.date(1970, 1, 1)
ALL: Final = ""
"""The purpose of the rows that count decisions as a whole."""

_SHOWN: Final = COUNTERS.index("shown")
_GRANTED: Final = COUNTERS.index("granted")
_COUNTER_OF: Final = {
    ACTIONS[action]: COUNTERS.index(counter)
    for action, counter in {
        Action.ACCEPT_ALL: "accepted",
        Action.REJECT_ALL: "refused",
        Action.SAVE: "chosen",
        Action.WITHDRAW: "withdrawn",
        Action.GPC: "signalled",
        Action.EXPIRE: "expired",
    }.items()
}
_ROW: Final = (*CONTEXT_IDS, *CANONICAL)
_SITE, _NOTICE, _CLIENT, _TIME, _COUNTRY, _ACTION, _CHOICES = (
    _ROW.index(name)
    for name in (
        "site_id",
        "notice_id",
        "client_id",
        "received_at",
        "country",
        "action",
        "choices",
    )
)
_DAILY: Final = 3
"""So many parts of a detailed row's key make the daily row's: site, day and purpose."""

_MAX_ROWS: Final = 32
"""In one statement. A group seldom needs more, and the driver keeps each size it has seen."""

Totals = dict[tuple[Any, ...], list[int]]
"""By the key of a row without its chain, what `COUNTERS` come to."""


class Counting:
    """Adds decisions and first layers to the counts, within the transaction that stores them."""

    def __init__(self, sites_: Names, notices: Notices, clients: Names) -> None:
        self._sites = sites_
        self._notices = notices
        self._clients = clients

    def adding(
        self,
        connection: Connection,
        chain: int,
        rows: Iterable[Sequence[Any]],
        shown: Mapping[Shown, int],
    ) -> list[Statement]:
        """What counts new rows of records and what was shown. rows: as of `row.to_values`."""
        detailed: Totals = {}
        alike = Counter(
            (
                row[_SITE],
                row[_NOTICE],
                row[_CLIENT],
                row[_TIME] // DAY_MS,
                row[_COUNTRY],
                row[_ACTION],
                row[_CHOICES],
            )
            for row in rows
        )
        for kind, times in alike.items():
            self._add_decisions(connection, detailed, kind, times)
        for layer, times in shown.items():
            self._add_shown(connection, detailed, layer, times)
        mark = mark_of(connection)
        return [
            *_list_upserts(daily_counts, chain, sum_up(detailed), mark),
            *_list_upserts(detailed_counts, chain, detailed, mark),
        ]

    def _add_decisions(
        self, connection: Connection, detailed: Totals, kind: tuple[Any, ...], times: int
    ) -> None:
        _, notice_id, client_id, *_ = kind
        _, _, device = self._clients.name(connection, client_id)
        add_decisions(detailed, kind, self._notices.offer(connection, notice_id), device, times)

    def _add_shown(
        self, connection: Connection, detailed: Totals, layer: Shown, times: int
    ) -> None:
        site_id = self._sites.make_id(connection, layer.site)
        day = (layer.day - EPOCH).days
        rest = (layer.revision, layer.language, layer.country or "", DEVICES[layer.device])
        for purpose in (ALL, *layer.purposes):
            total = detailed.setdefault((site_id, day, purpose, *rest), [0] * len(COUNTERS))
            total[_SHOWN] += times


def add_decisions(
    detailed: Totals, kind: tuple[Any, ...], offer: OfferedNotice, device: int, times: int
) -> None:
    """Counts so many decisions of one kind: site, notice, client, day, country, action, choices.

    offer: of that notice. device: of that client. Raises KeyError for an action there is not.
    """
    site_id, _, _, day, country, action, choices = kind
    rest = (offer.revision, offer.language, country or "", device)
    counter = _COUNTER_OF[action]
    answers = [(ALL, choices != 0)]
    answers += [(name, choices >> bit & 1) for bit, name in enumerate(offer.purposes)]
    for purpose, is_granted in answers:
        total = detailed.setdefault((site_id, day, purpose, *rest), [0] * len(COUNTERS))
        total[counter] += times
        if is_granted:
            total[_GRANTED] += times


def sum_up(detailed: Totals) -> Totals:
    """The daily counts that detailed ones come to."""
    daily: Totals = {}
    for key, added in detailed.items():
        total = daily.setdefault(key[:_DAILY], [0] * len(COUNTERS))
        for place, number in enumerate(added):
            total[place] += number
    return daily


def _list_upserts(table: Table, chain: int, totals: Totals, mark: str) -> Iterator[Statement]:
    rows = [(*key, chain, *total) for key, total in totals.items()]
    for first in range(0, len(rows), _MAX_ROWS):
        batch = rows[first : first + _MAX_ROWS]
        yield _upsert_text(table, len(batch), mark), flatten(batch)


@cache
def _upsert_text(table: Table, rows: int, mark: str) -> str:
    columns = table.c.keys()
    values = list_marks(mark, len(columns), rows)
    key = ", ".join(column.name for column in table.primary_key)
    sums = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in COUNTERS)
    return (
        f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES {values}"  # noqa: S608 -- our own names
        f" ON CONFLICT ({key}) DO UPDATE SET {sums}"
    )


class SqlRollups:
    """The counts of a log in an SQL database; see `rollup.Rollups`."""

    def __init__(self, reading: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._reading = reading

    def read(
        self,
        by: Sequence[Dimension],
        *,
        site: str | None = None,
        first_day: dt.date | None = None,
        last_day: dt.date | None = None,
    ) -> Sequence[Counts]:
        """The counts by these dimensions, in their order; days are UTC and included."""
        is_short = {*by} <= {Dimension.SITE, Dimension.DAY, Dimension.PURPOSE}
        table = daily_counts if is_short else detailed_counts
        columns = [table.c["site_id" if part is Dimension.SITE else part] for part in by]
        # PostgreSQL's sums of big numbers are decimals.
        sums = [cast(func.sum(table.c[counter]), BigInteger) for counter in COUNTERS]
        has_purposes = Dimension.PURPOSE in by
        query = select(*columns, *sums).where((table.c.purpose != ALL) == has_purposes)
        if first_day is not None:
            query = query.where(table.c.day >= (first_day - EPOCH).days)
        if last_day is not None:
            query = query.where(table.c.day <= (last_day - EPOCH).days)
        with self._reading() as connection:
            names = {row.id: row.name for row in connection.execute(select(sites))}
            if site is not None:
                numbers = [number for number, name in names.items() if name == site]
                query = query.where(table.c.site_id.in_(numbers))
            found = connection.execute(query.group_by(*columns).order_by(*columns)).all()
        told = {**_TOLD, Dimension.SITE: names.__getitem__}
        tell = [told.get(part, _keep) for part in by]
        width = len(by)
        try:
            return [
                # A year by day and purpose is a thousand lines: a list costs less than a generator.
                Counts(
                    tuple([say(value) for say, value in zip(tell, row, strict=False)]),
                    *row[width:],
                )
                for row in found
                # Without a dimension there is one line, of nulls where nothing was counted.
                if row[-1] is not None
            ]
        except BROKEN as error:
            message = (
                "the kept counts were altered; `slagboom log verify --counts` tells where, and "
                "`slagboom log stats` without --by counts the records"
            )
            raise LogAltered(message) from error


def _keep(value: object) -> str | int:
    if not isinstance(value, str | int):
        message = f"a {type(value).__name__} is counted by"
        raise TypeError(message)
    return value


@cache
def _read_day(number: int) -> str:
    return (EPOCH + dt.timedelta(days=number)).isoformat()


def _read_device(number: int) -> str:
    return DEVICE_OF[number].value


_TOLD: Final[Mapping[Dimension, Callable[[int], str]]] = {
    Dimension.DAY: _read_day,
    Dimension.DEVICE: _read_device,
}
