"""A damaged file: once a page cannot be read as it was written, nothing is promised any more.

SQLite goes on with the pages that are whole. What it stores then would be lost with the file, as
soon as a backup takes its place; so nothing is acknowledged until another file lies there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from slagboom_server.engine import identify, sqlite_file
from slagboom_server.errors import LogCorrupt

if TYPE_CHECKING:
    from sqlalchemy import Engine


class Damage:
    """Remembers that the file of an engine is damaged. Does nothing for other databases."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._file = sqlite_file(engine.url)
        self._damaged: tuple[int, int] | None = None

    def note(self, error: BaseException) -> None:
        """Remembers the file where the error says that it is damaged."""
        if self._file is not None and isinstance(error, LogCorrupt):
            self._damaged = identify(self._file)

    def require_none(self) -> None:
        """Raises LogCorrupt while the damaged file is still there."""
        if self._file is None or self._damaged is None:
            return
        if identify(self._file) == self._damaged:
            message = f"the consent log {self._file} is corrupt; stop, and restore a backup"
            raise LogCorrupt(message)
        self._damaged = None
        self._engine.dispose()
