"""A copy of a log in one file while it is served, and a log made from such a copy.

The file is an SQLite log, whatever the engine of the log is, and makes a log on either engine. An
SQLite log is copied page by page, a PostgreSQL one record by record out of one view of it (see
`log_copy`), so that a decision stored meanwhile is in it with all it brought about, or not at all.

Neither counts as done before the result has been read: every page of the file (SQLite's integrity
check), every record against its chain and the signed checkpoints, and the number of records against
the chains' length. What is there already is never replaced. The keys are no part of a backup: who
has the log shall not be able to sign another one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from slagboom_banner.errors import SlagboomError
from slagboom_server.draft import make_file
from slagboom_server.engine import (
    name_database,
    open_engine,
    parse_url,
    reading,
    snapshot,
    sqlite_file,
)
from slagboom_server.log_copy import LogCopy
from slagboom_server.migration import NEWEST, migrate, open_current, read_revision
from slagboom_server.schema import records, tombstones
from slagboom_server.unfinished import require_room, unfinished
from slagboom_server.verify import Verification

if TYPE_CHECKING:
    from pathlib import Path

    from slagboom_server.checkpoint import Checkpoint

Watch = Callable[[str, int], Callable[[int], None]]
"""Told what begins and how many records it will take; gives what is told of records done."""

_LOCK: Final = ("SET LOCAL lock_timeout = '60s'", "LOCK TABLE records IN ACCESS SHARE MODE")
"""No month is dropped before it is read. Neither statement is one that the view begins with."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A verified copy. records: decisions in it. erased: of which only the tombstones are left."""

    records: int
    erased: int
    last: Checkpoint | None


def back_up(database_url: str, file: Path, trusted: frozenset[bytes], watch: Watch) -> Copied:
    """Writes a copy of the log as it stands at one moment; the server may go on meanwhile.

    trusted: the raw public keys of the log. Raises SlagboomError where the file is there already,
    the log cannot be read, or the copy is not as it was signed.
    """
    url = parse_url(database_url)
    log = sqlite_file(url)
    if log is not None and not log.is_file():
        message = f"{log}: no such database; give --database"
        raise SlagboomError(message)
    with make_file(file) as draft:
        if log is None:
            _copy_view(database_url, draft, watch)
        else:
            open_current(database_url).dispose()
            # With the right to write, it takes away the journal that it opens beside a log at rest.
            _copy_pages(log, "rw", draft)
        source = name_database(url) if log is None else str(log)
        _check_pages(draft, source)
        return _verify(source, f"sqlite:///{draft}", trusted, watch)


def restore(file: Path, database_url: str, trusted: frozenset[bytes], watch: Watch) -> Copied:
    """Makes a log from a backup, where there is none. See `back_up`.

    One on PostgreSQL that was interrupted is gone on with, and cannot be used before its end.
    """
    if not file.is_file():
        message = f"{file}: no such backup"
        raise SlagboomError(message)
    log = sqlite_file(parse_url(database_url))
    if log is None:
        return _fill(file, database_url, trusted, watch)
    with make_file(log) as draft:
        _copy_pages(file, "ro", draft)
        _check_pages(draft, str(file))
        # It may be an earlier version's.
        migrate(f"sqlite:///{draft}")
        return _verify(str(file), f"sqlite:///{draft}", trusted, watch)


def _fill(file: Path, database_url: str, trusted: frozenset[bytes], watch: Watch) -> Copied:
    """Makes a log on PostgreSQL."""
    name = name_database(parse_url(database_url))
    backup_url = f"sqlite:///{file}?mode=ro"
    _check_pages(file, str(file))
    source = open_engine(parse_url(backup_url))
    try:
        with reading(source) as connection:
            if read_revision(connection) != NEWEST:
                message = (
                    f"{file}: is of another version; `slagboom restore` brings an older one up to "
                    "date in an SQLite file, and `slagboom log copy` that one to PostgreSQL"
                )
                raise SlagboomError(message)
        require_room(database_url)
        # What is wrong with the backup shall not be found only when the database is full of it.
        _verify(str(file), backup_url, trusted, watch)
        with unfinished(database_url) as target:
            _copy_rows(LogCopy(source, target), watch)
            left = "it stays closed, give an empty database"
            return _verify(name, database_url, trusted, watch, left)
    finally:
        source.dispose()


def _copy_view(database_url: str, draft: Path, watch: Watch) -> None:
    """Copies what a PostgreSQL log holds at one moment."""
    source = open_current(database_url)
    try:
        migrate(f"sqlite:///{draft}")
        target = open_current(f"sqlite:///{draft}")
        try:
            with snapshot(source) as connection:
                for statement in _LOCK:
                    connection.exec_driver_sql(statement)
                _copy_rows(LogCopy(connection, target), watch)
        finally:
            target.dispose()
    finally:
        source.dispose()


def _copy_rows(copy: LogCopy, watch: Watch) -> None:
    plan = copy.plan()
    copy.run(plan, watch("Records copied", plan.missing))


def _copy_pages(source: Path, mode: str, draft: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode={mode}", uri=True)) as old,
            closing(sqlite3.connect(draft)) as new,
        ):
            # All pages in one step: in several, each decision meanwhile would begin it anew.
            old.backup(new)
    except sqlite3.Error as error:
        message = f"{source}: cannot be copied: {error}"
        raise SlagboomError(message) from error


def _check_pages(file: Path, source: str) -> None:
    """Raises SlagboomError where a file is damaged. source: where its content comes from."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            damage = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
    except sqlite3.Error as error:
        damage = [str(error)]
    if damage != ["ok"]:
        message = f"{source}: is corrupt, no copy was kept: {'; '.join(damage)}"
        raise SlagboomError(message.replace("\n", " "))


def _verify(
    source: str,
    url: str,
    trusted: frozenset[bytes],
    watch: Watch,
    left: str = "no copy was kept",
) -> Copied:
    """Reads a whole log. source: where it comes from, left: what becomes of it, for a message."""
    engine = open_engine(parse_url(url))
    try:
        with reading(engine) as connection:
            alive = connection.scalar(select(func.count()).select_from(records)) or 0
            erased = connection.scalar(select(func.count()).select_from(tombstones)) or 0
    finally:
        engine.dispose()
    with closing(Verification(url, {})) as verification:
        verdict = verification.check_frame(trusted, [])
        verification.run(verdict, 1, watch("Records verified", verification.total))
        expected = sum(chain.length for chain in verification.chains)
    if not verdict.is_good or alive + erased != expected:
        told = verdict.told
        told += [f"{verdict.faults:,} places are wrong; `slagboom log verify` names them"]
        message = f"{source}: is not as it was signed, {left}: {told[0]}"
        raise SlagboomError(message)
    return Copied(alive, erased, verdict.checkpoints.last)
