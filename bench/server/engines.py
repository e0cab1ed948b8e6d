"""One database engine under measurement: its logs, the servers over them, what is asked of them."""

from __future__ import annotations

import sqlite3
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg

from bench.server.bare import export_bare, export_bare_json, fill_bare, verify_bare
from bench.server.generator import fill_log
from bench.server.kills import kill_under_load
from bench.server.reading import export_log, measure_work, sum_work, time_answers, verify_log
from bench.server.results import BARE, FILLED, KIT, NOTHING, PEER
from bench.server.subjects import (
    aim_at_peer,
    aim_at_site,
    compose_decisions,
    find_offer,
    running_kit,
    running_limit,
    running_peer,
)
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from bench.server.load import Target
    from bench.server.postgresql import Postgresql
    from bench.server.reading import Work
    from bench.server.results import Engine

    Walk = Callable[..., int]
    Ours = tuple[str, Walk, tuple[object, ...]]

_BARE_ROWS = 1_000_000
"""A bare loop is as fast over these as over ten times as many."""

_PORTION = 1 << 24
"""Bytes read at once."""


class Bench:
    """The measurements of one engine.

    folder: for its files. server: the PostgreSQL to use, None for SQLite.
    """

    def __init__(self, name: str, results: Engine, folder: Path, server: Postgresql | None) -> None:
        self.name = name
        self.results = results
        self._folder = folder
        self._server = server
        self._folder.mkdir(exist_ok=True)
        self._empty = self._make_database("empty")
        self._filled = self._make_database("filled")
        self._bare = server.make_database("bare_rows") if server else str(folder / "bare-rows.db")
        self._decisions: list[str] = []
        self._peer_size = 0

    def _make_database(self, name: str) -> str:
        if self._server is not None:
            return self._server.make_database(name)
        return f"sqlite:///{self._folder / name}.db"

    def fill(self, rows: int) -> None:
        """Makes both logs, by the kit itself, and fills one; a bare one beside it for loops."""
        for database in (self._empty, self._filled):
            with running_kit(self._folder / "made", database):
                pass
        self._decisions = compose_decisions(find_offer(self._empty))
        with closing(open_store(self._filled)) as store:
            offers = store.offers()
        before = self._measure_size("filled")
        fill_log(self._filled, offers, rows, time.time_ns() // 1_000_000)
        self.results.bytes_per_decision[KIT] = (self._measure_size("filled") - before) / rows
        fill_bare(self._bare, min(rows, _BARE_ROWS))
        if self._server is not None:
            self._server.tidy("filled", "bare_rows")

    @contextmanager
    def running_nothing(self) -> Iterator[Target]:
        """The framework alone: it reads a decision and forgets it."""
        folder = self._folder / NOTHING
        with running_limit(folder, NOTHING, "") as server:
            yield aim_at_site(server, self._folder, self._decisions)

    @contextmanager
    def running_all(self, *, has_peer: bool) -> Iterator[dict[str, Target]]:
        """Every server over this engine, until the block ends."""
        with ExitStack() as stack:
            targets: dict[str, Target] = {}
            for who, database in ((KIT, self._empty), (FILLED, self._filled)):
                kit = stack.enter_context(running_kit(self._folder / who, database))
                targets[who] = aim_at_site(kit, self._folder, self._decisions)
            bare = stack.enter_context(
                running_limit(
                    self._folder / BARE,
                    self.name.lower(),
                    self._make_database(BARE) if self._server else str(self._folder / "bare.db"),
                )
            )
            targets[BARE] = aim_at_site(bare, self._folder, self._decisions)
            if has_peer:
                database = (
                    self._make_database(PEER) if self._server else str(self._folder / "peer.db")
                )
                peer = stack.enter_context(running_peer(self._folder / PEER, database))
                self._peer_size = self._measure_size(PEER)
                targets[PEER] = aim_at_peer(peer, self._folder)
            yield targets
        if has_peer:
            self._measure_peer()

    def read(self, walks: int) -> None:
        """Questions and walks over the filled log; the load has added to it meanwhile.

        walks: how often each of them.
        """
        results = self.results
        with running_kit(self._folder / "read", self._filled) as kit:
            self.warm()
            results.answers = time_answers(self._filled, kit.port)
        as_csv, as_json = (self._filled, "csv"), (self._filled, "jsonl")
        for _ in range(walks):
            self._walk(results.export, export_bare, [(KIT, export_log, as_csv)])
            self._walk(results.export_json, export_bare_json, [(KIT, export_log, as_json)])
            checks = [
                (who, verify_log, (self._filled, processes))
                for who, processes in (("one core", 1), ("two cores", 2))
            ]
            self._walk(results.verify, verify_bare, checks)

    def warm(self) -> None:
        """Reads the files of the filled log.

        Some machines take memory back from files that nobody has read for a minute; how long that
        was is not what is to be measured.
        """
        if self._server is None:
            files = [*self._folder.glob("filled.db*")]
        else:
            files = self._server.files("filled")
        for file in files:
            # A server makes some of them anew whenever it likes.
            with suppress(FileNotFoundError), file.open("rb") as opened:
                while opened.read(_PORTION):
                    pass

    def _walk(self, times: dict[str, list[Work]], bare: Walk, ours: Sequence[Ours]) -> None:
        """Goes through the log, and through the bare one before and after each time.

        That one is smaller: a bad moment of the machine would be all of its time.
        """
        around = [measure_work(bare, self._bare)]
        for who, walk, about in ours:
            self.warm()
            times.setdefault(who, []).append(measure_work(walk, *about))
            around.append(measure_work(bare, self._bare))
        times.setdefault(BARE, []).append(sum_work(around))

    def kill(self, times: int) -> None:
        """Kills a kit over the empty log while it is loaded."""
        self.results.kills = kill_under_load(
            self._folder / "killed", self._empty, self._decisions, times
        )

    def _measure_size(self, name: str) -> int:
        """Bytes of a log on the disk, its indexes included."""
        if self._server is None:
            file = self._folder / f"{name}.db"
            with closing(sqlite3.connect(file)) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return file.stat().st_size
        with psycopg.connect(self._server.address(name)) as connection:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(row[0]) if row else 0

    def _measure_peer(self) -> None:
        query = "SELECT count(*) FROM consent"
        size = self._measure_size(PEER) - self._peer_size
        if self._server is None:
            with closing(sqlite3.connect(self._folder / "peer.db")) as database:
                (rows,) = database.execute(query).fetchone()
        else:
            with psycopg.connect(self._server.address(PEER)) as connection:
                found = connection.execute(query).fetchone()
                rows = found[0] if found else 0
        if rows:
            self.results.bytes_per_decision[PEER] = size / rows
