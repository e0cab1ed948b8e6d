"""The newest checkpoint outside the database, beside the keys.

A database that is put back to an older state is whole in itself: only something outside can tell.
Each log has one copy here, which only a newer checkpoint of the same history replaces. Where the
database turns out to be behind its copy, that copy is put aside under its number, for `log verify`
to find until somebody removes it.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Final

from slagboom_banner.errors import SlagboomError
from slagboom_server.checkpoint import Checkpoint, read_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

_SUFFIX: Final = ".checkpoint"


class CheckpointCopies:
    """The copies of one folder. Raises SlagboomError for a file that cannot be used."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest(self, log: bytes) -> Checkpoint | None:
        """The copy of a log, None where there is none."""
        file = self._file(log)
        return read_file(file) if file.exists() else None

    def all(self, log: bytes) -> list[tuple[Path, Checkpoint]]:
        """Every copy of a log, those put aside included."""
        files = sorted(self._folder.glob(f"{self._file(log).stem}*{_SUFFIX}"))
        return [(file, read_file(file)) for file in files]

    def keep(self, checkpoint: Checkpoint) -> None:
        """Replaces the copy."""
        file = self._file(checkpoint.log)
        draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with draft.open("x", encoding="ascii") as stream:
                stream.write(checkpoint.text)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(file)
        except OSError as error:
            message = f"{file}: the newest checkpoint cannot be kept: {error.strerror}"
            raise SlagboomError(message) from error
        finally:
            draft.unlink(missing_ok=True)

    def put_aside(self, checkpoint: Checkpoint) -> Path:
        """Keeps the present copy, which the database contradicts, under its number."""
        file = self._file(checkpoint.log)
        aside = file.with_name(f"{file.stem}-{checkpoint.number}{_SUFFIX}")
        try:
            file.replace(aside)
        except OSError as error:
            message = f"{aside}: cannot be written: {error.strerror}"
            raise SlagboomError(message) from error
        return aside

    def _file(self, log: bytes) -> Path:
        return self._folder / f"log-{log.hex()[:16]}{_SUFFIX}"


def read_file(file: Path) -> Checkpoint:
    """The checkpoint of a file. Raises SlagboomError where it holds none."""
    try:
        return read_checkpoint(file.read_text("utf-8"))
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror}"
        raise SlagboomError(message) from error
    except (SlagboomError, UnicodeDecodeError) as error:
        message = f"{file}: is no checkpoint, or not all of one"
        raise SlagboomError(message) from error
