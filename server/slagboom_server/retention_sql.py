"""Erasing and purging over SQL; see `retention.Retention` for what each method promises."""

from __future__ import annotations

import datetime as dt
from statistics import median_low
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import false, func, or_, select, tuple_, update

from slagboom_server.altered import naming_altered
from slagboom_server.burial import COLUMNS
from slagboom_server.chain import Reason
from slagboom_server.clock_witness import LATELY
from slagboom_server.holds_sql import (
    end_hold,
    held_records,
    insert_hold,
    not_held,
    read_holds,
    wait_for_holds,
)
from slagboom_server.retention import Due, RecordsHeld
from slagboom_server.retry import retried
from slagboom_server.row import from_ms, to_ms
from slagboom_server.schema import notices, records
from slagboom_server.store import Cursor
from slagboom_server.visitor_index import use_index

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from uuid import UUID

    from sqlalchemy import ColumnElement, Connection, Select

    from slagboom_server.burial import Burial
    from slagboom_server.months import Months
    from slagboom_server.names import Names, Notices
    from slagboom_server.retention import Hold
    from slagboom_server.store import Filter

    Opens = Callable[[], AbstractContextManager[Connection]]

_STEP: Final = 200
"""Records in one transaction: some milliseconds, for which a decision may have to wait."""

_ASKED: Final = 25
"""Visitors whose clocks are asked for the time."""


class SqlRetention:
    """Erasing, purging and holding.

    reading, writing: the store's own transactions. names: those of sites and notices.
    """

    def __init__(
        self,
        reading: Opens,
        writing: Opens,
        burial: Burial,
        names: tuple[Names, Notices],
        months: Months,
    ) -> None:
        self._reading = reading
        self._writing = writing
        self._burial = burial
        self._sites, self._notices = names
        self._months = months

    def count(self, consent_id: UUID, site: str | None = None) -> tuple[int, Sequence[int]]:
        """How many records a visitor has, and the numbers of the holds that keep any of them."""
        with self._reading() as connection:
            query = select(func.count()).select_from(records)
            number = connection.scalar(self._of_visitor(connection, query, consent_id, site))
            return number or 0, self._holds_on(connection, consent_id, site)

    def erase(
        self, consent_id: UUID, reason: Reason, now: dt.datetime, site: str | None = None
    ) -> int:
        """Erases a visitor's records, of one site or all; returns how many."""
        erased = 0
        while True:
            step = self._erase_step(consent_id, reason, now, site)
            erased += step
            if step < _STEP:
                return erased

    @retried
    def _erase_step(
        self, consent_id: UUID, reason: Reason, now: dt.datetime, site: str | None
    ) -> int:
        with self._writing() as connection:
            wait_for_holds(connection)
            held = self._holds_on(connection, consent_id, site)
            if held:
                raise RecordsHeld(held)
            query = self._of_visitor(connection, select(*COLUMNS), consent_id, site)
            query = query.limit(_STEP).with_for_update()
            found = connection.execute(query).all()
            self._burial.bury(connection, found, reason, now)
            return len(found)

    def given_lately(self, now: dt.datetime) -> dt.datetime | None:
        """The time by the visitors' own clocks; None where none decided in the day before `now`."""
        lately = records.c.received_at.between(to_ms(now - LATELY), to_ms(now))
        newest = select(records.c.given_at, records.c.seq).where(lately).limit(_ASKED)
        newest = newest.order_by(records.c.received_at.desc(), records.c.seq.desc())
        with self._reading() as connection:
            given = [_read_given(*row) for row in connection.execute(newest)]
        return median_low(given) if given else None

    def due(self, site: str, retention_days: int, now: dt.datetime) -> Due:
        """What may go because its time is up."""
        valid_before = now - dt.timedelta(days=retention_days)
        with self._reading() as connection:
            site_id = self._sites.find_id(connection, site)
            lifetimes = [
                offer.consent_lifetime_days
                for offer in self._notices.load(connection).values()
                if offer.site == site
            ]
            received_before = valid_before - dt.timedelta(days=min(lifetimes, default=0))
            where = _is_due(site_id, valid_before, received_before)
            kept = held_records(connection, self._sites, self._notices)
            count = select(func.count()).select_from(records).where(*where)
            free = connection.scalar(count.where(*not_held(kept))) or 0
            held = (connection.scalar(count.where(or_(*kept.values()))) or 0) if kept else 0
            unneeded = self._unneeded_notices(connection, site_id, valid_before)
        return Due(site, valid_before, received_before, free, held, len(unneeded))

    @retried
    def purge_step(
        self, due: Due, now: dt.datetime, after: Cursor | None
    ) -> tuple[int, Cursor | None]:
        """Purges a few records behind `after`; how many, and where to go on, None at the end."""
        with self._writing() as connection:
            wait_for_holds(connection)
            site_id = self._sites.find_id(connection, due.site)
            where = _is_due(site_id, due.valid_before, due.received_before)
            where += not_held(held_records(connection, self._sites, self._notices))
            if after is not None:
                place = tuple_(records.c.received_at, records.c.seq)
                time = to_ms(after.received_at)
                where += [place > tuple_(time, after.seq), records.c.received_at >= time]
            query = select(*COLUMNS).where(*where)
            query = query.order_by(records.c.received_at, records.c.seq).limit(_STEP)
            # What another process purges at this moment need not be waited for.
            found = connection.execute(query.with_for_update(skip_locked=True)).all()
            self._burial.bury(connection, found, Reason.PURGE, now)
        if len(found) < _STEP:
            return len(found), None
        return len(found), Cursor(from_ms(found[-1].received_at), found[-1].seq)

    @retried
    def drop_notices(self, due: Due) -> int:
        """Removes the words of notices that are needed no more; how many notices."""
        with self._reading() as connection:
            site_id = self._sites.find_id(connection, due.site)
            unneeded = self._unneeded_notices(connection, site_id, due.valid_before)
        if unneeded:
            with self._writing() as connection:
                same = notices.c.id.in_(unneeded)
                connection.execute(update(notices).where(same).values(document=""))
        return len(unneeded)

    def drop_months(self, now: dt.datetime) -> Sequence[str]:
        """Removes the partitions of past months that are empty by now; their names."""
        return self._months.drop_empty(now)

    @retried
    def add_hold(self, chosen: Filter, reason: str, now: dt.datetime) -> Hold:
        """Keeps what a filter finds, now and later, until the hold is released."""
        with self._writing() as connection:
            return insert_hold(connection, chosen, reason, now)

    def holds(self) -> Sequence[Hold]:
        """Every hold there ever was, oldest first."""
        with self._reading() as connection:
            return read_holds(connection)

    def release_hold(self, number: int, now: dt.datetime) -> Hold | None:
        """Ends a hold; None where no hold in force has this number."""
        with self._writing() as connection:
            return end_hold(connection, number, now)

    def _of_visitor(
        self,
        connection: Connection,
        query: Select[*tuple[Any, ...]],
        consent_id: UUID,
        site: str | None,
    ) -> Select[*tuple[Any, ...]]:
        query = query.where(records.c.consent_id == consent_id.bytes)
        query = use_index(query, consent_id, connection.dialect.name)
        if site is None:
            return query
        return query.where(_is_of_site(self._sites.find_id(connection, site)))

    def _holds_on(self, connection: Connection, consent_id: UUID, site: str | None) -> list[int]:
        """The numbers of the holds that keep any of a visitor's records."""
        kept = held_records(connection, self._sites, self._notices)
        any_of = self._of_visitor(connection, select(records.c.seq).limit(1), consent_id, site)
        return [
            number
            for number, is_held in kept.items()
            if connection.scalar(any_of.where(is_held)) is not None
        ]

    def _unneeded_notices(
        self, connection: Connection, site_id: int | None, valid_before: dt.datetime
    ) -> list[int]:
        columns = (notices.c.id, notices.c.revision, notices.c.first_seen, notices.c.document != "")
        shown = connection.execute(select(*columns).where(_same_site(notices.c.site_id, site_id)))
        known = [tuple(row) for row in shown]
        candidates = []
        for number, revision, _, has_words in known:
            later = [seen for _, other, seen, _ in known if other > revision]
            lifetime = dt.timedelta(
                days=self._notices.offer(connection, number).consent_lifetime_days
            )
            if has_words and later and min(later) < to_ms(valid_before - lifetime):
                candidates.append(number)
        if not candidates:
            return []
        # Reads the whole site, in no one's way; there are candidates once in a revision's life.
        used = select(records.c.notice_id).distinct()
        used = used.where(_is_of_site(site_id), records.c.notice_id.in_(candidates))
        return sorted({*candidates} - {*connection.scalars(used)})


def _read_given(given_at: int, seq: int) -> dt.datetime:
    with naming_altered(seq):
        return from_ms(given_at)


def _is_of_site(site_id: int | None) -> ColumnElement[bool]:
    return _same_site(records.c.site_id, site_id)


def _same_site(column: ColumnElement[int], site_id: int | None) -> ColumnElement[bool]:
    return false() if site_id is None else column == site_id


def _is_due(
    site_id: int | None, valid_before: dt.datetime, received_before: dt.datetime
) -> list[ColumnElement[bool]]:
    return [
        _is_of_site(site_id),
        records.c.received_at < to_ms(received_before),
        records.c.valid_until < to_ms(valid_before),
    ]
