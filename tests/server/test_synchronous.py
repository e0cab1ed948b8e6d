"""A synchronous standby that is gone: nothing is acknowledged that only one machine has."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest
from kit_samples import ORIGIN, dump, make_body, make_kit
from log_samples import DOCUMENT, NOON, decision_id, make_offer, make_record
from starlette.testclient import TestClient

from slagboom_server.app import build_app
from slagboom_server.errors import StoreUnavailable
from slagboom_server.migration import migrate
from slagboom_server.store import Repeated, Stored
from slagboom_server.store_sql import open_store
from slagboom_server.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postgresql_server import Server

    from slagboom_server.store_sql import SqlStore

WAIT_FOR_WAITING = """
    SET statement_timeout = '30s';
    DO $$ BEGIN
        WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep') LOOP
            PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
        END LOOP;
    END $$
"""
CANCEL = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
TERMINATE = CANCEL.replace("cancel", "terminate")
COMMIT_FOR_EVER = """
    DO $$ BEGIN
        LOOP
            PERFORM pg_current_xact_id();
            COMMIT;
        END LOOP;
    END $$
"""


def want_standby(server: Server) -> None:
    """From now on commits wait for a standby that never comes."""
    server.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    server.execute("SELECT pg_reload_conf()")

    def commit_until_one_waits() -> None:
        with pytest.raises(psycopg.OperationalError):
            server.execute(COMMIT_FOR_EVER)

    with ThreadPoolExecutor() as pool:
        committing = pool.submit(commit_until_one_waits)
        server.execute(WAIT_FOR_WAITING)
        server.execute(TERMINATE)
        committing.result()


def want_none(server: Server) -> None:
    server.execute("ALTER SYSTEM RESET synchronous_standby_names")
    server.execute("SELECT pg_reload_conf()")


@pytest.fixture
def store(own_postgresql: Server) -> Iterator[SqlStore]:
    migrate(own_postgresql.url())
    opened = open_store(own_postgresql.url())
    opened.remember_notice(make_offer(), DOCUMENT, NOON)
    assert opened.append([make_record(1)]) == [Stored(1)]
    yield opened
    want_none(own_postgresql)
    opened.close()


def test_a_commit_that_stopped_waiting_is_not_acknowledged_and_neither_is_its_repeat(
    own_postgresql: Server, store: SqlStore
) -> None:
    want_standby(own_postgresql)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(store.append, [make_record(2)])
        own_postgresql.execute(WAIT_FOR_WAITING)
        own_postgresql.execute(CANCEL)
        with pytest.raises(StoreUnavailable, match="canceling wait for synchronous replication"):
            first.result()
        # PostgreSQL has it, on this machine alone.
        assert store.record(decision_id(2)) is not None

        again = pool.submit(store.append, [make_record(2)])
        own_postgresql.execute(WAIT_FOR_WAITING)
        assert not again.done()
        want_none(own_postgresql)
        assert again.result() == [Repeated(2)]


def test_a_visitor_is_asked_to_come_again_and_the_decision_is_stored_all_the_same(
    own_postgresql: Server, store: SqlStore, policies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slagboom_server.decisions.ANSWER_SECONDS", 0.2)
    with Writer(store) as writer:
        kit = make_kit(policies, store, writer)
        client = TestClient(build_app(kit), headers={"Origin": ORIGIN})
        body = dump(make_body(kit))
        want_standby(own_postgresql)

        refused = client.post("/s/acme/decisions", content=body)

        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "30"
        own_postgresql.execute(WAIT_FOR_WAITING)
        want_none(own_postgresql)
        monkeypatch.undo()
        assert client.post("/s/acme/decisions", content=body).status_code == 200
