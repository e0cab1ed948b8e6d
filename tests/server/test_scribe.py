"""A process of its own appends to the log: what `test_writer` asks of a thread, asked of that."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from event_loop import in_loop
from log_samples import DOCUMENT, NOON, consent_id, decision_id, make_offer, make_record

from slagboom_server import parcel, scribe_writer
from slagboom_server.anonymise import Device
from slagboom_server.entry import Entry, as_entry
from slagboom_server.errors import LogCorrupt, QueueFull, StoreUnavailable
from slagboom_server.parcel import Packer, Unpacker, pack_answers, pack_failure, unpack_answers
from slagboom_server.rollup import Dimension, Shown
from slagboom_server.scribe import Scribe
from slagboom_server.scribe_writer import ScribeWriter
from slagboom_server.store import Conflict, Filter, Repeated, Stored
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slagboom_server.store import Appended
    from slagboom_server.store_sql import SqlStore

SHOWN = Shown("dsoft", NOON.date(), 1, "nl", ("statistics", "marketing"), None, Device.COMPUTER)


@pytest.fixture
def scribe(database_url: str) -> Iterator[Scribe]:
    with closing(Scribe(database_url)) as scribe:
        yield scribe


@pytest.fixture
def log(scribe: Scribe, store: SqlStore) -> SqlStore:
    """The log, opened behind the scribe: a fork would share what SQLite knows of an open file."""
    assert scribe
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    return store


@contextmanager
def locked(database_url: str) -> Iterator[None]:
    """A disk that takes nothing for as long as the block lasts."""
    file = database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def entry(number: int, **changes: Any) -> Entry:
    return as_entry(make_record(number, **changes))


async def begin(writer: ScribeWriter, *numbers: int) -> list[asyncio.Task[Appended]]:
    tasks = [asyncio.create_task(writer.submit(entry(number))) for number in numbers]
    await asyncio.sleep(0)
    return tasks


async def append_behind_lock(writer: ScribeWriter, database_url: str, seconds: float) -> Appended:
    """The answer to a decision, which must not come while another process holds the log so long."""
    with locked(database_url):
        [task] = await begin(writer, 1)
        done, _ = await asyncio.wait([task], timeout=seconds)
        assert not done
    return await task


def test_each_caller_gets_the_answer_to_its_own_decision(scribe: Scribe, log: SqlStore) -> None:
    async def run(writer: ScribeWriter) -> list[Appended]:
        one = await writer.submit(entry(1))
        again = await writer.submit(entry(1))
        forged = await writer.submit(entry(1, granted=set()))
        many = await asyncio.gather(*await begin(writer, *range(2, 52)))
        return [one, again, forged, *many]

    with ScribeWriter(scribe, log, 100) as writer:
        one, again, forged, *many = in_loop(run(writer))

    assert isinstance(one, Stored)
    assert again == Repeated(one.seq)
    assert forged == Conflict(decision_id(1))
    assert [answer.seq for answer in many if isinstance(answer, Stored)] == [*range(2, 52)]
    record = log.record(decision_id(7))
    assert record is not None
    assert record.consent_id == consent_id(7)
    assert log.count(Filter()) == 51


def test_an_answer_comes_only_after_the_commit(
    scribe: Scribe, log: SqlStore, database_url: str
) -> None:
    with ScribeWriter(scribe, log, 100) as writer:
        assert isinstance(in_loop(append_behind_lock(writer, database_url, 0.2)), Stored)


def test_a_full_queue_refuses_and_stores_the_rest(
    scribe: Scribe, log: SqlStore, database_url: str
) -> None:
    async def run(writer: ScribeWriter) -> None:
        with locked(database_url):
            waiting = await begin(writer, 1)
            await asyncio.sleep(0)
            waiting += await begin(writer, 2, 3)
            assert writer.waiting == 2
            with pytest.raises(QueueFull, match="2 decisions are waiting"):
                await writer.submit(entry(4))
        await asyncio.gather(*waiting)

    with ScribeWriter(scribe, log, 2) as writer:
        in_loop(run(writer))

    assert log.count(Filter()) == 3


def test_who_waits_too_long_is_told_and_stored_all_the_same(
    scribe: Scribe, log: SqlStore, database_url: str
) -> None:
    async def run(writer: ScribeWriter) -> None:
        with locked(database_url), pytest.raises(StoreUnavailable, match="not durable in time"):
            await writer.submit(entry(1), seconds=0.1)

    with ScribeWriter(scribe, log, 100) as writer:
        in_loop(run(writer))

    assert log.count(Filter()) == 1


def test_a_failing_log_fails_its_group_and_not_the_next(
    scribe: Scribe, log: SqlStore, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = Path(database_url.removeprefix("sqlite:///"))
    aside = file.with_name("aside.db")

    async def run(writer: ScribeWriter) -> None:
        assert isinstance(await writer.submit(entry(1)), Stored)
        file.rename(aside)  # noqa: ASYNC240 -- nobody else is on this loop
        answers = await asyncio.gather(*await begin(writer, 2, 3), return_exceptions=True)
        assert [type(answer) for answer in answers] == [StoreUnavailable] * 2
        aside.rename(file)
        # The scribe finds the file itself, whatever it had thought of it.
        assert isinstance(await writer.submit(entry(4)), Stored)

    with ScribeWriter(scribe, log, 100) as writer:
        in_loop(run(writer))

    assert "2 decisions were not stored" in caplog.text


def test_without_its_scribe_a_process_goes_on_by_itself(
    scribe: Scribe, log: SqlStore, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def run(writer: ScribeWriter) -> None:
        assert isinstance(await writer.submit(entry(1)), Stored)
        with locked(database_url):
            cut_off = await begin(writer, 2, 3)
            await asyncio.sleep(0)
            os.kill(scribe.process, signal.SIGKILL)
            with pytest.raises(StoreUnavailable, match="send it again"):
                await cut_off[0]
        answers = [await writer.submit(entry(number)) for number in (2, 3, 4, 1)]
        assert [type(answer) for answer in answers] == [Stored, Stored, Stored, Repeated]
        await asyncio.gather(*cut_off, return_exceptions=True)

    with ScribeWriter(scribe, log, 100) as writer:
        in_loop(run(writer))

    assert "goes on by itself" in caplog.text
    assert log.count(Filter()) == 4


def test_a_scribe_that_somebody_stopped_is_ended_and_nothing_is_lost_or_stored_twice(
    scribe: Scribe, log: SqlStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(scribe_writer, "_STOPPED_SECONDS", 0.5)

    async def run(writer: ScribeWriter) -> None:
        acknowledged = await writer.submit(entry(1))
        os.kill(scribe.process, signal.SIGSTOP)
        cut_off = await begin(writer, 2, 3)
        await asyncio.sleep(0)
        assert writer.waited_seconds > 0
        with pytest.raises(StoreUnavailable, match="send it again"):
            await cut_off[0]
        assert writer.waited_seconds == 0
        answers = [await writer.submit(entry(number)) for number in (1, 2, 3)]
        assert answers[0] == Repeated(acknowledged.seq)  # type: ignore[union-attr] # it was stored
        # What it had been given it may have stored all the same.
        assert all(isinstance(answer, (Stored, Repeated)) for answer in answers)
        await asyncio.gather(*cut_off, return_exceptions=True)

    with ScribeWriter(scribe, log, 100) as writer:
        in_loop(run(writer))

    assert log.count(Filter()) == 3
    assert caplog.text.count("has said nothing for") == 1
    assert caplog.text.count("goes on by itself") == 1


def test_a_scribe_that_waits_for_a_slow_disk_is_left_alone(
    scribe: Scribe,
    log: SqlStore,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(scribe_writer, "_STOPPED_SECONDS", 0.0)

    with ScribeWriter(scribe, log, 100) as writer:
        # A second is several looks for who has waited too long.
        assert isinstance(in_loop(append_behind_lock(writer, database_url, 1)), Stored)

    assert "said nothing" not in caplog.text


def test_a_scribe_that_is_silent_for_very_long_is_ended_whatever_it_does(
    scribe: Scribe,
    log: SqlStore,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for limit in ("_STOPPED_SECONDS", "_SILENT_SECONDS"):
        monkeypatch.setattr(scribe_writer, limit, 0.1)

    async def run(writer: ScribeWriter) -> Appended:
        with locked(database_url):
            [task] = await begin(writer, 1)
            with pytest.raises(StoreUnavailable, match="send it again"):
                await task
        return await writer.submit(entry(1))

    with ScribeWriter(scribe, log, 100) as writer:
        assert isinstance(in_loop(run(writer)), Stored)

    assert caplog.text.count("has said nothing for") == 1
    assert log.count(Filter()) == 1


def test_a_stop_does_not_wait_for_a_scribe_that_somebody_stopped(database_url: str) -> None:
    scribe = Scribe(database_url)
    os.kill(scribe.process, signal.SIGSTOP)

    scribe.close()

    with pytest.raises(ProcessLookupError):
        os.kill(scribe.process, 0)


def test_closing_stores_what_waits_and_takes_no_more(scribe: Scribe, log: SqlStore) -> None:
    async def leave(writer: ScribeWriter) -> None:
        for task in await begin(writer, *range(1, 11)):
            task.cancel()
        writer.count_shown(SHOWN, NOON)

    async def come_late(writer: ScribeWriter) -> None:
        with pytest.raises(StoreUnavailable, match="stopping"):
            await writer.submit(entry(11))

    writer = ScribeWriter(scribe, log, 100)
    in_loop(leave(writer))
    writer.close()
    in_loop(come_late(writer))

    assert log.count(Filter()) == 10
    [counts] = log.rollups.read([Dimension.SITE])
    assert (counts.shown, counts.decisions) == (1, 10)


def test_closing_does_not_wait_for_a_disk_that_hangs(
    scribe: Scribe,
    log: SqlStore,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(scribe_writer, "ANSWER_SECONDS", 0.2)

    async def leave(writer: ScribeWriter) -> None:
        for task in await begin(writer, 1, 2):
            task.cancel()

    with locked(database_url):
        writer = ScribeWriter(scribe, log, 100)
        in_loop(leave(writer))
        writer.close()

    assert "2 decisions could not be stored in time" in caplog.text


def test_first_layers_are_counted_without_a_decision_to_go_with(
    scribe: Scribe, log: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scribe_writer, "SHOWN_SECONDS", 0.01)
    groups: list[int] = []

    async def run(writer: ScribeWriter) -> None:
        writer.count_shown(SHOWN, NOON)
        # Given before the decision, which therefore goes with the next group.
        await asyncio.sleep(0.02)
        await writer.submit(entry(1))

    with ScribeWriter(scribe, log, 100, lambda size, _: groups.append(size)) as writer:
        in_loop(run(writer))

    [counts] = log.rollups.read([Dimension.SITE])
    assert (counts.shown, counts.decisions) == (1, 1)
    assert groups == [1], "a group without decisions is none"


def test_a_scribe_obeys_its_process_and_no_signal(database_url: str) -> None:
    scribe = Scribe(database_url)
    with closing(open_store(database_url)) as store:
        store.remember_notice(make_offer(), DOCUMENT, NOON)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(scribe.process, number)
    scribe.send([entry(1)], None)
    [answer] = scribe.receive()
    os.kill(scribe.process, 0)
    scribe.close()

    assert isinstance(answer, Stored)
    with pytest.raises(ProcessLookupError):
        os.kill(scribe.process, 0)


def test_both_sides_know_a_kind_by_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcel, "_MOST_KINDS", 2)
    packer, unpacker = Packer(), Unpacker()
    entries = [entry(number) for number in range(6)]
    for number, each in enumerate(entries):
        new = [each, each._replace(decision_id=bytes(16)), entries[0]]
        first, second, old = unpacker.unpack(packer.pack(new, None))[0]

        assert first.kind is second.kind
        assert (first.kind is old.kind) is (number == 0)
        assert first[1:] == each[1:]
        assert str(first.kind) == str(each.kind)
        assert str(old.kind) == str(entries[0].kind)


def test_answers_and_failures_come_through_as_they_are() -> None:
    answers = [Stored(7), Repeated(3), Conflict(decision_id(1))]

    assert unpack_answers(pack_answers(answers)) == answers
    with pytest.raises(LogCorrupt, match="a page"):
        unpack_answers(pack_failure(LogCorrupt("a page")))


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one processor")
def test_beside_a_database_server_the_scribe_leaves_a_processor_to_the_loop(
    postgresql_url: str,
) -> None:
    open_store(postgresql_url).close()
    here = os.sched_getaffinity(0)
    with closing(Scribe(postgresql_url)) as scribe:
        scribe.send([], None)
        assert scribe.receive() == []
        assert os.sched_getaffinity(scribe.process) == here - {min(here)}
    assert os.sched_getaffinity(0) == here


def test_with_a_file_the_scribe_keeps_every_processor(scribe: Scribe, log: SqlStore) -> None:
    assert log
    scribe.send([], None)
    assert scribe.receive() == []
    assert os.sched_getaffinity(scribe.process) == os.sched_getaffinity(0)
