"""Secrets in files of their own, outside the database: who copies the log has none of the keys.

Every process that serves one log has the same folder of keys, or copies of it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import make_url

from slagboom_banner.errors import SlagboomError

if TYPE_CHECKING:
    from collections.abc import Callable

_FOREIGN = stat.S_IRWXO
"""Anybody's rights. A group may have some: secrets that an orchestrator mounts need that."""


def key_folder(database_url: str, given: Path | None = None) -> Path:
    """Where a log's keys lie: in the folder given, else beside an SQLite file, else `var/keys`."""
    if given is not None:
        return given
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        file = Path(url.database)
        return file.with_name(f"{file.stem}-keys")
    return Path("var") / "keys"


def read_or_make_secret(folder: Path, name: str, make: Callable[[], bytes]) -> bytes:
    """The secret in `folder/name`; where there is none, what `make` gives is kept there first.

    Of several processes that start at once, all get the same secret. The file can be read by its
    owner alone (mode 600). Raises SlagboomError where it cannot be read or made, is empty, or
    anybody on the machine has rights on it.
    """
    file = folder / name
    try:
        if not file.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _keep(file, make())
        if stat.S_IMODE(file.stat().st_mode) & _FOREIGN:
            message = f"{file}: others on this machine have rights on this secret; chmod 600 it"
            raise SlagboomError(message)
        secret = file.read_bytes()
    except OSError as error:
        message = f"{file}: cannot be used as a secret: {error.strerror}; check --keys"
        raise SlagboomError(message) from error
    if not secret:
        message = f"{file}: is empty; restore it from a backup, or remove it to have a new one made"
        raise SlagboomError(message)
    return secret


def _keep(file: Path, secret: bytes) -> None:
    """Puts a whole file in place at once; one that another process has put there first stays."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secret)
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink()
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
