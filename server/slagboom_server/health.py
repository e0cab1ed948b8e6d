"""Whether this process can do its work now: `GET /health/ready`.

A balancer that heeds it sends visitors elsewhere while something is wrong here. What is said names
the part and no path: anybody may ask. Questions are put to the database once a second at most.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from typing import TYPE_CHECKING, Final

from starlette.responses import Response
from starlette.routing import Route

from slagboom_server.engine import parse_url, sqlite_file
from slagboom_server.errors import Contended, LogCorrupt, StoreUnavailable
from slagboom_server.problems import SAFE_HEADERS, answer_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from starlette.requests import Request

    from slagboom_server.checkpointer import Checkpointer
    from slagboom_server.kit import Kit
    from slagboom_server.store import Store
    from slagboom_server.writer import Closing

    Check = Callable[[], str | None]
    """Says what is wrong, None for nothing; may take its time."""

MOMENT_SECONDS: Final = 2.0
_FRESH_SECONDS: Final = 1.0
LEAST_FREE_BYTES: Final = 64 * 2**20
"""Room for some hundred thousand decisions, which is time to act."""

LONGEST_WAIT_SECONDS: Final = 5.0
"""Of a decision. Half of what its browser waits; a commit takes milliseconds."""

_HEADERS: Final = {**SAFE_HEADERS, "Cache-Control": "no-store"}


class Health:
    """Puts questions to parts of the kit, each on a thread, and waits a moment for the answers.

    checks: by the part's name. moment_seconds: who takes longer is not ready.
    """

    def __init__(self, checks: Mapping[str, Check], moment_seconds: float = MOMENT_SECONDS) -> None:
        self._checks = checks
        self._moment_seconds = moment_seconds
        self._asked: dict[str, tuple[float, asyncio.Task[str | None]]] = {}

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the parts."""
        return tuple(self._checks)

    async def look(self) -> dict[str, str]:
        """What is wrong now, by the part's name; empty where all is well."""
        tasks = {name: self._ask(name, check) for name, check in self._checks.items()}
        if tasks:
            await asyncio.wait(tasks.values(), timeout=self._moment_seconds)
        wrong: dict[str, str] = {}
        for name, task in tasks.items():
            if not task.done():
                wrong[name] = f"no answer within {self._moment_seconds:g} seconds"
            elif (trouble := task.result()) is not None:
                wrong[name] = trouble
        return wrong

    def _ask(self, name: str, check: Check) -> asyncio.Task[str | None]:
        now = time.monotonic()
        begun, task = self._asked.get(name, (0.0, None))
        # A question still open is not put again: threads would pile up behind a stalled disk.
        if task is None or (task.done() and now - begun >= _FRESH_SECONDS):
            task = asyncio.create_task(asyncio.to_thread(check))
            self._asked[name] = now, task
        return task

    async def tell_ready(self, _request: Request) -> Response:
        """`GET /health/ready`: 200, or 503 with a problem document that names what is not ready."""
        wrong = await self.look()
        if wrong:
            told = "; ".join(f"{name}: {trouble}" for name, trouble in wrong.items())
            return answer_problem(503, f"Not ready: {told}.", members={"not_ready": wrong})
        body = json.dumps({"status": "ready", "checks": self.parts})
        return Response(body, headers=_HEADERS, media_type="application/json")

    async def tell_alive(self, _request: Request) -> Response:
        """`GET /health/live`: the process answers, which is all it says."""
        return Response("ok\n", headers=_HEADERS, media_type="text/plain")

    def routes(self) -> list[Route]:
        """The routes of both."""
        return [
            Route("/health/live", self.tell_alive),
            Route("/health/ready", self.tell_ready),
        ]


def watch_kit(kit: Kit, checkpointer: Checkpointer, database_url: str) -> Health:
    """The health of a kit that serves. database_url: of its log."""
    checks: dict[str, Check] = {
        "policies": lambda: None if kit.sites else "none is loaded",
        "log": lambda: check_log(kit.store),
        "writer": lambda: check_writer(kit.writer),
        "checkpoints": checkpointer.trouble,
    }
    file = sqlite_file(parse_url(database_url))
    if file is not None:
        checks["disk"] = lambda: check_disk(file.parent)
    return Health(checks)


def check_log(store: Store) -> str | None:
    """Whether the log takes a commit."""
    try:
        store.probe()
    except Contended:
        return None  # another writer was a moment quicker, so writing works
    except LogCorrupt:
        return "corrupt; restore a backup"
    except StoreUnavailable:
        return "cannot be written; the server's own log says why"
    return None


def check_writer(writer: Closing) -> str | None:
    """Whether decisions get through: a log that takes a commit may still not take theirs."""
    waited = writer.waited_seconds
    if waited <= LONGEST_WAIT_SECONDS:
        return None
    return f"a decision has waited for {waited:.0f} seconds; the server's own log may say why"


def check_disk(folder: Path) -> str | None:
    """Whether the disk below a folder has room for the time it takes to act."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return "cannot be read"
    return None if free >= LEAST_FREE_BYTES else f"nearly full, {free // 2**20} MiB are left"
