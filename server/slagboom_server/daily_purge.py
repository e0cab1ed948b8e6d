"""The purge that a serving process does once a day, beside everything else it does.

Any number of processes may do so for one log: what one purges, the others do not find any more.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final, Self

from slagboom_banner.errors import SlagboomError
from slagboom_server.clock_witness import doubt_clock
from slagboom_server.retention import Pace, is_due, purge_sites

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from slagboom_server.retention import Retention

_START_SECONDS: Final = 60.0
"""After the start, when a server that was restarted has other things to do."""

_DAY_SECONDS: Final = 86_400.0

_log = logging.getLogger(__name__)


class DailyPurge:
    """A thread that purges once a day for as long as the block lasts.

    days: asked each time for retention_days by site. clock: UTC. start_seconds: until the first.
    """

    def __init__(
        self,
        retention: Retention,
        days: Callable[[], Mapping[str, int]],
        clock: Callable[[], dt.datetime],
        start_seconds: float = _START_SECONDS,
    ) -> None:
        self._retention = retention
        self._days = days
        self._clock = clock
        self._start_seconds = start_seconds
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="slagboom-purge", daemon=True)

    def __enter__(self) -> Self:
        """Starts the thread."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends the thread after the step it is at; the next purge goes on from there."""
        self._is_closing.set()
        self._thread.join()

    def _run(self) -> None:
        pause = self._start_seconds
        while not self._is_closing.wait(pause):
            pause = _DAY_SECONDS
            try:
                self._purge()
            except SlagboomError as error:
                _log.error("the log was not purged to the end: %s", error)
            except Exception:  # noqa: BLE001 -- the thread's edge: it must outlive any fault
                _log.exception("the log was not purged to the end")

    def _purge(self) -> None:
        now, days = self._clock(), self._days()
        doubt = doubt_clock(self._retention, now)
        if doubt is not None:
            if is_due(self._retention, days, now):
                _log.error("%s", doubt)
            return
        pace = Pace(time.monotonic, self._is_closing.wait)
        for done in purge_sites(self._retention, days, now, pace):
            if done.records or done.notices:
                _log.info(
                    "%s: %d records and the words of %d notices purged, %d records held",
                    done.site,
                    done.records,
                    done.notices,
                    done.held,
                )
        for month in self._retention.drop_months(now):
            _log.info("%s held nothing any more and was dropped", month)
