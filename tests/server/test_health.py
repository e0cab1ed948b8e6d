"""What is ready says so, what is not is named, and asking costs nobody anything."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from event_loop import in_loop
from kit_samples import NOON
from log_samples import DOCUMENT, make_offer, make_record
from sqlalchemy.exc import DBAPIError

from slagboom_server import health
from slagboom_server.checkpointer import Checkpointer
from slagboom_server.errors import StoreUnavailable
from slagboom_server.health import Health, check_disk, check_log, watch_kit

if TYPE_CHECKING:
    from pathlib import Path

    from slagboom_server.kit import Kit
    from slagboom_server.store_sql import SqlStore


def ask(checked: Health) -> tuple[int, dict[str, Any]]:
    """The answer to `GET /health/ready`, which nothing of the request can change."""

    async def answer() -> Any:
        return await checked.tell_ready(None)  # type: ignore[arg-type] # it is not read

    answered = in_loop(answer())
    return answered.status_code, json.loads(answered.body)


def test_a_kit_that_can_work_is_ready(kit: Kit, database_url: str, tmp_path: Path) -> None:
    store: SqlStore = kit.store  # type: ignore[assignment] # what the fixture made
    with Checkpointer(store.evidence, tmp_path / "keys", lambda: NOON) as checkpointer:
        status, told = ask(watch_kit(kit, checkpointer, database_url))

    assert status == 200
    assert told == {
        "status": "ready",
        "checks": ["policies", "log", "writer", "checkpoints", "disk"],
    }


def test_a_kit_without_policies_and_without_a_log_names_both(
    kit: Kit, database_url: str, tmp_path: Path
) -> None:
    kit.sites = {}
    file = tmp_path / "slagboom.db"
    file.rename(tmp_path / "away.db")
    store: SqlStore = kit.store  # type: ignore[assignment] # what the fixture made
    with Checkpointer(store.evidence, tmp_path / "keys", lambda: NOON) as checkpointer:
        status, told = ask(watch_kit(kit, checkpointer, database_url))

    assert status == 503
    assert told["status"] == 503
    assert told["not_ready"].keys() == {"policies", "log"}
    assert "policies: none is loaded" in told["detail"]
    # Anybody may ask.
    assert str(tmp_path) not in json.dumps(told)


def test_a_part_that_does_not_answer_is_not_ready_and_not_asked_again() -> None:
    stalled, calls = threading.Event(), []

    def stall() -> None:
        calls.append(1)
        stalled.wait(60)

    async def look_twice() -> list[dict[str, str]]:
        checked = Health({"log": stall, "disk": lambda: None}, moment_seconds=0.05)
        told = [await checked.look(), await checked.look()]
        stalled.set()
        return told

    told = in_loop(look_twice())

    assert told == [{"log": "no answer within 0.05 seconds"}] * 2
    assert len(calls) == 1


def test_a_hundred_questions_at_once_are_one_to_the_database(store: SqlStore) -> None:
    probes = []

    def probe() -> None:
        probes.append(1)
        store.probe()

    async def ask_often() -> list[dict[str, str]]:
        checked = Health({"log": probe})
        return await asyncio.gather(*(checked.look() for _ in range(100)))

    assert in_loop(ask_often()) == [{}] * 100
    assert len(probes) == 1


def test_the_probe_changes_nothing(store: SqlStore) -> None:
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    store.append([make_record(1)])
    before = store.evidence.chains()

    assert check_log(store) is None
    assert store.evidence.chains() == before
    store.append([make_record(2)])


def test_the_size_grows_with_what_is_stored(store: SqlStore) -> None:
    before = store.size_bytes()
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    for first in range(0, 2000, 500):
        store.append([make_record(first + number) for number in range(500)])

    assert store.size_bytes() - before > 2000 * 200


def test_a_log_that_takes_a_commit_but_no_decision_is_not_ready(
    kit: Kit, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LONGEST_WAIT_SECONDS", 0.0)
    store: SqlStore = kit.store  # type: ignore[assignment] # what the fixture made
    record = make_record(1)
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    entered, leave = threading.Event(), threading.Event()
    append = store.append

    def wait(*arguments: Any) -> Any:
        entered.set()
        assert leave.wait(60)
        return append(*arguments)

    monkeypatch.setattr(store, "append", wait)

    async def submit(checked: Health) -> dict[str, str]:
        waiting = asyncio.create_task(kit.writer.submit(record))  # type: ignore[arg-type] # a Writer's
        assert await asyncio.to_thread(entered.wait, 60)
        told = await checked.look()
        leave.set()
        await waiting
        return told

    with Checkpointer(store.evidence, tmp_path / "keys", lambda: NOON) as checkpointer:
        during = in_loop(submit(watch_kit(kit, checkpointer, database_url)))
        after = in_loop(watch_kit(kit, checkpointer, database_url).look())

    assert during.keys() == {"writer"}
    assert during["writer"].startswith("a decision has waited for 0 seconds")
    assert after == {}


def test_little_room_is_said_before_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_disk(tmp_path) is None
    monkeypatch.setattr(health, "LEAST_FREE_BYTES", 2**60)

    told = check_disk(tmp_path)

    assert told is not None
    assert told.startswith("nearly full, ")
    assert check_disk(tmp_path / "nowhere") == "cannot be read"


def test_checkpoints_that_never_succeed_are_trouble_and_one_failure_is_none(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    store.append([make_record(1)])
    keys = tmp_path / "keys"
    failed = Checkpointer(store.evidence, keys, lambda: NOON, interval_seconds=0.01)
    patient = Checkpointer(store.evidence, keys, lambda: NOON, interval_seconds=60)

    def fail() -> None:
        message = "the log cannot be read"
        raise StoreUnavailable(message)

    with failed, patient:
        monkeypatch.setattr(store.evidence, "chains", fail)
        patient._make(0)
        assert patient.trouble() is None
        pause = threading.Event()
        for _ in range(6000):
            if failed.trouble() is not None:
                break
            pause.wait(0.01)
        trouble = failed.trouble()
    ended = failed.trouble()

    assert trouble is not None
    assert trouble.startswith("none could be made for ")
    assert ended == "their thread has ended"


def test_no_error_shows_the_values_of_a_statement(store: SqlStore) -> None:
    """They are a visitor's, and errors end in logs."""
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    store.append([make_record(1)])
    with store._writing() as connection:  # noqa: SLF001 -- the only way in
        connection.exec_driver_sql("ALTER TABLE records RENAME COLUMN ip TO gone")

    record = make_record(2)
    with pytest.raises(StoreUnavailable) as failed:
        store.append([record])

    cause = failed.value.__cause__
    assert isinstance(cause, DBAPIError)
    assert cause.params is None or cause.hide_parameters
    for told in (str(failed.value), str(cause)):
        assert "no column named ip" in told
        for value in (record.consent_id, record.decision_id, record.ip):
            assert str(value) not in told
