"""The counts beside the log held against the records they were added up from.

Records that are not erased are counted again, a day at a time, as they were when they came in. What
an erased one said is gone, so a day that may have had one can only have been more. Which days
those are, the records before and behind a gap of their chain tell. What was shown leaves no record.

A server may go on counting meanwhile, and PostgreSQL's view is one for each statement. Counts only
grow, so they are read before the records and after them, and what lies between is no fault.
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from slagboom_server.chain import to_seq
from slagboom_server.engine import reading
from slagboom_server.names import offer_columns, read_offer
from slagboom_server.rollup_sql import ALL, DAY_MS, EPOCH, Totals, add_decisions, sum_up
from slagboom_server.row import DEVICE_OF
from slagboom_server.schema import (
    COUNTERS,
    chains,
    clients,
    daily_counts,
    detailed_counts,
    notices,
    records,
    sites,
    tombstones,
)
from slagboom_server.sealed_rows import BROKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine, Table

    from slagboom_server.record import OfferedNotice

_TOLD: Final = 20
"""Differences that are told; the rest is counted."""

_STEP: Final = 50_000
"""Places of a chain in one reading transaction."""

_SLACK_MS: Final = 600_000
"""Records of one chain come in the order they were received, but for waiting and small steps of
the clock."""

_FIRST_DAY: Final = (dt.date.min - EPOCH).days
_LAST_DAY: Final = (dt.date.max - EPOCH).days

_DECISIONS: Final = tuple(name for name in COUNTERS if name not in {"shown", "granted"})
_KIND: Final = tuple(
    records.c[name]
    for name in ("site_id", "notice_id", "client_id", "country", "action", "choices")
)
_NOTHING: Final = (0,) * len(COUNTERS)


def check_counts(engine: Engine) -> list[str]:
    """What the counts say that the records do not, one line each; empty where they agree."""
    return _CountCheck(engine).run()


class _CountCheck:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._told: list[str] = []
        self._found = 0
        self._erased = 0
        self._days = _Days()
        self._sites: dict[int, str] = {}
        self._offers: dict[int, OfferedNotice] = {}
        self._devices: dict[int, int] = {}
        self._before = 0

    def run(self) -> list[str]:
        with reading(self._engine) as connection:
            self._sites = {row.id: row.name for row in connection.execute(select(sites))}
            self._before = _count_decisions(connection)
            for table in (daily_counts, detailed_counts):
                # SQLite puts whatever is no number behind the numbers.
                last = connection.scalar(select(func.max(table.c.day)))
                if last is not None and not _is_day(last):
                    self._tell(f"{table.name} has a day that is none: it was altered")
        self._look_for_gaps()
        day: int | None = None
        while (day := self._day_after(day)) is not None:
            self._check_day(day)
        self._check_total()
        if self._found > _TOLD:
            self._told.append(f"… and {self._found - _TOLD:,} more differences of counts")
        return self._told

    def _tell(self, line: str) -> None:
        self._found += 1
        if len(self._told) < _TOLD:
            self._told.append(line)

    def _day_after(self, day: int | None) -> int | None:
        """The next day with a record or a count."""
        found: list[Any] = []
        with reading(self._engine) as connection:
            for table in (daily_counts, detailed_counts):
                query = select(func.min(table.c.day))
                query = query if day is None else query.where(table.c.day > day)
                found.append(connection.scalar(query))
            query = select(func.min(records.c.received_at))
            if day is not None:
                query = query.where(records.c.received_at >= (day + 1) * DAY_MS)
            time = connection.scalar(query)
            found.append(time // DAY_MS if isinstance(time, int) else None)
        # What is no day is told of already, be it a record's or a count's.
        return min((each for each in found if _is_day(each)), default=None)

    def _check_day(self, day: int) -> None:
        with reading(self._engine) as connection:
            daily = self._read(connection, daily_counts, day)
            detailed = self._read(connection, detailed_counts, day)
            found = self._recount(connection, day)
            daily_after = self._read(connection, daily_counts, day)
            detailed_after = self._read(connection, detailed_counts, day)
        self._compare(daily, sum_up(found), daily_after)
        self._compare(detailed, found, detailed_after)
        self._compare_tables(daily, sum_up(detailed), daily_after)

    def _recount(self, connection: Connection, day: int) -> Totals:
        """What the records of a day come to, by the keys of the detailed counts."""
        in_day = records.c.received_at.between(day * DAY_MS, (day + 1) * DAY_MS - 1)
        query = select(*_KIND, func.count()).where(in_day).group_by(*_KIND)
        found = [tuple(row) for row in connection.execute(query)]
        if any(row[1] not in self._offers or row[2] not in self._devices for row in found):
            self._offers = _read_offers(connection)
            self._devices = {row.id: row.device for row in connection.execute(select(clients))}
        totals: Totals = {}
        for site_id, notice_id, client_id, country, action, choices, times in found:
            kind = (site_id, notice_id, client_id, day, country, action, choices)
            # A record that was altered is told of where it stands.
            with suppress(*BROKEN):
                offer, device = self._offers[notice_id], self._devices[client_id]
                add_decisions(totals, kind, offer, device, times)
        return totals

    def _read(self, connection: Connection, table: Table, day: int) -> Totals:
        """The counts of a day, those of all chains together."""
        totals: Totals = {}
        keys = [column for column in table.primary_key if column.name != "chain"]
        counters = [table.c[name] for name in COUNTERS]
        for row in connection.execute(select(*keys, *counters).where(table.c.day == day)):
            key, added = tuple(row[: len(keys)]), row[len(keys) :]
            if not all(isinstance(number, int) for number in added):
                self._tell(f"counts of {self._name(key)}: a number was altered and is none")
                continue
            total = totals.setdefault(key, [0] * len(COUNTERS))
            for place, number in enumerate(added):
                total[place] += number
        return totals

    def _compare(self, before: Totals, found: Totals, after: Totals) -> None:
        for key, name, least, number, most in _find_outside(before, found, after):
            if name == "shown":
                continue
            if number > most:
                at_least = "at least " if key[1] in self._days else ""
                said = most
            elif self._may_be_erased(key[1]):
                continue
            else:
                at_least, said = "", least
            self._tell(
                f"counts of {self._name(key)}: {name} says {said:,}, and its records come to "
                f"{at_least}{number:,}"
            )

    def _compare_tables(self, before: Totals, detailed: Totals, after: Totals) -> None:
        """The one table against the other, which tells of `shown` and of erased days too."""
        for key, name, least, number, _ in _find_outside(before, detailed, after):
            self._tell(
                f"counts of {self._name(key)}: {name} says {least:,} by day, and "
                f"{number:,} in the detailed counts"
            )

    def _check_total(self) -> None:
        """As many decisions were counted as the chains are long, whatever was erased since."""
        with reading(self._engine) as connection:
            length = int(connection.scalar(select(func.sum(chains.c.length))) or 0)
            after = _count_decisions(connection)
        # What else is wrong shows in the sum as well.
        if not self._found and not self._before <= length <= after:
            self._tell(f"the counts come to {after:,} decisions, and the chains to {length:,}")

    def _may_be_erased(self, day: int) -> bool:
        if day in self._days:
            return True
        if self._count_erased() != self._erased:
            self._look_for_gaps()
        return day in self._days

    def _count_erased(self) -> int:
        with reading(self._engine) as connection:
            return connection.scalar(select(func.count()).select_from(tombstones)) or 0

    def _look_for_gaps(self) -> None:
        self._erased, self._days = self._count_erased(), _Days()
        if not self._erased:
            return
        with reading(self._engine) as connection:
            query = select(chains.c.number, chains.c.started_at, chains.c.length, chains.c.used_at)
            rows = connection.execute(query).all()
        for number, started_at, length, used_at in rows:
            last_seq = seq = to_seq(number, 0)
            # The chain of a log that was older than chains begins before it was started.
            time = started_at if number and isinstance(started_at, int) else None
            for seq, next_time in self._times(number, length):
                if seq != last_seq + 1:
                    self._days.add(time, next_time)
                last_seq, time = seq, next_time
            if seq != to_seq(number, length):
                self._days.add(time, used_at if isinstance(used_at, int) else None)

    def _times(self, number: int, length: int) -> Iterator[tuple[int, int | None]]:
        """Number and time of every record of a chain that is not erased."""
        query = select(records.c.seq, records.c.received_at).order_by(records.c.seq)
        for done in range(0, length, _STEP):
            first, last = to_seq(number, done + 1), to_seq(number, min(done + _STEP, length))
            with reading(self._engine) as connection:
                rows = connection.execute(query.where(records.c.seq.between(first, last))).all()
            for seq, time in rows:
                yield seq, time if isinstance(time, int) else None

    def _name(self, key: tuple[Any, ...]) -> str:
        """Site, day and purpose, and whatever else tells a row apart."""
        site_id, day, purpose, *rest = key
        site = self._sites.get(site_id, f"site number {site_id}")
        told = f"{site} on {EPOCH + dt.timedelta(days=day)}"
        told += f", {'all decisions' if purpose == ALL else purpose}"
        if not rest:
            return told
        revision, language, country, device = rest
        kind = DEVICE_OF[device].value if device in DEVICE_OF else f"device {device!r}"
        return f"{told} (revision {revision}, {language}, {country or 'unknown country'}, {kind})"


class _Days:
    """Days on which a record may have been received that is gone."""

    def __init__(self) -> None:
        self._days: set[int] = set()
        self._before, self._from = _FIRST_DAY - 1, _LAST_DAY + 1

    def add(self, first: int | None, last: int | None) -> None:
        """The days from one time to another, ms since 1970; None where it is not known."""
        known = [time for time in (first, last) if time is not None]
        first_day = max((min(known, default=0) - _SLACK_MS) // DAY_MS, _FIRST_DAY)
        last_day = min((max(known, default=0) + _SLACK_MS) // DAY_MS, _LAST_DAY)
        if first is None:
            self._before = max(self._before, last_day if known else _LAST_DAY)
        if last is None:
            self._from = min(self._from, first_day)
        self._days.update(range(first_day, last_day + 1))

    def __contains__(self, day: int) -> bool:
        return day in self._days or day <= self._before or day >= self._from


def _find_outside(
    before: Totals, found: Totals, after: Totals
) -> Iterator[tuple[tuple[Any, ...], str, int, int, int]]:
    """Key, counter and the three numbers, where the one found does not lie between the others."""
    for key in sorted({*before, *found, *after}, key=repr):
        rows = (totals.get(key, _NOTHING) for totals in (before, found, after))
        for name, least, number, most in zip(COUNTERS, *rows, strict=True):
            if not least <= number <= most:
                yield key, name, least, number, most


def _count_decisions(connection: Connection) -> int:
    counters = [func.sum(daily_counts.c[name]) for name in _DECISIONS]
    found = connection.execute(select(*counters).where(daily_counts.c.purpose == ALL)).one()
    return sum(int(number or 0) for number in found)


def _read_offers(connection: Connection) -> dict[int, OfferedNotice]:
    offers = {}
    query = select(notices.c.id, *offer_columns()).join_from(notices, sites)
    for row in connection.execute(query):
        # A notice that was altered is told of by itself.
        with suppress(*BROKEN):
            offers[row.id] = read_offer(row)
    return offers


def _is_day(found: object) -> bool:
    return isinstance(found, int) and _FIRST_DAY <= found <= _LAST_DAY
