"""`slagboom serve` as a process of its own, for the tests that start, stop and kill it."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from kit_samples import ADDRESS, ORIGIN, USER_AGENT
from ports import find_port

from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 60
"""How long a busy machine may take."""


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """The program until its end."""
    return subprocess.run(
        [sys.executable, "-m", "slagboom_server", *map(str, arguments)],
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb", **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


GONE = (urllib.error.URLError, ConnectionError, TimeoutError)
"""What a visitor meets whose worker is killed before it answers; the browser sends again."""


class Server:
    """`slagboom serve` as a process of its own, with what it says."""

    def __init__(
        self,
        policies: Path,
        folder: Path,
        database: str | None,
        workers: int,
        options: dict[str, str],
    ) -> None:
        self.port = find_port()
        self.database = database or f"sqlite:///{folder / 'slagboom.db'}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "slagboom_server", "serve"],
            env={
                **os.environ,
                "SLAGBOOM_POLICIES": str(policies),
                "SLAGBOOM_DATABASE": self.database,
                "SLAGBOOM_PORT": str(self.port),
                "SLAGBOOM_WORKERS": str(workers),
                # All visitors of the tests come from one address.
                "SLAGBOOM_RATE_LIMIT": "0",
                **options,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: list[str] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self._lines.append(line)
                self._news.notify_all()
        with self._news:
            self._lines.append("")
            self._news.notify_all()

    @property
    def said(self) -> str:
        """Everything it has said so far, on both channels."""
        return "".join(self._lines)

    def wait_for(self, text: str) -> None:
        """Returns once it has said so."""
        with self._news:
            ended = self._news.wait_for(
                lambda: text in self.said or (self._lines and not self._lines[-1]), SECONDS
            )
        assert ended, f"still silent about {text!r}"
        assert text in self.said, self.said

    def wait_for_times(self, text: str, times: int) -> None:
        """Returns once it has said so that often."""
        with self._news:
            ended = self._news.wait_for(lambda: self.said.count(text) >= times, SECONDS)
        assert ended, self.said

    def wait_for_end(self) -> None:
        """Returns once nobody is left who could say anything."""
        self._reader.join(SECONDS)
        assert not self._reader.is_alive(), self.said

    @functools.cached_property
    def notice(self) -> str:
        """The digest of the Dutch notice, as it was served when somebody first asked."""
        with contextlib.closing(open_store(self.database)) as store:
            offers = [notice.offer for notice in store.latest_notices("acme")]
        return next(offer.digest for offer in offers if offer.language == "nl")

    @property
    def workers(self) -> list[int]:
        """The processes it has started, as Linux knows them."""
        number = self.process.pid
        children = Path(f"/proc/{number}/task/{number}/children").read_text("utf-8")
        return [int(child) for child in children.split()]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code after a signal."""
        self.process.send_signal(number)
        code = self.process.wait(SECONDS)
        self._reader.join(SECONDS)
        return code

    def open(self, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            body,
            {"Origin": ORIGIN, "User-Agent": USER_AGENT, "X-Forwarded-For": ADDRESS},
        )
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read()


@contextlib.contextmanager
def serving(
    policies: Path,
    folder: Path,
    database: str | None = None,
    workers: int = 1,
    **options: str,
) -> Iterator[Server]:
    """A server that takes visitors; its log stands in the folder unless a database is given.

    options: more variables of the environment.
    """
    server = Server(policies, folder, database, workers, options)
    try:
        server.wait_for("Slagboom listens on")
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
        server.stop(signal.SIGKILL)
        assert server.process.stdout is not None
        server.process.stdout.close()


def make_body(server: Server, number: int) -> dict[str, Any]:
    """A decision on the notice that is served in Dutch."""
    return {
        "decision_id": f"019a9ce7-0000-7000-8000-{number:012x}",
        "consent_id": f"5a1ecafe-0000-4000-8000-{number:012x}",
        "previous": None,
        "revision": 2,
        "notice": server.notice,
        "language": "nl",
        "layer": "first",
        "action": "accept_all",
        "choices": {"statistics": True, "contact": True},
        "services": {"counter": True, "chat": True},
        "anonymise_ip": True,
        "gpc": False,
        "given_at": "2026-11-21T11:59:59.750Z",
    }


class Visitors:
    """Visitors who send one decision after the other for as long as the block lasts.

    lanes: so many at once. first_lane: visitors of two servers are others by this. acknowledged:
    the ids of those that were answered with 201.
    """

    def __init__(self, server: Server, lanes: int = 4, first_lane: int = 0) -> None:
        self.acknowledged: set[str] = set()
        self._server = server
        self._template = make_body(server, 1)
        self._enough = threading.Event()
        self._stored = threading.Semaphore(0)
        self._pool = ThreadPoolExecutor(lanes)
        numbers = range(first_lane, first_lane + lanes)
        self._lanes = [self._pool.submit(self._send, lane) for lane in numbers]

    def wait_for(self, decisions: int) -> None:
        """Returns once so many more have been acknowledged."""
        for _ in range(decisions):
            assert self._stored.acquire(timeout=SECONDS), self._server.said

    def _send(self, lane: int) -> None:
        number = lane << 20
        while not self._enough.is_set():
            number += 1
            decision = f"019a9ce7-0000-7000-8000-{number:012x}"
            consent = f"5a1ecafe-0000-4000-8000-{number:012x}"
            body = {**self._template, "decision_id": decision, "consent_id": consent}
            try:
                status, _ = self._server.open("/s/acme/decisions", json.dumps(body).encode())
            except GONE:
                continue
            assert status in {201, 503}, status
            if status == 201:
                self.acknowledged.add(decision)
                self._stored.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._pool.shutdown()
        for lane in self._lanes:
            lane.result()


def list_records(server: Server) -> list[dict[str, Any]]:
    listed = run(
        *("log", "list", "--database", server.database, "--format", "json", "--limit", 100_000)
    )
    assert listed.returncode == 0, listed.stderr
    records: list[dict[str, Any]] = json.loads(listed.stdout)
    return records
