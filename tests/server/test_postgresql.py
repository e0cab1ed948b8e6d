"""PostgreSQL as it is met: wrong addresses, old servers, restarts, and other writers."""

from __future__ import annotations

import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest
from log_samples import DOCUMENT, NOON, decision_id, make_offer, make_record
from postgresql_server import PASSWORD, running

from slagboom_banner.errors import SlagboomError
from slagboom_server.engine import open_engine, parse_url, reading, writing
from slagboom_server.errors import Contended, StoreUnavailable
from slagboom_server.migration import migrate
from slagboom_server.postgresql import lock_schema
from slagboom_server.retry import retried
from slagboom_server.settings import ANSWER_SECONDS
from slagboom_server.store import Filter, Repeated, Stored
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postgresql_server import Server
    from sqlalchemy import Connection

    from slagboom_server.store import Appended


def told(url: str) -> str:
    """The one line somebody reads who gives this address."""
    with pytest.raises(SlagboomError) as error:
        migrate(url)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql//slagboom:not-to-be-printed@db/log", "'…@db/log' is no database address"),
        ("postgresql:/db/log?password=not-to-be-printed", "'postgresql:/db/log' is no database"),
        ("postgresql://slagboom:not-to-be-printed@db:x/log", "is no database address"),
        ("postgresql+asyncpg://slagboom:not-to-be-printed@db/log", "write postgresql://"),
        ("postgresql://slagboom:not-to-be-printed@localhost:1/log", "Connection refused"),
        ("postgresql://localhost:1/log?password=not-to-be-printed", "Connection refused"),
        ("postgresql://localhost:1/log?no_such_option=1", "no_such_option"),
        ("postgresql://s:not-to-be-printed@/log?host=localhost:1&host=localhost:2", "refused"),
    ],
)
def test_an_address_that_cannot_work_is_one_line_without_the_password(
    url: str, reason: str
) -> None:
    line = told(url)

    assert reason in line
    assert "not-to-be-printed" not in line


def test_a_server_that_refuses_is_one_line_without_the_password(postgresql: Server) -> None:
    assert 'database "nowhere" does not exist' in told(postgresql.url("nowhere"))
    wrong = told(postgresql.url(password="wrong-one"))  # noqa: S106 -- wrong on purpose
    assert "password authentication failed" in wrong
    assert "wrong-one" not in wrong
    assert PASSWORD not in wrong


@contextmanager
def old_server(version: bytes) -> Iterator[int]:
    """Something on a port that greets as PostgreSQL of this version does, and does no more."""
    greeting = b"R" + struct.pack(">ii", 8, 0)
    setting = b"server_version\0" + version + b"\0"
    greeting += b"S" + struct.pack(">i", 4 + len(setting)) + setting
    greeting += b"Z" + struct.pack(">i", 5) + b"I"

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            caller, _ = listening.accept()
            with caller:
                caller.recv(4096)
                caller.sendall(greeting)
                caller.recv(4096)

        thread = threading.Thread(target=greet)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


def test_a_server_that_is_too_old_is_one_line() -> None:
    with old_server(b"14.13") as port:
        line = told(f"postgresql://s:x@127.0.0.1:{port}/log?sslmode=disable&gssencmode=disable")

    assert line == f"127.0.0.1:{port} is PostgreSQL 14; Slagboom needs 15 or newer"


@pytest.mark.parametrize(
    ("set_to", "used"), [("off", "on"), ("local", "on"), ("on", "on"), ("remote_apply",) * 2]
)
def test_a_commit_is_never_less_than_durable(postgresql: Server, set_to: str, used: str) -> None:
    with postgresql.database() as address:
        name = address.rpartition("/")[2]
        postgresql.execute(f"ALTER DATABASE {name} SET synchronous_commit = {set_to}")
        engine = open_engine(parse_url(address))

        for _ in range(2):
            with writing(engine) as connection:
                assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == used
        engine.dispose()


def test_the_store_works_again_by_itself_after_the_server_was_gone() -> None:
    with running() as server:
        migrate(server.url())
        store = open_store(server.url())
        store.remember_notice(make_offer(), DOCUMENT, NOON)
        store.append([make_record(1)])

        server.stop()
        with pytest.raises(StoreUnavailable, match="cannot be used") as gone:
            store.append([make_record(2)])
        with pytest.raises(StoreUnavailable):
            store.count(Filter())
        server.start()
        [answer] = store.append([make_record(2)])

        # A restart between two questions is not even noticed.
        server.kill()
        server.start()
        [again] = store.append([make_record(2)])
        assert store.count(Filter()) == 2
        store.close()

    assert PASSWORD not in str(gone.value)
    assert isinstance(answer, Stored)
    assert again == Repeated(answer.seq)


def test_a_session_that_ends_while_it_writes_stores_nothing_and_is_replaced(
    postgresql: Server, postgresql_url: str
) -> None:
    store = open_store(postgresql_url)
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    name = postgresql_url.rpartition("/")[2]
    body = "BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END"
    postgresql.execute(f"CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS '{body}'", name)
    trigger = "CREATE TRIGGER ends BEFORE INSERT ON records FOR EACH ROW EXECUTE FUNCTION stop()"
    postgresql.execute(trigger, name)

    with pytest.raises(StoreUnavailable, match="terminating connection"):
        store.append([make_record(n) for n in range(5)])
    postgresql.execute("DROP TRIGGER ends ON records", name)
    answers = store.append([make_record(n) for n in range(5)])

    assert all(isinstance(answer, Stored) for answer in answers)
    assert store.count(Filter()) == 5
    store.close()


def test_a_group_that_fails_leaves_the_next_one_nothing_to_stumble_over(
    postgresql: Server, postgresql_url: str
) -> None:
    """Undoing it, psycopg has the server forget every statement it was told."""
    name = postgresql_url.rpartition("/")[2]
    body = "BEGIN RAISE EXCEPTION $$no$$; END"
    with closing(open_store(postgresql_url)) as store:
        store.remember_notice(make_offer(), DOCUMENT, NOON)
        for n in range(8):
            store.append([make_record(n)])
            assert [found.decision_id for found in store.page(Filter(), limit=1)]
        postgresql.execute(
            f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS '{body}'", name
        )
        trigger = "CREATE TRIGGER no BEFORE INSERT ON records FOR EACH ROW EXECUTE FUNCTION fail()"
        postgresql.execute(trigger, name)
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="cannot be used: no"):
                store.append([make_record(8)])
        postgresql.execute("DROP TRIGGER no ON records", name)
        answers = store.append([make_record(n) for n in (8, 9, 0)])
        assert store.count(Filter()) == 10
    assert [type(answer) for answer in answers] == [Stored, Stored, Repeated]


def test_a_primary_that_became_read_only_is_left(postgresql: Server, postgresql_url: str) -> None:
    store = open_store(postgresql_url)
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    name = postgresql_url.rpartition("/")[2]
    postgresql.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    postgresql.end_sessions(name)

    with pytest.raises(StoreUnavailable, match="read-only"):
        store.append([make_record(1)])
    # A new connection would lead to the new primary; here it has become writable again.
    postgresql.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = off")
    [answer] = store.append([make_record(1)])

    assert isinstance(answer, Stored)
    store.close()


def test_of_two_transactions_that_wait_for_each_other_both_succeed(
    postgresql: Server, postgresql_url: str
) -> None:
    name = postgresql_url.rpartition("/")[2]
    postgresql.execute(f"ALTER DATABASE {name} SET deadlock_timeout = '10ms'")
    postgresql.execute("CREATE TABLE doors (id int PRIMARY KEY, opened int)", name)
    postgresql.execute("INSERT INTO doors VALUES (1, 0), (2, 0)", name)
    engine = open_engine(parse_url(postgresql_url))
    both_inside = threading.Barrier(2)
    attempts: list[int] = []

    def open_door(connection: Connection, door: int) -> None:
        statement = "UPDATE doors SET opened = opened + 1 WHERE id = %s"
        connection.exec_driver_sql(statement, (door,))

    @retried
    def pass_through(first: int) -> None:
        attempts.append(first)
        with writing(engine) as connection:
            open_door(connection, first)
            if len(attempts) <= 2:
                both_inside.wait()
            open_door(connection, 3 - first)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(pass_through, (1, 2)))

    with reading(engine) as connection:
        assert connection.exec_driver_sql("SELECT sum(opened) FROM doors").scalar() == 4
    assert len(attempts) == 3
    engine.dispose()


@contextmanager
def forgotten(postgresql_url: str, statement: str) -> Iterator[None]:
    """A session that somebody has begun by hand, and left."""
    with psycopg.connect(postgresql_url) as session:
        session.execute(statement)  # type: ignore[arg-type] # of the tests themselves
        yield
        session.rollback()


def test_a_forgotten_session_with_a_lock_on_every_chain_holds_up_nobody_for_long(
    postgresql_url: str,
) -> None:
    store = open_store(postgresql_url)
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    store.append([make_record(1)])

    with forgotten(postgresql_url, "SELECT number FROM chains FOR UPDATE"):
        begun = time.monotonic()
        answers = [store.append([make_record(n)])[0] for n in (2, 1)]
        waited = time.monotonic() - begun

    assert [type(answer) for answer in answers] == [Stored, Repeated]
    assert waited < ANSWER_SECONDS
    assert store.count(Filter()) == 2
    # The chain they left is as it was, and whole.
    assert sorted(chain.length for chain in store.evidence.chains()) == [1, 1]
    store.close()


def test_a_lock_that_nothing_leads_round_is_told_before_a_visitor_gives_up(
    postgresql_url: str,
) -> None:
    store = open_store(postgresql_url)
    store.remember_notice(make_offer(), DOCUMENT, NOON)

    with forgotten(postgresql_url, "LOCK TABLE decisions"):
        begun = time.monotonic()
        with pytest.raises(Contended, match="lock timeout"):
            store.append([make_record(1)])
        waited = time.monotonic() - begun

    assert waited < ANSWER_SECONDS
    assert isinstance(store.append([make_record(1)])[0], Stored)
    store.close()


def test_a_change_of_the_schema_waits_for_as_long_as_another_takes(postgresql_url: str) -> None:
    engine = open_engine(parse_url(postgresql_url))
    with writing(engine) as connection:
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "1200ms"
        lock_schema(connection)
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "0"
    with writing(engine) as connection:
        connection.exec_driver_sql("SET LOCAL lock_timeout = 200")
        lock_schema(connection)
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "200ms"
    engine.dispose()


def test_what_never_succeeds_is_given_up() -> None:
    attempts: list[int] = []

    @retried
    def fail() -> None:
        attempts.append(1)
        message = "in the way"
        raise Contended(message)

    with pytest.raises(Contended):
        fail()

    assert len(attempts) == 6


def test_several_nodes_may_migrate_at_once(postgresql: Server) -> None:
    with postgresql.database() as address, ThreadPoolExecutor(4) as pool:
        done = list(pool.map(migrate, [address] * 4))

    assert sorted(done) == [False, False, False, True]


def test_several_nodes_may_learn_the_same_names_and_decisions_at_once(postgresql_url: str) -> None:
    stores = [open_store(postgresql_url) for _ in range(4)]
    offers = [make_offer(f"site{number}") for number in range(5)]
    start = threading.Barrier(len(stores))

    def fill(node: int) -> list[Appended]:
        start.wait()
        # Each in another order, so that they meet halfway.
        for offer in offers[node:] + offers[:node]:
            stores[node].remember_notice(offer, DOCUMENT, NOON)
        start.wait()
        numbers = [*range(node * 10, 50), *range(node * 10)]
        return [stores[node].append([make_record(n, offers[n % 5])])[0] for n in numbers]

    with ThreadPoolExecutor(len(stores)) as pool:
        answers = [answer for answered in pool.map(fill, range(4)) for answer in answered]

    assert sum(isinstance(answer, Stored) for answer in answers) == 50
    assert sum(isinstance(answer, Repeated) for answer in answers) == 150
    assert stores[0].count(Filter()) == 50
    assert len(stores[0].offers()) == 5
    assert stores[3].record(decision_id(7)) is not None
    for store in stores:
        store.close()
