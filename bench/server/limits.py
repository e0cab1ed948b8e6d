"""The limits of what a server like ours could do: apps that do next to nothing, under uvicorn.

`BENCH_MODE` names one: `nothing` parses a decision and forgets it; `sqlite` and `postgresql` commit
what has gathered while the last commit was under way, each row in a hash chain, and answer after
the flush. `BENCH_DATABASE` is a file, or an address.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
from pydantic_core import from_json
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from bench.server.bare import COLUMNS, DDL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from starlette.requests import Request

    Row = tuple[Any, ...]

_NAMES = ", ".join(COLUMNS)


class _Table(Protocol):
    """What a group of rows is committed to."""

    def commit(self, rows: Sequence[Row]) -> None: ...


class _Sqlite:
    def __init__(self, file: str) -> None:
        # Opened here, used by the thread that commits.
        self._database = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(DDL.format(number="INTEGER PRIMARY KEY", blob="BLOB"))
        marks = ", ".join("?" * len(COLUMNS))
        self._insert = f"INSERT OR IGNORE INTO bare ({_NAMES}) VALUES ({marks})"  # noqa: S608  our own

    def commit(self, rows: Sequence[Row]) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        self._database.executemany(self._insert, rows)
        self._database.execute("COMMIT")


class _Postgresql:
    def __init__(self, address: str) -> None:
        self._database = psycopg.connect(address)
        number = "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
        self._database.execute(DDL.format(number=number, blob="BYTEA").encode())
        self._database.commit()

    def commit(self, rows: Sequence[Row]) -> None:
        with (
            self._database.cursor() as cursor,
            cursor.copy(f"COPY bare ({_NAMES}) FROM STDIN".encode()) as copy,
        ):
            for row in rows:
                copy.write_row(row)
        self._database.commit()


class _Group:
    """Collects rows while one commit is under way, then commits them together."""

    def __init__(self, table: _Table) -> None:
        self._table = table
        self._head = bytes(32)
        self._waiting: list[tuple[Row, asyncio.Future[None]]] = []
        self._news = asyncio.Event()

    async def add(self, row: Row) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((row, future))
        self._news.set()
        await future

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._news.wait()
            self._news.clear()
            group, self._waiting = self._waiting, []
            await loop.run_in_executor(None, self._commit, [row for row, _ in group])
            for _, future in group:
                if not future.done():
                    future.set_result(None)

    def _commit(self, rows: Sequence[Row]) -> None:
        sealed = []
        for row in rows:
            self._head = sha256(self._head + json.dumps(row).encode()).digest()
            sealed.append((*row, self._head))
        self._table.commit(sealed)


async def _forget(request: Request) -> Response:
    from_json(await request.body())
    return Response(status_code=204)


async def _keep(request: Request) -> Response:
    decision = from_json(await request.body())
    headers = request.headers
    row = (
        decision["decision_id"],
        request.path_params["site"],
        decision["consent_id"],
        decision["given_at"],
        decision["given_at"],
        decision["action"],
        json.dumps(decision["services"]),
        decision["notice"],
        decision["revision"],
        headers.get("x-forwarded-for", "").rpartition(".")[0] + ".0",
        headers.get("user-agent"),
    )
    await request.app.state.group.add(row)
    return Response(status_code=204)


@asynccontextmanager
async def _open_table(app: Starlette) -> AsyncIterator[None]:
    database = os.environ["BENCH_DATABASE"]
    kind = _Sqlite if os.environ["BENCH_MODE"] == "sqlite" else _Postgresql
    app.state.group = _Group(kind(database))
    task = asyncio.create_task(app.state.group.run())
    yield
    task.cancel()


def build_limit() -> Starlette:
    """The app `BENCH_MODE` names, for uvicorn's `--factory`."""
    is_empty = os.environ["BENCH_MODE"] == "nothing"
    answer = _forget if is_empty else _keep
    return Starlette(
        routes=[Route("/s/{site}/decisions", answer, methods=["POST"])],
        lifespan=None if is_empty else _open_table,
    )
