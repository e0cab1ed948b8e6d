"""Records by the month they were received in, on PostgreSQL."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest
from log_samples import DOCUMENT, NOON, consent_id, decision_id, make_offer, make_record
from sqlalchemy import delete, event

from slagboom_server.chain import Reason
from slagboom_server.engine import open_engine, parse_url, writing
from slagboom_server.held import release_decisions
from slagboom_server.migration import open_current
from slagboom_server.retention import Pace, purge_sites
from slagboom_server.schema import records
from slagboom_server.store import Conflict, Cursor, Filter, Repeated, Stored
from slagboom_server.store_sql import SqlStore, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

OCTOBER = dt.datetime(2026, 10, 31, 23, 59, 59, 999000, tzinfo=dt.UTC)
NOVEMBER = OCTOBER + dt.timedelta(milliseconds=1)
LONG_AGO = dt.datetime(2024, 3, 3, tzinfo=dt.UTC)
LATER = dt.datetime(2032, 5, 5, tzinfo=dt.UTC)


@pytest.fixture
def store(postgresql_url: str) -> Iterator[SqlStore]:
    opened = open_store(postgresql_url)
    opened.remember_notice(make_offer(), DOCUMENT, NOON)
    yield opened
    opened.close()


@pytest.fixture
def session(postgresql_url: str) -> Iterator[psycopg.Connection]:
    """Somebody else who uses the database."""
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        yield connection


def months(session: psycopg.Connection) -> dict[str, int]:
    """How many records stand in each partition."""
    names = session.execute("SELECT inhrelid::regclass::text FROM pg_inherits").fetchall()
    tables = sorted(name for (name,) in names if name.startswith("records_2") or "other" in name)
    return {
        name: session.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # type: ignore[index, arg-type]  # noqa: S608
        for name in tables
        if not name.endswith(("_key", "_pkey", "_idx"))
    }


def test_each_month_has_its_own_table_and_the_next_is_made_ahead(
    store: SqlStore, session: psycopg.Connection
) -> None:
    december = dt.datetime(2026, 12, 31, tzinfo=dt.UTC)

    store.append([make_record(1, received_at=OCTOBER), make_record(2, received_at=NOVEMBER)])
    store.append([make_record(3, received_at=december)])

    assert months(session) == {
        "records_2026_10": 1,
        "records_2026_11": 1,
        "records_2026_12": 1,
        "records_2027_01": 0,
        "records_other": 0,
    }


def test_one_decision_in_two_months_is_one_decision(store: SqlStore) -> None:
    first, again, forged = (
        make_record(1, received_at=OCTOBER),
        make_record(1, received_at=NOVEMBER),
        make_record(1, received_at=NOVEMBER, granted=set()),
    )

    [stored] = store.append([first])

    assert isinstance(stored, Stored)
    assert store.append([again, forged]) == [Repeated(stored.seq), Conflict(decision_id(1))]
    assert store.count(Filter()) == 1


def test_of_several_nodes_at_the_turn_of_the_month_one_stores_a_decision(
    postgresql_url: str, store: SqlStore
) -> None:
    nodes = [store, open_store(postgresql_url)]
    start = threading.Barrier(2)

    def send(node: int) -> list[object]:
        received_at = (OCTOBER, NOVEMBER)[node]
        start.wait()
        # In opposite orders, so that each waits for what the other has begun.
        numbers = range(200) if node else reversed(range(200))
        return list(nodes[node].append([make_record(n, received_at=received_at) for n in numbers]))

    with ThreadPoolExecutor(2) as pool:
        answers = [answer for answered in pool.map(send, (0, 1)) for answer in answered]

    assert sum(isinstance(answer, Stored) for answer in answers) == 200
    assert sum(isinstance(answer, Repeated) for answer in answers) == 200
    assert store.count(Filter()) == 200
    nodes[1].close()


def test_a_month_that_cannot_be_made_now_keeps_nobody_waiting_and_is_made_later(
    store: SqlStore, session: psycopg.Connection
) -> None:
    with session.transaction():
        # As a long export would.
        session.execute("SELECT count(*) FROM records")
        [answer] = store.append([make_record(1, received_at=NOVEMBER)])
        within = months(session)
    store.append([make_record(2, received_at=NOVEMBER + dt.timedelta(minutes=1))])
    too_early = months(session)
    store.append([make_record(3, received_at=NOVEMBER + dt.timedelta(minutes=11))])

    assert isinstance(answer, Stored)
    assert within == {"records_other": 1}
    assert too_early == {"records_other": 2}
    assert months(session) == {"records_2026_11": 3, "records_2026_12": 0, "records_other": 0}
    assert [record.decision_id for record in store.page(Filter(), limit=9)] == [
        decision_id(n) for n in (1, 2, 3)
    ]


def test_a_decision_that_comes_twice_at_once_is_found_where_it_was_stored(store: SqlStore) -> None:
    answers = store.append([make_record(1, received_at=time) for time in (OCTOBER, NOVEMBER)])

    kept = store.record(decision_id(1))
    assert isinstance(answers[0], Stored)
    assert answers[1] == Repeated(answers[0].seq)
    assert kept is not None
    assert kept.received_at == OCTOBER
    assert store.append([make_record(1, received_at=NOVEMBER)]) == [Repeated(answers[0].seq)]


def test_a_whole_month_can_be_dropped(store: SqlStore, session: psycopg.Connection) -> None:
    store.append([make_record(n, received_at=OCTOBER) for n in range(5)])
    store.append([make_record(9, received_at=NOVEMBER)])

    session.execute("DROP TABLE records_2026_10")

    assert store.count(Filter()) == 1
    assert store.record(decision_id(2)) is None
    # What was dropped counts as new when somebody brings it again.
    [answer] = store.append([make_record(2, received_at=NOVEMBER)])
    assert isinstance(answer, Stored)
    assert store.record(decision_id(2)) is not None


def purge_all(store: SqlStore) -> None:
    purge_sites(store.retention, {"dsoft": 1}, LATER, Pace(lambda: 0.0, lambda _: False))


def test_a_month_that_a_purge_has_left_empty_is_dropped_and_no_other(
    store: SqlStore, session: psycopg.Connection
) -> None:
    store.append([make_record(n, received_at=OCTOBER) for n in range(500)])
    store.append([make_record(n, received_at=LONG_AGO) for n in range(500, 900)])
    store.append([make_record(1000, received_at=NOVEMBER)])
    store.retention.add_hold(Filter(until=LONG_AGO + dt.timedelta(seconds=1)), "case", NOON)
    purge_all(store)
    empty = months(session)

    dropped = store.retention.drop_months(LATER)

    assert empty["records_2026_10"] == empty["records_2024_04"] == 0
    assert empty["records_2024_03"] == 400
    assert dropped == ["records_2024_04", "records_2026_10", "records_2026_11", "records_2026_12"]
    assert months(session) == {"records_2024_03": 400, "records_other": 0}
    assert store.retention.drop_months(LATER) == []
    # Who comes with a clock that was set back is stored all the same, and found.
    [answer] = store.append([make_record(2000, received_at=OCTOBER)])
    assert isinstance(answer, Stored)
    assert store.record(decision_id(2000)) is not None
    assert store.count(Filter()) == 401


def test_this_month_and_the_one_before_stay_though_they_are_empty(
    store: SqlStore, session: psycopg.Connection
) -> None:
    store.append([make_record(1, received_at=OCTOBER), make_record(2, received_at=NOVEMBER)])
    store.retention.erase(consent_id(1), Reason.DPO, NOON)
    store.retention.erase(consent_id(2), Reason.DPO, NOON)

    assert store.retention.drop_months(NOVEMBER) == []
    assert len(months(session)) == 4


def test_a_month_that_is_being_read_is_left_for_the_next_time_and_keeps_no_writer_waiting(
    store: SqlStore, session: psycopg.Connection
) -> None:
    store.append([make_record(1, received_at=LONG_AGO), make_record(2, received_at=LATER)])
    purge_all(store)
    with session.transaction(), ThreadPoolExecutor(2) as pool:
        # As a long export would.
        session.execute("SELECT count(*) FROM records")
        dropping = pool.submit(store.retention.drop_months, LATER)
        stored = [store.append([make_record(n, received_at=LATER)])[0] for n in range(100, 120)]
        assert dropping.result(60) == []
        assert "records_2024_03" in months(session)

    assert all(isinstance(answer, Stored) for answer in stored)
    assert store.retention.drop_months(LATER) == ["records_2024_03", "records_2024_04"]


def test_an_erased_decision_leaves_its_identifier_nowhere(
    store: SqlStore, session: psycopg.Connection, postgresql_url: str
) -> None:
    store.append([make_record(1), make_record(2)])
    engine = open_engine(parse_url(postgresql_url))

    with writing(engine) as connection:
        connection.execute(delete(records).where(records.c.decision_id == decision_id(1).bytes))
        release_decisions(connection, [decision_id(1).bytes])

    engine.dispose()
    left = session.execute("SELECT decision_id FROM decisions").fetchall()
    assert left == [(decision_id(2),)]


@pytest.mark.parametrize("site", [None, "dsoft"])
def test_a_page_is_found_through_the_index_of_each_month(
    store: SqlStore, session: psycopg.Connection, postgresql_url: str, site: str | None
) -> None:
    hours = [dt.timedelta(hours=100 * n) for n in range(40)]
    store.append([make_record(n, received_at=OCTOBER + hour) for n, hour in enumerate(hours)])
    session.execute("ANALYZE")
    name = postgresql_url.rpartition("/")[2]
    # The tables are too small for an index to be worth while.
    for setting in ("enable_seqscan", "enable_sort"):
        session.execute(f"ALTER DATABASE {name} SET {setting} = off")  # type: ignore[arg-type]
    engine = open_current(postgresql_url)
    asked: list[tuple[str, object]] = []
    event.listen(
        engine,
        "before_cursor_execute",
        lambda _c, _u, text, values, *_: asked.append((text, values)),
    )
    reader = SqlStore(engine)

    reader.page(Filter(site=site), Cursor(NOVEMBER + hours[10], 5), limit=100)

    text, values = next(pair for pair in asked if "FROM records" in pair[0])
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN {text}", values)  # type: ignore[arg-type]
        plan = "\n".join(row[0] for row in rows)
    reader.close()
    assert "received_at_idx" in plan
    # Only those of the same millisecond are sorted.
    assert "Presorted Key: records.received_at" in plan
    assert "->  Sort  (" not in plan
    assert "Seq Scan" not in plan
    assert "records_2026_11" not in plan


def test_a_page_goes_on_from_month_to_month(store: SqlStore) -> None:
    store.append(
        [make_record(n, received_at=OCTOBER + dt.timedelta(days=n)) for n in range(0, 200, 10)]
    )

    seen, after = [], None
    while page := store.page(Filter(), after, limit=3):
        seen += [record.decision_id for record in page]
        assert page[-1].seq is not None
        after = Cursor(page[-1].received_at, page[-1].seq)

    assert seen == [decision_id(n) for n in range(0, 200, 10)]
    assert len(store.records_of(consent_id(10))) == 1
