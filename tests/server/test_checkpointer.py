from __future__ import annotations

import asyncio
import datetime as dt
import json
import stat
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from event_loop import in_loop
from evidence_samples import Log, open_log, published
from kit_samples import copy_policies
from log_samples import DOCUMENT, NOON, make_record
from server_process import make_body, run, serving
from timestamp_authority import running

from slagboom_server import checkpointer
from slagboom_server.checkpoint import read_checkpoint
from slagboom_server.checkpointer import INTERVAL_SECONDS, Checkpointer
from slagboom_server.entry import as_entry
from slagboom_server.evidence_sql import SqlEvidence
from slagboom_server.geo import NoCountry
from slagboom_server.serving import _open_kit
from slagboom_server.settings import Settings
from slagboom_server.store_sql import open_store
from slagboom_server.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from slagboom_server.store_sql import SqlStore

SECONDS = 60


class Clock:
    """An hour later at each look, so that every checkpoint is due; tells when it was looked at."""

    def __init__(self) -> None:
        self.looks = 0
        self.was_read = threading.Condition()

    def __call__(self) -> dt.datetime:
        with self.was_read:
            self.looks += 1
            self.was_read.notify_all()
            return NOON + dt.timedelta(hours=self.looks)

    def wait_for(self, looks: int) -> None:
        with self.was_read:
            assert self.was_read.wait_for(lambda: self.looks >= looks, SECONDS)

    def wait_for_work(self) -> None:
        """Returns once everything that is there by now has been dealt with.

        The look under way may have been before it; the one after the next is after its work.
        """
        self.wait_for(self.looks + 3)


@pytest.fixture
def log(database_url: str, tmp_path: Path) -> Iterator[Log]:
    opened = open_log(database_url, tmp_path / "keys")
    yield opened
    opened.store.close()


def last_number(store: SqlStore) -> int:
    stored = store.evidence.last_checkpoint()
    assert stored is not None
    return stored.number


def test_a_checkpoint_is_made_at_each_interval_with_news(log: Log) -> None:
    clock = Clock()
    with Checkpointer(log.store.evidence, log.folder, clock, interval_seconds=0.01):
        clock.wait_for(4)

    assert last_number(log.store) == 4


def test_the_key_is_made_at_the_start_before_there_is_anything_to_sign(
    database_url: str, tmp_path: Path
) -> None:
    store, folder = open_store(database_url), tmp_path / "keys"
    assert run("key", "list", "--database", database_url, "--keys", folder).stdout == ""

    with Checkpointer(store.evidence, folder, lambda: NOON):
        listed = run("key", "list", "--database", database_url, "--keys", folder).stdout

    assert listed.endswith("  signs now\n")
    assert store.evidence.last_checkpoint() is None
    assert sorted(file.suffix for file in folder.iterdir()) == [".key", ".pub"]
    store.close()


def test_the_last_checkpoint_covers_the_last_decision(database_url: str, tmp_path: Path) -> None:
    with closing(open_store(database_url)) as store:
        store.remember_notice(published(), DOCUMENT, NOON)
        with Checkpointer(store.evidence, tmp_path, lambda: NOON), Writer(store):
            store.append([make_record(1, published())])
        stored = store.evidence.last_checkpoint()

    assert stored is not None
    assert [head.length for head in read_checkpoint(stored.text).heads] == [1]


def test_what_a_server_stores_calls_for_a_checkpoint_before_the_minute_is_over(
    policies: Path, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpointer, "LOOK_RECORDS", 1)
    monkeypatch.setattr(checkpointer, "MANY_RECORDS", 3)
    was_made = threading.Event()
    add = SqlEvidence.add_checkpoint

    def tell(*arguments: Any) -> bool:
        is_new = add(*arguments)
        was_made.set()
        return is_new

    monkeypatch.setattr(SqlEvidence, "add_checkpoint", tell)
    settings = Settings(policies, database_url, "127.0.0.1", 0, keys=tmp_path / "keys")
    with _open_kit(settings, NoCountry(), None) as served:
        served.kit.store.remember_notice(published(), DOCUMENT, NOON)

        async def decide(number: int) -> None:
            await served.kit.writer.submit(as_entry(make_record(number, published())))

        async def decide_all() -> None:
            await decide(1)
            await decide(2)
            assert not was_made.is_set()
            await decide(3)
            assert await asyncio.to_thread(was_made.wait, INTERVAL_SECONDS / 2)

        in_loop(decide_all())


def test_an_authority_is_asked_at_most_once_an_hour(log: Log, tmp_path: Path) -> None:
    (tmp_path / "authority").mkdir()
    clock = Clock()
    with running(tmp_path / "authority") as authority:
        evidence = log.store.evidence
        with Checkpointer(evidence, log.folder, clock, authority.url, interval_seconds=0.01):
            clock.wait_for(3)
            log.append(40, 41)
            clock.wait_for_work()

    # The authority's own clock stands at today, a few hours from the one here.
    assert authority.requests == 1
    assert [stamp.checkpoint for stamp in evidence.timestamps()] == [4]
    assert last_number(log.store) == 5


def test_a_slow_authority_delays_neither_the_next_checkpoint_nor_the_stop(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpointer, "_STOP_SECONDS", 0.1)
    (tmp_path / "authority").mkdir()
    clock, evidence = Clock(), log.store.evidence
    with running(tmp_path / "authority") as authority:
        authority.drips = threading.Event()
        with Checkpointer(evidence, log.folder, clock, authority.url, interval_seconds=0.01):
            clock.wait_for(3)
            log.append(40, 41)
            clock.wait_for_work()
            during = last_number(log.store)
            log.append(42, 43)
        after = last_number(log.store)
        authority.drips.set()

    assert (during, after) == (5, 6)
    assert list(evidence.timestamps()) == []


def test_a_process_that_cannot_sign_says_so_at_once_until_it_can(log: Log) -> None:
    aside = {file: file.read_bytes() for file in log.folder.glob("*.key")}
    for file in aside:
        file.unlink()
    clock = Clock()
    with Checkpointer(log.store.evidence, log.folder, clock, interval_seconds=0.01) as made:
        without = made.trouble()
        for file, content in aside.items():
            file.write_bytes(content)
            file.chmod(0o600)
        clock.wait_for_work()
        back = made.trouble()

    assert without == "the key that signs them is not in the folder of keys"
    assert back is None


def test_an_authority_that_fails_is_logged_and_asked_again(
    log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    url = "http://127.0.0.1:1/"
    with Checkpointer(log.store.evidence, log.folder, clock, url, interval_seconds=0.01):
        # A newer checkpoint would be stamped in its place.
        while not caplog.records:
            clock.wait_for_work()
            assert clock.looks < 10_000
        log.append(40, 41)
        clock.wait_for_work()

    failed = [record.getMessage() for record in caplog.records]
    assert [line[:29] for line in failed] == [
        "checkpoint 4 has no time-stam",
        "checkpoint 5 has no time-stam",
    ]
    assert last_number(log.store) == 5


def test_a_checkpoint_that_fails_stops_nothing(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    for file in log.folder.glob("*.key"):
        file.unlink()
    clock = Clock()
    with Checkpointer(log.store.evidence, log.folder, clock, interval_seconds=0.01):
        clock.wait_for(3)
        log.append(40, 41)

    assert last_number(log.store) == 3
    assert "is not in the folder of keys" in caplog.records[0].getMessage()


def test_several_processes_make_one_line_of_checkpoints(log: Log) -> None:
    other = open_store(log.url)
    clock = Clock()
    with (
        Checkpointer(log.store.evidence, log.folder, clock, interval_seconds=0.001),
        Checkpointer(other.evidence, log.folder, clock, interval_seconds=0.001),
    ):
        for number in range(40, 60):
            log.append(number, number)
            clock.wait_for(2 * (number - 38))
    other.close()

    verdict = log.verify(*log.copies())
    assert verdict.is_good, (verdict.problems, verdict.checkpoints.problems)
    assert verdict.checkpoints.count > 3


def test_a_server_that_stops_leaves_a_signed_log_and_its_key_beside_it(tmp_path: Path) -> None:
    with serving(copy_policies(tmp_path), tmp_path) as server:
        body = json.dumps(make_body(server, 1)).encode()
        assert server.open("/s/acme/decisions", body)[0] == 201
        assert server.stop() == 0
    printed = run("log", "checkpoint", "print", "--database", server.database)
    verified = run("log", "verify", "--database", server.database)

    assert "1 decision in 1 chain stood in the log then." in printed.stdout
    assert verified.returncode == 0, verified.stdout
    assert "0 records came after it" in verified.stdout
    key = tmp_path / "slagboom-keys" / "checkpoint.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
