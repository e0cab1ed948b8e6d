"""A copy of an SQLite log while it is served, and a log made from such a copy.

Neither counts as done before the result has been read: every page (SQLite's integrity check), every
record against its chain and the signed checkpoints, and the number of records against the chains'
length. A file that is there already is never replaced. The keys are no part of a backup: who has
the log shall not be able to sign another one.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from slagboom_banner.errors import SlagboomError
from slagboom_server.engine import parse_url, reading, sqlite_file
from slagboom_server.migration import open_current
from slagboom_server.schema import records, tombstones
from slagboom_server.verify import Verification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from slagboom_server.checkpoint import Checkpoint

_BESIDE: Final = ("", "-wal", "-shm")
"""The file of a database and what SQLite keeps beside it."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A verified copy. records: decisions in it. erased: of which only the tombstones are left."""

    records: int
    erased: int
    last: Checkpoint | None


def log_file(database_url: str, file: Path) -> Path:
    """The file of an SQLite log. file: of the backup, to tell what to do for another engine."""
    found = sqlite_file(parse_url(database_url))
    if found is None:
        message = (
            f"a PostgreSQL log is backed up by `pg_dump --format=custom --file={file}` and "
            "restored by `pg_restore`; docs/operating.md says how to verify the result"
        )
        raise SlagboomError(message)
    return found


def back_up(
    log: Path, file: Path, trusted: frozenset[bytes], advance: Callable[[int], None]
) -> Copied:
    """Writes a copy of the log as it stands at one moment; the server may go on meanwhile.

    trusted: the raw public keys of the log. advance: told of records verified.
    Raises SlagboomError where the file is there already, or the copy is not as it was signed.
    """
    if not log.is_file():
        message = f"{log}: no such database; give --database"
        raise SlagboomError(message)
    # With the right to write, it takes away the journal that it opens beside a log at rest.
    return _copy(log, "rw", file, trusted, advance)


def restore(
    file: Path, log: Path, trusted: frozenset[bytes], advance: Callable[[int], None]
) -> Copied:
    """Makes a log from a backup, where there is none. See `back_up`."""
    if not file.is_file():
        message = f"{file}: no such backup"
        raise SlagboomError(message)
    return _copy(file, "ro", log, trusted, advance)


def _copy(
    source: Path,
    mode: str,
    target: Path,
    trusted: frozenset[bytes],
    advance: Callable[[int], None],
) -> Copied:
    for suffix in _BESIDE:
        # SQLite would apply the journal of another file to this one.
        beside = target.with_name(target.name + suffix)
        if beside.exists():
            message = f"{beside}: is there already; move it away, nothing is overwritten"
            raise SlagboomError(message)
    with _draft(target) as draft:
        _copy_pages(source, mode, draft)
        copied = _verify(source, draft, trusted, advance)
        _put_in_place(draft, target)
    return copied


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """A file beside the target that nobody else may read, gone at the end."""
    draft = target.with_name(f"{target.name}.part")
    try:
        draft.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        yield draft
    except OSError as error:
        message = f"{target}: cannot be written: {error.strerror}"
        raise SlagboomError(message) from error
    finally:
        for suffix in _BESIDE:
            draft.with_name(draft.name + suffix).unlink(missing_ok=True)


def _copy_pages(source: Path, mode: str, draft: Path) -> None:
    address = f"{source.resolve().as_uri()}?mode={mode}"
    try:
        with (
            closing(sqlite3.connect(address, uri=True)) as old,
            closing(sqlite3.connect(draft)) as new,
        ):
            # All pages in one step: in several, each decision meanwhile would begin it anew.
            old.backup(new)
            damage = [row[0] for row in new.execute("PRAGMA integrity_check(3)")]
    except sqlite3.Error as error:
        message = f"{source}: cannot be copied: {error}"
        raise SlagboomError(message) from error
    if damage != ["ok"]:
        message = f"{source}: is corrupt, no copy was kept: {'; '.join(damage)}"
        raise SlagboomError(message.replace("\n", " "))


def _verify(
    source: Path, draft: Path, trusted: frozenset[bytes], advance: Callable[[int], None]
) -> Copied:
    url = f"sqlite:///{draft}"
    engine = open_current(url)
    try:
        with reading(engine) as connection:
            alive = connection.scalar(select(func.count()).select_from(records)) or 0
            erased = connection.scalar(select(func.count()).select_from(tombstones)) or 0
    finally:
        engine.dispose()
    with closing(Verification(url, {})) as verification:
        verdict = verification.check_frame(trusted, [])
        verification.run(verdict, 1, advance)
        expected = sum(chain.length for chain in verification.chains)
    if not verdict.is_good or alive + erased != expected:
        told = verdict.told
        told += [f"{verdict.faults:,} places are wrong; `slagboom log verify` names them"]
        message = f"{source}: is not as it was signed, no copy was kept: {told[0]}"
        raise SlagboomError(message)
    return Copied(alive, erased, verdict.checkpoints.last)


def _put_in_place(draft: Path, target: Path) -> None:
    with closing(sqlite3.connect(draft)) as connection:
        # One file, without the journal of a log in use; the server turns that on again.
        connection.execute("PRAGMA journal_mode = DELETE")
    with draft.open("rb") as stream:
        os.fsync(stream.fileno())
    # Fails where a file has come there meanwhile, which a renaming would replace.
    os.link(draft, target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
