from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING

from log_samples import DOCUMENT, NOON, make_offer, make_record

from slagboom_server.checkpointer import CheckpointMaker
from slagboom_server.clock import SteadyClock
from slagboom_server.export import read_pages
from slagboom_server.store import Cursor, Filter

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from slagboom_server.store_sql import SqlStore

SECOND = dt.timedelta(seconds=1)


class Wall:
    """A clock that somebody sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> dt.datetime:
        return self.now


def test_a_clock_set_back_a_little_waits_and_goes_on_by_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wall = Wall()
    clock = SteadyClock(wall)
    told = []
    for step in (5, -3, 1, 1, 1, 1, -1, 2):
        wall.now += step * SECOND
        told.append((clock() - NOON) // SECOND)

    assert told == [5, 5, 5, 5, 5, 6, 6, 7]
    assert caplog.text.count("the clock was set back by") == 2


def test_a_clock_that_was_far_ahead_is_followed_back_and_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wall = Wall()
    clock = SteadyClock(wall)
    wall.now += dt.timedelta(days=365)
    ahead = clock()
    wall.now = NOON

    assert ahead == NOON + dt.timedelta(days=365)
    assert clock() == NOON
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_while_the_clock_is_set_back_every_page_comes_once_and_in_the_order_of_arrival(
    store: SqlStore,
) -> None:
    wall = Wall()
    clock = SteadyClock(wall)
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    seen: list[int] = []
    after: Cursor | None = None
    for number in range(1, 31):
        # Back by ten seconds after the tenth, while somebody reads on.
        wall.now += SECOND if number != 10 else -10 * SECOND
        store.append([make_record(number, received_at=clock())])
        for record in store.page(Filter(), after, limit=2):
            assert record.seq is not None
            seen.append(record.decision_id.int & 0xFFFF)
            after = Cursor(record.received_at, record.seq)

    assert seen == list(range(1, 31))


def test_a_log_whose_clock_was_a_year_ahead_still_reads_whole(store: SqlStore) -> None:
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    year = dt.timedelta(days=365)
    times = [NOON, NOON + year, NOON + SECOND, NOON + 2 * SECOND]
    for number, time in enumerate(times, 1):
        store.append([make_record(number, received_at=time)])

    read = [
        record.decision_id.int & 0xFFFF for page in read_pages(store, Filter()) for record in page
    ]

    assert read == [1, 3, 4, 2]


def test_checkpoints_go_on_though_the_last_one_is_from_the_future(
    store: SqlStore, tmp_path: Path
) -> None:
    maker = CheckpointMaker(store.evidence, tmp_path / "keys")
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    store.append([make_record(1)])
    first = maker.make(NOON + dt.timedelta(days=1), min_age_seconds=30)
    store.append([make_record(2)])
    second = maker.make(NOON, min_age_seconds=30)
    store.append([make_record(3)])
    third = maker.make(NOON + SECOND, min_age_seconds=30)

    assert first is not None
    assert second is not None
    assert second.number == 2
    assert third is None, "the second one is of this minute"
