from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from event_loop import in_loop
from log_samples import DOCUMENT, NOON, decision_id, make_offer, make_record

from slagboom_server.errors import QueueFull, StoreUnavailable
from slagboom_server.store import Conflict, Filter, Repeated, Stored
from slagboom_server.store_sql import SqlStore, open_store
from slagboom_server.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slagboom_server.record import ConsentRecord
    from slagboom_server.rollup import ShownCounts
    from slagboom_server.store import Appended


class GatedStore:
    """A store that commits only while its gate is open, and keeps the size of each group."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.groups: list[int] = []
        self.failure: Exception | None = None

    def append(
        self, new: Sequence[ConsentRecord], shown: ShownCounts | None = None
    ) -> Sequence[Appended]:
        self.groups.append(len(new))
        self.entered.set()
        assert self.gate.wait(60)
        if self.failure is not None:
            raise self.failure
        return self._store.append(new, shown)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@pytest.fixture
def gated(store: SqlStore) -> GatedStore:
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    return GatedStore(store)


async def begin(writer: Writer, *numbers: int) -> list[asyncio.Task[Appended]]:
    tasks = [asyncio.create_task(writer.submit(make_record(n))) for n in numbers]
    await asyncio.sleep(0)
    return tasks


def test_an_answer_comes_only_after_the_commit(gated: GatedStore) -> None:
    async def run() -> None:
        with Writer(gated) as writer:
            [task] = await begin(writer, 1)
            assert await asyncio.to_thread(gated.entered.wait, 60)
            assert not task.done()
            assert gated.record(decision_id(1)) is None

            gated.gate.set()

            answer = await task
            stored = gated.record(decision_id(1))
            assert stored is not None
            assert answer == Stored(stored.seq)

    in_loop(run())


def test_what_gathers_during_a_commit_becomes_one_group(gated: GatedStore) -> None:
    async def run() -> None:
        with Writer(gated) as writer:
            first = await begin(writer, 1)
            assert await asyncio.to_thread(gated.entered.wait, 60)
            rest = await begin(writer, *range(2, 52))
            gated.gate.set()
            await asyncio.gather(*first, *rest)

    in_loop(run())

    assert gated.groups == [1, 50]
    assert gated.count(Filter()) == 51


def test_each_caller_gets_the_answer_to_its_own_record(gated: GatedStore) -> None:
    async def run() -> list[Appended]:
        with Writer(gated) as writer:
            gated.gate.set()
            one = await writer.submit(make_record(1))
            again = await writer.submit(make_record(1))
            forged = await writer.submit(make_record(1, granted=set()))
            return [one, again, forged]

    one, again, forged = in_loop(run())

    assert isinstance(one, Stored)
    assert again == Repeated(one.seq)
    assert forged == Conflict(decision_id(1))


def test_a_full_queue_refuses_and_stores_the_rest(gated: GatedStore) -> None:
    async def run() -> None:
        with Writer(gated, max_waiting=2) as writer:
            first = await begin(writer, 1)
            assert await asyncio.to_thread(gated.entered.wait, 60)
            waiting = await begin(writer, 2, 3)

            with pytest.raises(QueueFull, match="2 decisions are waiting"):
                await writer.submit(make_record(4))

            gated.gate.set()
            await asyncio.gather(*first, *waiting)

    in_loop(run())

    assert gated.count(Filter()) == 3
    assert gated.record(decision_id(4)) is None


@pytest.mark.parametrize("failure", [StoreUnavailable("disk full"), ZeroDivisionError("a defect")])
def test_a_failing_store_fails_its_group_and_not_the_next(
    gated: GatedStore, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        with Writer(gated) as writer:
            gated.gate.set()
            gated.failure = failure
            failed = await asyncio.gather(*await begin(writer, 1, 2), return_exceptions=True)
            assert [type(answer) for answer in failed] == [StoreUnavailable, StoreUnavailable]

            gated.failure = None
            assert isinstance(await writer.submit(make_record(1)), Stored)

    in_loop(run())

    assert "were not stored" in caplog.text
    assert gated.record(decision_id(2)) is None


def test_closing_stores_what_waits_and_takes_no_more(gated: GatedStore) -> None:
    async def run() -> None:
        writer = Writer(gated)
        tasks = await begin(writer, *range(1, 11))
        gated.gate.set()

        await asyncio.to_thread(writer.close)

        assert all(isinstance(answer, Stored) for answer in await asyncio.gather(*tasks))
        with pytest.raises(StoreUnavailable, match="stopping"):
            await writer.submit(make_record(11))
        writer.close()

    in_loop(run())

    assert gated.count(Filter()) == 10


def test_a_caller_that_leaves_takes_nobody_along(gated: GatedStore) -> None:
    async def run() -> None:
        with Writer(gated) as writer:
            leaving, staying = await begin(writer, 1, 2)
            leaving.cancel()
            gated.gate.set()
            assert isinstance(await staying, Stored)

    in_loop(run())

    assert gated.count(Filter()) == 2


def test_a_loop_that_ended_does_not_end_the_writer(gated: GatedStore) -> None:
    async def leave(writer: Writer) -> None:
        [task] = await begin(writer, 1)
        task.cancel()

    async def stay(writer: Writer) -> Appended:
        return await writer.submit(make_record(2))

    with Writer(gated) as writer:
        in_loop(leave(writer))
        gated.gate.set()

        assert isinstance(in_loop(stay(writer)), Stored)

    assert gated.count(Filter()) == 2


def back_up(database_url: str, copy: Path) -> None:
    """A whole copy of a log, as SQLite's own backup makes it."""
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as log:
        log.execute("VACUUM INTO ?", (str(copy),))


def read_numbers(database_url: str) -> list[int]:
    """The decisions that another process finds, whose sites must all be the right one."""
    with closing(open_store(database_url)) as reopened:
        records = reopened.page(Filter(), limit=100)
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as log:
        assert log.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert {record.site for record in records} <= {"dsoft"}
    return sorted(record.decision_id.int & 0xFFFF for record in records)


def test_nothing_is_acknowledged_into_a_file_that_was_removed(
    store: SqlStore, database_url: str, tmp_path: Path
) -> None:
    file, copy = Path(database_url.removeprefix("sqlite:///")), tmp_path / "backup.db"
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    with Writer(store) as writer:
        assert isinstance(in_loop(writer.submit(make_record(1))), Stored)
        back_up(database_url, copy)
        file.unlink()

        with pytest.raises(StoreUnavailable, match="was removed or replaced"):
            in_loop(writer.submit(make_record(2)))
        with pytest.raises(StoreUnavailable, match="unable to open"):
            in_loop(writer.submit(make_record(3)))
        # An empty file in its place would look like a log without decisions.
        assert not file.exists()

        copy.rename(file)
        assert isinstance(in_loop(writer.submit(make_record(4))), Stored)

    assert read_numbers(database_url) == [1, 4]


def test_a_file_that_was_replaced_is_used_with_its_own_numbers(
    store: SqlStore, database_url: str, migrated_file: Path, tmp_path: Path
) -> None:
    file = Path(database_url.removeprefix("sqlite:///"))
    aside, other = tmp_path / "aside.db", tmp_path / "other.db"
    shutil.copy(migrated_file, other)
    with closing(open_store(f"sqlite:///{other}")) as second:
        # The site that the first log counts as 1 is 2 here.
        for offer in (make_offer("kresoft"), make_offer()):
            second.remember_notice(offer, DOCUMENT, NOON)
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    with Writer(store) as writer:
        assert isinstance(in_loop(writer.submit(make_record(1))), Stored)
        file.rename(aside)
        other.rename(file)

        with pytest.raises(StoreUnavailable, match="was removed or replaced"):
            in_loop(writer.submit(make_record(2)))
        assert isinstance(in_loop(writer.submit(make_record(3))), Stored)

    assert read_numbers(database_url) == [3]
    # The one put aside is whole without the journal that stayed behind.
    assert 1 in read_numbers(f"sqlite:///{aside}")


def test_a_reader_finds_the_file_that_took_the_place(
    store: SqlStore, database_url: str, tmp_path: Path
) -> None:
    file, copy = Path(database_url.removeprefix("sqlite:///")), tmp_path / "backup.db"
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    back_up(database_url, copy)
    store.append([make_record(1)])
    copy.replace(file)

    with pytest.raises(StoreUnavailable, match="was removed or replaced"):
        store.record(decision_id(1))

    assert store.record(decision_id(1)) is None
    assert [offer.site for offer in store.offers()] == ["dsoft"]


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(
    store: SqlStore, database_url: str
) -> None:
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    script = Path(__file__).with_name("kill_writer.py")
    with subprocess.Popen(
        [sys.executable, str(script), database_url], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline() for _ in range(200)]
        process.kill()
        acknowledged += process.stdout.read().splitlines()

    numbers = {int(line) for line in acknowledged if line.strip()}
    reopened = open_store(database_url)
    lost = [number for number in numbers if reopened.record(decision_id(number)) is None]
    reopened.close()
    assert len(numbers) >= 200
    assert not lost
