"""The time that decisions are received at."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)

_MOST_HELD: Final = dt.timedelta(minutes=5)
"""A correction; more than that means that the clock was wrong before, and no time stays wrong."""


def read_clock() -> dt.datetime:
    """The machine's own time, UTC."""
    return dt.datetime.now(dt.UTC)


class SteadyClock:
    """A clock that does not go back where the machine's is set back a little: it waits instead.

    Who reads the log in its order meanwhile misses nothing then. A clock set back by more is
    followed, and both are said. wall: the machine's time, UTC. Safe to ask from several threads.
    """

    def __init__(self, wall: Callable[[], dt.datetime] = read_clock) -> None:
        self._wall = wall
        self._last = wall()
        self._is_held = False
        self._lock = threading.Lock()

    def __call__(self) -> dt.datetime:
        """The time now, UTC."""
        with self._lock:
            now = self._wall()
            back = self._last - now
            if back <= dt.timedelta():
                self._is_held = False
            elif back <= _MOST_HELD:
                if not self._is_held:
                    self._is_held = True
                    _log.warning("the clock was set back by %s; times wait for it", back)
                return self._last
            else:
                self._is_held = False
                _log.error("the clock was set back by %s; times in the log go back with it", back)
            self._last = now
            return now
