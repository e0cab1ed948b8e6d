"""The real server when things break: a clear state, nothing acknowledged lost, back by itself.

Beside these: a killed worker and PostgreSQL gone (test_workers), a killed process and a replaced
file (test_writer), a primary that became read-only (test_postgresql), clocks (test_clock).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sqlite3
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from event_loop import in_loop
from kit_samples import ORIGIN
from ports import find_port
from server_process import (
    SECONDS,
    Server,
    Visitors,
    make_body,
    run,
    serving,
)

from slagboom_server.migration import migrate
from slagboom_server.settings import MAX_WAITING_DECISIONS
from slagboom_server.signing import SigningKeys
from slagboom_server.store import Filter
from slagboom_server.store_sql import open_store
from slagboom_server.verify import Verification

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MEBI = 2**20


@contextlib.contextmanager
def locked(database: Path) -> Iterator[None]:
    """A disk that takes nothing: whoever commits waits for as long as the block lasts."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def get_ready(server: Server) -> tuple[int, dict[str, Any]]:
    status, body = server.open("/health/ready")
    return status, json.loads(body)


def wait_for_health(server: Server, status: int) -> dict[str, Any]:
    """What it says once it answers with this status; asked as a balancer does, once in a while."""
    pause = threading.Event()
    for _ in range(SECONDS * 4):
        answered, told = get_ready(server)
        if answered == status:
            return told
        pause.wait(0.25)
    pytest.fail(f"never {status}: {server.said}")


def post(server: Server, number: int) -> int:
    body = json.dumps(make_body(server, number)).encode()
    return server.open("/s/acme/decisions", body)[0]


def read_memory(process: int) -> int:
    """What a process holds in memory, in bytes."""
    status = Path(f"/proc/{process}/status").read_text("ascii")
    match = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert match is not None
    return int(match[1]) * 1024


def receipts(answers: Sequence[tuple[int, str]]) -> set[str]:
    stored = [text for status, text in answers if status == 201]
    return {re.findall(r'"receipt":"([^"]+)"', text)[0] for text in stored}


def stored_ids(server: Server) -> set[str]:
    with contextlib.closing(open_store(server.database)) as store:
        records = store.page(Filter(), limit=100_000)
    return {str(record.decision_id) for record in records}


def is_whole(server: Server, keys: Path) -> bool:
    """Whether the whole log verifies, with its newest checkpoint over its newest record."""
    with contextlib.closing(Verification(server.database, {})) as verification:
        verdict = verification.check_frame(SigningKeys(keys).public(), [])
        verification.run(verdict, 1, lambda _: None)
        lengths = sum(chain.length for chain in verification.chains)
    last = verdict.checkpoints.last
    covered = last is not None and sum(head.length for head in last.heads) == lengths
    return verdict.is_good and covered


async def send_together(
    server: Server, bodies: Sequence[bytes], all_refused: asyncio.Event, refusals: int
) -> list[tuple[int, str]]:
    """Sends each body over a connection of its own. all_refused: set once so many were refused."""
    refused = 0
    # A burst beyond the system's queue of new connections would only test that.
    gate = asyncio.Semaphore(500)

    async def send(body: bytes) -> tuple[int, str]:
        nonlocal refused
        head = (
            f"POST /s/acme/decisions HTTP/1.1\r\nHost: kit\r\nOrigin: {ORIGIN}\r\n"
            f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(head.encode() + body)
            await writer.drain()
        text = (await reader.read()).decode()
        writer.close()
        status = int(text.split(" ", 2)[1])
        refused += status == 503
        if refused >= refusals:
            all_refused.set()
        return status, text

    return await asyncio.gather(*(send(body) for body in bodies))


def test_behind_a_stalled_disk_the_queue_ends_and_what_is_in_it_is_stored(
    policies: Path, tmp_path: Path
) -> None:
    beyond = 200
    with serving(policies, tmp_path) as server:
        template = make_body(server, 1)
        bodies = [
            json.dumps(
                {
                    **template,
                    "decision_id": f"019a9ce7-0000-7000-8000-{number:012x}",
                    "consent_id": f"5a1ecafe-0000-4000-8000-{number:012x}",
                }
            ).encode()
            for number in range(MAX_WAITING_DECISIONS + 500 + beyond)
        ]
        before = read_memory(server.process.pid)
        seen: dict[str, Any] = {}

        async def stall() -> list[tuple[int, str]]:
            all_refused = asyncio.Event()
            with locked(tmp_path / "slagboom.db"):
                sending = asyncio.create_task(send_together(server, bodies, all_refused, beyond))
                await asyncio.wait_for(all_refused.wait(), SECONDS)
                seen["memory"] = read_memory(server.process.pid)
                # Visitors who only look are served meanwhile.
                seen["gate"], _ = await asyncio.to_thread(server.open, "/s/acme/gate.js")
                seen["ready"] = await asyncio.to_thread(get_ready, server)
            return await asyncio.wait_for(sending, SECONDS)

        answers = in_loop(stall())
        wait_for_health(server, 200)
        code = server.stop()
        stored = stored_ids(server)

    refused = [text.lower() for status, text in answers if status == 503]
    full = [text for text in refused if "\r\nretry-after: 5\r\n" in text]
    # A slow machine takes so long to send them all that the first ones are told to come back.
    late = [text for text in refused if "\r\nretry-after: 30\r\n" in text]
    assert {status for status, _ in answers} == {201, 503}
    assert len(full) >= beyond
    assert len(full) + len(late) == len(refused)
    assert receipts(answers) <= stored, "what was acknowledged is stored"
    assert len(stored - receipts(answers)) <= len(late), "and nothing that was turned away"
    assert seen["gate"] == 200
    assert seen["ready"][0] == 503
    assert "log" in seen["ready"][1]["not_ready"]
    assert seen["memory"] - before < 150 * MEBI
    assert code == 0
    assert "Traceback" not in server.said


def test_a_slow_disk_makes_visitors_wait_and_no_more(policies: Path, tmp_path: Path) -> None:
    with serving(policies, tmp_path) as server:
        with Visitors(server) as visitors:
            for _ in range(3):
                with locked(tmp_path / "slagboom.db"):
                    gate, _ = server.open("/s/acme/gate.js")
                visitors.wait_for(5)
                assert gate == 200
        code = server.stop()
        stored = stored_ids(server)

    assert visitors.acknowledged == stored
    assert code == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 96 MiB of its own. Only root may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a disk of its own can only be mounted by root")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def test_a_full_disk_is_said_and_left_behind_by_itself(policies: Path, small_disk: Path) -> None:
    with serving(policies, small_disk) as server:
        ready, _ = get_ready(server)
        with Visitors(server) as visitors:
            visitors.wait_for(20)
            ballast = small_disk / "ballast"
            with ballast.open("wb", buffering=0) as out, contextlib.suppress(OSError):
                while out.write(bytes(MEBI)):
                    pass
            with ballast.open("ab", buffering=0) as out, contextlib.suppress(OSError):
                while out.write(bytes(4096)):
                    pass
            server.wait_for("database or disk is full")
            told = wait_for_health(server, 503)
            gate, _ = server.open("/s/acme/gate.js")
            ballast.unlink()
            visitors.wait_for(20)
        wait_for_health(server, 200)
        code = server.stop()
        stored = stored_ids(server)
        whole = is_whole(server, small_disk / "slagboom-keys")

    assert (ready, gate, code) == (200, 200, 0)
    assert "disk: nearly full, 0 MiB are left" in told["detail"]
    assert visitors.acknowledged <= stored
    assert whole
    assert "Traceback" not in server.said


def test_a_log_on_a_read_only_disk_stops_the_start_in_one_line(
    policies: Path, small_disk: Path
) -> None:
    database = f"sqlite:///{small_disk / 'slagboom.db'}"
    migrate(database)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)

    options = ("--policies", policies, "--database", database, "--port", find_port())
    ended = run("serve", *options)
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)

    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert "read" in ended.stderr.lower()
    assert "slagboom.db" in ended.stderr
    with serving(policies, small_disk, database) as again:
        assert post(again, 1) == 201


def test_a_log_that_is_taken_away_and_brought_back_goes_on(policies: Path, tmp_path: Path) -> None:
    home, away = tmp_path / "home", tmp_path / "away"
    home.mkdir()
    with serving(policies, home) as server:
        first = post(server, 1)
        home.rename(away)
        gone = post(server, 2)
        ready, told = get_ready(server)
        gate, _ = server.open("/s/acme/gate.js")
        away.rename(home)
        wait_for_health(server, 200)
        back = [post(server, number) for number in (2, 3)]
        code = server.stop()
        stored = stored_ids(server)

    assert (first, gone, ready, gate, code) == (201, 503, 503, 200, 0)
    # What was refused may stand in the file that nobody could see; it came back with it.
    assert set(back) <= {200, 201}
    assert "log" in told["not_ready"]
    assert len(stored) == 3
    assert "Traceback" not in server.said


def test_two_servers_write_one_file_and_one_of_them_is_killed(
    policies: Path, tmp_path: Path
) -> None:
    database = f"sqlite:///{tmp_path / 'slagboom.db'}"
    with (
        serving(policies, tmp_path, database) as first,
        serving(policies, tmp_path, database) as second,
    ):
        with Visitors(first, 3) as ours, Visitors(second, 3, first_lane=3) as theirs:
            ours.wait_for(30)
            theirs.wait_for(30)
            first.process.kill()
            theirs.wait_for(30)
        code = second.stop()
        stored = stored_ids(second)
        whole = is_whole(second, tmp_path / "slagboom-keys")

    assert ours.acknowledged | theirs.acknowledged <= stored
    assert not ours.acknowledged & theirs.acknowledged
    assert code == 0
    assert whole


def test_a_corrupt_page_is_said_takes_nothing_more_and_a_backup_brings_the_log_back(
    policies: Path, tmp_path: Path
) -> None:
    file, backup = tmp_path / "slagboom.db", tmp_path / "log.backup"
    with serving(policies, tmp_path) as server:
        assert [post(server, number) for number in range(1, 6)] == [201] * 5
        assert server.stop() == 0
    assert run("backup", backup, "--database", server.database).returncode == 0
    with sqlite3.connect(file) as connection:
        # The index that every new decision is looked up in.
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name LIKE '%autoindex_records%'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    content = bytearray(file.read_bytes())
    content[(page - 1) * size : page * size] = os.urandom(size)
    file.write_bytes(content)

    with serving(policies, tmp_path) as server:
        # Another decision may not touch the page; nothing is acknowledged all the same.
        answers = [post(server, number) for number in (6, 7, 1)]
        ready, told = get_ready(server)
        gate, _ = server.open("/s/acme/gate.js")
        code = server.stop()
    for beside in tmp_path.glob("slagboom.db*"):
        beside.rename(tmp_path / f"damaged-{beside.name}")
    restored = run("restore", backup, "--database", server.database)
    with serving(policies, tmp_path) as again:
        wait_for_health(again, 200)
        after = [post(again, number) for number in (1, 6, 7)]
        again.stop()

    assert (answers, ready, gate, code) == ([503, 503, 503], 503, 200, 0)
    assert told["not_ready"]["log"] == "corrupt; restore a backup"
    assert "malformed" in server.said
    assert "Traceback" not in server.said
    assert restored.returncode == 0, restored.stderr
    assert after == [200, 201, 201]


def test_a_stop_under_load_stores_and_answers_what_was_taken(
    policies: Path, tmp_path: Path
) -> None:
    with serving(policies, tmp_path) as server:
        with Visitors(server, 16) as visitors:
            visitors.wait_for(50)
            code = server.stop()
        stored = stored_ids(server)
        whole = is_whole(server, tmp_path / "slagboom-keys")

    assert code == 0
    # Each that is stored was answered: nobody has to send again.
    assert visitors.acknowledged == stored
    assert whole
    assert "Traceback" not in server.said
