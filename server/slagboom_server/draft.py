"""The file of an SQLite database in the making: beside its place, private, whole or not there."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

from slagboom_banner.errors import SlagboomError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BESIDE: Final = ("", "-wal", "-shm", "-journal")
"""The file of a database and what SQLite keeps beside it."""


@contextmanager
def make_file(target: Path) -> Iterator[Path]:
    """An empty file to be filled, put in place once the block is left without an error.

    It can be read by its owner alone. One that a killed process left behind is begun anew. Raises
    SlagboomError where the target is there already, another process is making it, or its place
    cannot be written.
    """
    for suffix in _BESIDE:
        # SQLite would apply the journal of another file to this one.
        beside = target.with_name(target.name + suffix)
        if beside.exists():
            message = f"{beside}: is there already; move it away, nothing is overwritten"
            raise SlagboomError(message)
    draft = target.with_name(f"{target.name}.part")
    try:
        draft.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _own(draft):
            try:
                yield draft
                _put_in_place(draft, target)
            finally:
                for suffix in _BESIDE:
                    draft.with_name(draft.name + suffix).unlink(missing_ok=True)
    except OSError as error:
        message = f"{target}: cannot be written: {error.strerror}"
        raise SlagboomError(message) from error


@contextmanager
def _own(draft: Path) -> Iterator[None]:
    """Makes the file empty and keeps everybody else from making it; ends with this process."""
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _lock(descriptor, draft):
            message = f"{draft}: another process is making it; wait for that, or stop it"
            raise SlagboomError(message)
        # With an empty file SQLite throws away whatever journal a killed process has left beside.
        os.truncate(descriptor, 0)
        yield
    finally:
        # Not before: closing it gives up the locks that SQLite has on the same file.
        os.close(descriptor)


def _lock(descriptor: int, draft: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever had it a moment ago has taken it away.
        return os.path.samestat(os.fstat(descriptor), draft.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


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
