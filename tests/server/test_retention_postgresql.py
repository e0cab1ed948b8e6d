"""Erasing, purging, holding and counting on a real PostgreSQL."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from contract_retention import *  # noqa: F403 -- the tests every engine must pass
from contract_retention import DAY, DSOFT, WITHOUT_REST, check_chains, check_sums
from log_samples import DOCUMENT, NOON, consent_id, make_record

from slagboom_server.chain import Reason
from slagboom_server.engine import open_engine, parse_url
from slagboom_server.holds_sql import wait_for_holds
from slagboom_server.retention import RecordsHeld, purge_sites
from slagboom_server.rollup import Dimension
from slagboom_server.store import Filter
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from slagboom_server.store_sql import SqlStore


@pytest.fixture
def database_url(postgresql_url: str) -> str:
    return postgresql_url


def test_several_processes_count_and_purge_at_once(store: SqlStore, postgresql_url: str) -> None:
    store.remember_notice(DSOFT, DOCUMENT, NOON)

    def append(lane: int) -> None:
        with closing(open_store(postgresql_url)) as own:
            for first in range(0, 500, 50):
                numbers = range(lane * 1000 + first, lane * 1000 + first + 50)
                own.append([make_record(n, DSOFT) for n in numbers])

    def purge(_lane: int) -> int:
        with closing(open_store(postgresql_url)) as own:
            [done] = purge_sites(own.retention, {"dsoft": 30}, NOON + 900 * DAY, WITHOUT_REST)
            return done.records

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(append, range(3)))
        more = [pool.submit(append, lane) for lane in range(3, 6)]
        purged = sum(pool.map(purge, range(3)))
        for lane in more:
            lane.result()

    assert purged >= 1500
    assert purged + store.count(Filter()) == 3000
    assert check_chains(store) == purged
    check_sums(store)
    [day] = store.rollups.read((Dimension.DAY,))
    assert day.decisions == 3000


def test_a_hold_waits_for_the_step_that_did_not_see_it(
    store: SqlStore, postgresql_url: str
) -> None:
    store.remember_notice(DSOFT, DOCUMENT, NOON)
    store.append([make_record(1, DSOFT), make_record(2, DSOFT)])
    engine = open_engine(parse_url(postgresql_url))
    began = threading.Event()

    def hold() -> None:
        with closing(open_store(postgresql_url)) as own:
            began.set()
            own.retention.add_hold(Filter(), "case 2026/17", NOON)

    with ThreadPoolExecutor(1) as pool, engine.connect() as step:
        wait_for_holds(step)
        added = pool.submit(hold)
        assert began.wait(60)
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while not step.exec_driver_sql(waiting).scalar():
            assert not added.done()
        assert store.retention.holds() == []
        step.rollback()
        added.result()
    engine.dispose()

    with pytest.raises(RecordsHeld):
        store.retention.erase(consent_id(1), Reason.DPO, NOON)
