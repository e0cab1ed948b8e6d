"""What is logged of decisions that could not be stored: a line for a state, and then counts.

A full disk fails a hundred groups a second, each for the same reason; a line for each would hide
all others, and fill the disk that is left.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)

_TELL_SECONDS: Final = 60.0
"""Between two lines about one state."""

_CALM_SECONDS: Final = 5.0
"""Without a failure, after which a state is over; groups may succeed in between."""


class Failures:
    """Tells of groups that failed. For one thread. clock: seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._reason: str | None = None
        self._untold = 0
        self._told_at = 0.0
        self._failed_at = 0.0

    def note(self, decisions: int, reason: str, error: BaseException | None = None) -> None:
        """Counts decisions that were not stored. error: a defect, whose trace is told once."""
        now = self._failed_at = self._clock()
        if reason != self._reason:
            self._tell_untold()
            self._reason, self._told_at = reason, now
            _log.error("%d decisions were not stored: %s", decisions, reason, exc_info=error)
            return
        self._untold += decisions
        if now - self._told_at >= _TELL_SECONDS:
            self._told_at = now
            self._tell_untold()

    def note_success(self) -> None:
        """A group was stored: says so where none has failed for a while."""
        if self._reason is None or self._clock() - self._failed_at < _CALM_SECONDS:
            return
        self._tell_untold()
        self._reason = None
        _log.warning("decisions are stored again")

    def _tell_untold(self) -> None:
        if self._untold:
            _log.error("%d more decisions were not stored: %s", self._untold, self._reason)
            self._untold = 0
