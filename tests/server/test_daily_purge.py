"""The purge a serving process does by itself."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest
from log_samples import DOCUMENT, NOON, decision_id, make_offer, make_record

from slagboom_server.daily_purge import DailyPurge
from slagboom_server.errors import StoreUnavailable
from slagboom_server.store import Filter

if TYPE_CHECKING:
    from slagboom_server.store_sql import SqlStore


class WatchedRetention:
    """The store's own, that tells when a site is through."""

    def __init__(self, store: SqlStore) -> None:
        self._retention = store.retention
        self.done = threading.Event()
        self.asked = threading.Event()
        self.failure: Exception | None = None

    def drop_notices(self, due: Any) -> int:
        if self.failure is not None:
            self.done.set()
            raise self.failure
        dropped = self._retention.drop_notices(due)
        self.done.set()
        return dropped

    def due(self, site: str, retention_days: int, now: dt.datetime) -> Any:
        found = self._retention.due(site, retention_days, now)
        self.asked.set()
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._retention, name)


def fill(store: SqlStore) -> WatchedRetention:
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    store.append([make_record(1), make_record(2, received_at=much_later(), given_at=much_later())])
    return WatchedRetention(store)


def much_later() -> dt.datetime:
    return NOON + dt.timedelta(days=182 + 30 + 1)


def test_what_is_past_its_time_goes_and_the_log_says_how_much(
    store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    retention = fill(store)

    with DailyPurge(retention, lambda: {"dsoft": 30}, much_later, start_seconds=0):
        assert retention.done.wait(60)

    assert store.count(Filter()) == 1
    assert "dsoft: 1 records and the words of 0 notices purged, 0 records held" in caplog.messages
    assert "5a1ecafe" not in caplog.text


@pytest.mark.parametrize("years", [1, 100])
def test_a_clock_far_ahead_purges_nothing_whatever_is_stored_under_it(
    store: SqlStore, caplog: pytest.LogCaptureFixture, years: int
) -> None:
    ahead = much_later() + dt.timedelta(days=365 * years)
    retention = fill(store)
    # Visitors come while the clock is wrong, one of them with a clock as wrong as that.
    store.append([make_record(n, received_at=ahead, given_at=much_later()) for n in (3, 4)])
    store.append([make_record(5, received_at=ahead, given_at=ahead)])

    with DailyPurge(retention, lambda: {"dsoft": 30}, lambda: ahead, 0):
        assert retention.asked.wait(60)

    assert store.count(Filter()) == 5
    assert len(caplog.messages) == 1
    assert "but by the clocks of its last visitors it is 2027-06-22T12:00:00.000Z" in caplog.text
    assert "slagboom log purge --clock-is-right" in caplog.text
    assert not retention.done.is_set()


def test_a_clock_that_jumps_ahead_when_nobody_comes_purges_nothing(
    store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    retention = fill(store)

    with DailyPurge(
        retention, lambda: {"dsoft": 30}, lambda: much_later() + dt.timedelta(days=400), 0
    ):
        assert retention.asked.wait(60)

    assert store.count(Filter()) == 2
    assert "nobody has decided in the 24 hours before" in caplog.text


def test_a_clock_that_was_ahead_and_is_right_again_purges(store: SqlStore) -> None:
    retention = fill(store)
    ahead = much_later() + dt.timedelta(days=365)
    store.append([make_record(n, received_at=ahead, given_at=NOON) for n in range(3, 50)])

    with DailyPurge(retention, lambda: {"dsoft": 30}, much_later, start_seconds=0):
        assert retention.done.wait(60)

    assert store.record(decision_id(1)) is None
    assert store.count(Filter()) == 48


def test_a_server_that_stops_at_once_purges_nothing(store: SqlStore) -> None:
    retention = fill(store)

    with DailyPurge(retention, lambda: {"dsoft": 30}, much_later, start_seconds=3600):
        pass

    assert store.count(Filter()) == 2
    assert not retention.done.is_set()


def test_a_log_that_is_gone_is_one_line_and_nothing_ends(
    store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    retention = fill(store)
    retention.failure = StoreUnavailable("gone for a moment")

    with DailyPurge(retention, lambda: {"dsoft": 30}, much_later, start_seconds=0):
        assert retention.done.wait(60)

    assert caplog.messages == ["the log was not purged to the end: gone for a moment"]
