from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from contract_store import *  # noqa: F403 -- the tests every engine must pass
from hypothesis import given, settings
from hypothesis import strategies as st
from log_samples import DOCUMENT, NOON, consent_id, decision_id, make_offer, make_record
from sqlalchemy import event

from slagboom_banner.model import Action
from slagboom_banner.regime import Regime
from slagboom_server.anonymise import Device, truncate
from slagboom_server.chain import Reason
from slagboom_server.errors import StoreUnavailable
from slagboom_server.migration import open_current
from slagboom_server.record import Flag
from slagboom_server.row import (
    flags_from_bits,
    flags_to_bits,
    from_bits,
    from_ms,
    pack_network,
    to_bits,
    to_ms,
    unpack_network,
)
from slagboom_server.schema import ACTIONS, DEVICES, FLAGS, LAYERS, REGIMES
from slagboom_server.store import Answer, Cursor, Filter
from slagboom_server.store_sql import SqlStore, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from slagboom_server.store import Store
NO_DEADLINE = settings(deadline=None)  # a busy machine is no defect


class QueryRecorder:
    """The statements a store sends, after Warehouse's fixture of the same name."""

    def __init__(self, database_url: str) -> None:
        self.statements: list[str] = []
        self._engine = open_current(database_url)
        # Some go to the driver without SQLAlchemy.
        event.listen(self._engine, "connect", self._record)
        self._engine.dispose()
        self.store = SqlStore(self._engine)

    def _record(self, connection: sqlite3.Connection, _record: object) -> None:
        connection.set_trace_callback(self.statements.append)

    @contextmanager
    def recording(self) -> Iterator[list[str]]:
        self.statements.clear()
        yield self.statements


@pytest.fixture
def recorder(database_url: str) -> Iterator[QueryRecorder]:
    recorder = QueryRecorder(database_url)
    recorder.store.remember_notice(make_offer(), DOCUMENT, NOON)
    recorder.store.append([make_record(n) for n in range(1, 10)])
    recorder.store.page(Filter(), limit=1)
    yield recorder
    recorder.store.close()


def data_statements(statements: list[str]) -> list[str]:
    frame = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA")
    return [statement for statement in statements if not statement.startswith(frame)]


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda store: store.append([make_record(n) for n in range(100, 228)]), 7),
        (lambda store: store.append([make_record(1)]), 2),
        (lambda store: store.record(decision_id(1)), 1),
        (lambda store: store.records_of(consent_id(1)), 1),
        (lambda store: store.page(Filter(site="dsoft"), limit=5), 1),
        (lambda store: store.page(Filter(purpose=Answer("statistics", granted=True)), limit=5), 2),
        (lambda store: store.count(Filter()), 1),
        (lambda store: store.stats(Filter()), 1),
        (lambda store: store.notice("dsoft", make_offer().digest), 1),
        (lambda store: store.latest_notices("dsoft"), 1),
        (lambda store: store.offers(), 1),
        (lambda store: store.remember_notice(make_offer(), DOCUMENT, NOON), 1),
        (lambda store: store.spend_token(bytes(20), NOON, NOON), 2),
    ],
)
def test_each_question_costs_a_fixed_number_of_statements(
    recorder: QueryRecorder, ask: Callable[[Store], object], expected: int
) -> None:
    with recorder.recording() as statements:
        ask(recorder.store)

    assert len(data_statements(statements)) == expected, statements


def explain(database_url: str, statement: str) -> str:
    marks = (1,) * statement.count("?")
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as database:
        rows = database.execute(f"EXPLAIN QUERY PLAN {statement}", marks).fetchall()
    return " ".join(str(row[3]) for row in rows)


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.records_of(consent_id(1)),
        lambda store: store.page(Filter(consent_id=consent_id(1)), limit=5),
        lambda store: store.page(Filter(site="dsoft", consent_id=consent_id(1)), limit=5),
        lambda store: store.page(
            Filter(since=NOON, consent_id=consent_id(1)), limit=5, newest_first=True
        ),
        lambda store: store.count(Filter(site="dsoft", consent_id=consent_id(1))),
        lambda store: store.retention.erase(consent_id(1), Reason.DPO, NOON, "dsoft"),
    ],
)
def test_a_visitor_is_found_through_the_parts_of_the_index(
    recorder: QueryRecorder, database_url: str, ask: Callable[[SqlStore], object]
) -> None:
    with recorder.recording() as statements:
        ask(recorder.store)

    asked = [one for one in data_statements(statements) if "consent_id = " in one]
    assert asked
    for statement in asked:
        plan = explain(database_url, statement)
        assert "INDEX records_consent_id (<expr>=? AND consent_id=?)" in plan, plan
        assert "INDEX records_site_id" not in plan
        assert "INDEX records_received_at" not in plan


def test_a_visitor_is_found_in_every_part_and_behind_every_gap(
    recorder: QueryRecorder, database_url: str
) -> None:
    places = [-5, 2, 1 << 18, (5 << 18) - 1, 5 << 18, 3 << 36 | 7, (1 << 63) - 1]
    with sqlite3.connect(database_url.removeprefix("sqlite:///")) as database:
        for number, seq in enumerate(places, 1):
            database.execute(
                "UPDATE records SET seq = ?, consent_id = ? WHERE decision_id = ?",
                (seq, consent_id(1).bytes, decision_id(number).bytes),
            )
    database.close()

    found = recorder.store.records_of(consent_id(1))
    filtered = recorder.store.page(Filter(consent_id=consent_id(1)), limit=10)
    others = recorder.store.records_of(consent_id(9))

    assert sorted(record.seq or 0 for record in found) == places
    assert filtered == found
    assert len(others) == 1


@pytest.mark.parametrize("site", [None, "dsoft"])
def test_a_page_is_found_through_an_index(
    recorder: QueryRecorder, database_url: str, site: str | None
) -> None:
    record = recorder.store.record(decision_id(1))
    assert record is not None
    assert record.seq is not None
    with recorder.recording() as statements:
        recorder.store.page(Filter(site=site), Cursor(record.received_at, record.seq), limit=5)

    [statement] = data_statements(statements)
    plan = explain(database_url, statement)
    assert "INDEX records_" in plan
    assert "SCAN" not in plan
    assert "TEMP B-TREE" not in plan


def test_the_database_holds_no_address_and_no_user_agent(
    store: SqlStore, database_url: str
) -> None:
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    store.append([make_record(1)])
    store.close()

    path = database_url.removeprefix("sqlite:///")
    database = sqlite3.connect(path)
    content = "\n".join(database.iterdump())
    database.close()
    assert "198.51.100.77" not in content
    assert bytes([198, 51, 100, 77]).hex() not in content.lower()
    assert "Mozilla" not in content
    assert "132.0" not in content
    assert "Firefox" in content


def test_the_database_survives_a_loss_of_power(recorder: QueryRecorder) -> None:
    with recorder._engine.connect() as connection:  # noqa: SLF001 -- its own fixture
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_record_takes_less_than_450_bytes(store: SqlStore, database_url: str) -> None:
    offer = make_offer()
    store.remember_notice(offer, DOCUMENT, NOON)
    count = 4000
    for start in range(0, count, 500):
        store.append([make_record(n, offer) for n in range(start, start + 500)])
    store.close()

    database = sqlite3.connect(database_url.removeprefix("sqlite:///"))
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    (size,) = database.execute("PRAGMA page_size").fetchone()
    database.close()
    assert pages * size / count < 450


def test_two_stores_write_the_same_file(store: SqlStore, database_url: str) -> None:
    other = open_store(database_url)
    store.remember_notice(make_offer(), DOCUMENT, NOON)

    other.append([make_record(1)])
    store.append([make_record(2)])

    assert store.count(Filter()) == other.count(Filter()) == 2
    assert store.record(decision_id(1)) == other.record(decision_id(1))
    other.close()


def test_a_database_that_cannot_be_written_is_unavailable(
    store: SqlStore, database_url: str
) -> None:
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    database = sqlite3.connect(database_url.removeprefix("sqlite:///"))
    database.execute("DROP TABLE records")
    database.close()

    with pytest.raises(StoreUnavailable, match=r"slagboom\.db cannot be used: no such table") as e:
        store.append([make_record(1)])

    assert "\n" not in str(e.value)


def test_the_numbers_of_closed_sets_never_change() -> None:
    assert {action.value: number for action, number in ACTIONS.items()} == {
        "accept_all": 1,
        "reject_all": 2,
        "save": 3,
        "withdraw": 4,
        "gpc": 5,
        "expire": 6,
    }
    assert {flag.value: bit for flag, bit in FLAGS.items()} == {
        "clock_ahead": 1,
        "clock_behind": 2,
        "earlier_notice": 4,
        "gpc_differs": 8,
        "full_ip_withheld": 16,
    }
    assert set(ACTIONS) == set(Action)
    assert set(FLAGS) == set(Flag)
    assert set(DEVICES) == set(Device)
    assert set(REGIMES) == set(Regime)
    assert sorted(LAYERS.values()) == [1, 2, 3, 4]


NAMES = st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,9}", fullmatch=True), unique=True, max_size=60)


@NO_DEADLINE
@given(names=NAMES, data=st.data())
def test_answers_survive_as_bits(names: list[str], data: st.DataObject) -> None:
    answers = {name: data.draw(st.booleans()) for name in names}

    bits = to_bits(answers, names)

    assert from_bits(bits, names) == answers
    assert 0 <= bits < 2**63


@NO_DEADLINE
@given(st.sets(st.sampled_from(Flag)))
def test_flags_survive_as_bits(flags: set[Flag]) -> None:
    assert set(flags_from_bits(flags_to_bits(flags))) == flags


@NO_DEADLINE
@given(st.ip_addresses())
def test_networks_survive_as_bytes(address: object) -> None:
    network = truncate(str(address))

    packed = pack_network(network)

    assert packed is not None
    assert len(packed) in {3, 6}
    assert unpack_network(packed) == network


@NO_DEADLINE
@given(st.integers(min_value=0, max_value=4_102_444_800_000))
def test_times_survive_as_milliseconds(milliseconds: int) -> None:
    assert to_ms(from_ms(milliseconds)) == milliseconds


def test_the_file_of_the_log_is_for_its_owner_alone(database_url: str) -> None:
    path = Path(database_url.removeprefix("sqlite:///"))

    assert path.stat().st_mode & 0o077 == 0


def test_readers_are_not_disturbed_by_failing_writers(store: SqlStore) -> None:
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    store.append([make_record(n) for n in range(50)])

    def fail() -> None:
        for _ in range(50):
            with pytest.raises(StoreUnavailable):
                store.append([make_record(99, make_offer("dsoft", 77))])

    with ThreadPoolExecutor(2) as pool:
        failing = pool.submit(fail)
        while not failing.done():
            assert len(store.page(Filter(), limit=100)) == 50
        failing.result()
