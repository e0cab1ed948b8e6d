"""Hands decisions to the scribe, group by group, from the event loop that takes them in.

While the scribe commits one group, the next one gathers. Nothing here waits for it: its answers
are read when they are there, so no thread of this process contends with the event loop for the
interpreter. What `writer.Writer` promises holds here, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from slagboom_server.errors import LogCorrupt, QueueFull, ServerStopping, StoreUnavailable
from slagboom_server.failures import Failures
from slagboom_server.settings import ANSWER_SECONDS
from slagboom_server.shown import ShownCounter
from slagboom_server.writer import MAX_GROUP, SHOWN_SECONDS, Closing, Writer

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from slagboom_server.entry import Entry
    from slagboom_server.rollup import Shown, ShownCounts
    from slagboom_server.scribe import Scribe
    from slagboom_server.store import Appended
    from slagboom_server.store_sql import SqlStore

_LOOK_SECONDS: Final = 0.25
"""Between two looks for who has waited too long; a timer for each costs as much as storing."""

_STOPPED_SECONDS: Final = 5.0
_SILENT_SECONDS: Final = 60.0
"""Without an answer, after which a scribe is ended that is stopped, and one that is not: whatever
it waits for, but a standby, has an end before that."""

_log = logging.getLogger(__name__)


class _Waiting(NamedTuple):
    """A decision and who waits for its answer, from and until a point of the monotonic clock."""

    entry: Entry
    future: asyncio.Future[Appended]
    since: float
    until: float


class ScribeWriter(Closing):
    """As `writer.Writer`, but appends through a scribe, and serves one event loop.

    store: the same log, for as long as there is no scribe any more. Closed after its loop.
    """

    def __init__(
        self,
        scribe: Scribe,
        store: SqlStore,
        max_waiting: int,
        observe: Callable[[int, float], None] | None = None,
    ) -> None:
        self._scribe = scribe
        self._store = store
        self._max_waiting = max_waiting
        self._observe = observe
        self._gathering: deque[_Waiting] = deque()
        self._given: Sequence[_Waiting] = ()
        self._given_shown: ShownCounts | None = None
        self._given_at = 0.0
        self._is_ended = False
        self._failures = Failures()
        self._shown = ShownCounter()
        self._is_under_way = False
        self._is_closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looks: asyncio.TimerHandle | None = None
        self._instead: Writer | None = None

    async def submit(self, entry: Entry, seconds: float = ANSWER_SECONDS) -> Appended:
        """The log's answer, once the decision is durable; see `Writer.submit`."""
        if self._instead is not None:
            return await self._instead.submit(entry, seconds)
        if self._is_closing:
            raise ServerStopping
        if len(self._gathering) >= self._max_waiting:
            raise QueueFull(self._max_waiting)
        loop = self._loop or self._join()
        future: asyncio.Future[Appended] = loop.create_future()
        now = time.monotonic()
        self._gathering.append(_Waiting(entry, future, now, now + seconds))
        if not self._is_under_way:
            # What else came in with it goes with it.
            self._is_under_way = True
            loop.call_soon(self._give)
        if self._looks is None:
            self._looks = loop.call_later(_LOOK_SECONDS, self._look)
        return await future

    @property
    def waiting(self) -> int:
        """Decisions that no group has taken yet."""
        return self._instead.waiting if self._instead else len(self._gathering)

    @property
    def waited_seconds(self) -> float:
        """See `Closing`."""
        if self._instead is not None:
            return self._instead.waited_seconds
        # Another thread asks: whatever stands there may go at any moment.
        for several in (self._given, self._gathering):
            with contextlib.suppress(IndexError):
                return time.monotonic() - several[0].since
        return 0.0

    def count_shown(self, shown: Shown, now: dt.datetime) -> None:
        """Counts a first layer, with the next group or soon. Lost if the process is killed."""
        if self._instead is not None:
            self._instead.count_shown(shown, now)
        elif self._shown.add(shown, now):
            self._give_shown_later()

    def close(self) -> None:
        """Stores what still waits, for a while. Takes no more. The event loop has ended."""
        self._is_closing = True
        if self._instead is not None:
            self._instead.close()
            return
        ends = time.monotonic() + ANSWER_SECONDS
        while self._given or self._given_shown or self._gathering or not self._shown.is_empty:
            if not (self._given or self._given_shown):
                self._give()
            if not self._scribe.answers_within(max(0.0, ends - time.monotonic())):
                _log.error(
                    "%d decisions could not be stored in time; their browsers send them again",
                    len(self._given) + len(self._gathering),
                )
                self._scribe.kill()
                return
            self._take_answers()
            if self._instead is not None:
                self._instead.close()
                return

    def _join(self) -> asyncio.AbstractEventLoop:
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._scribe.fileno(), self._take_answers)
        return self._loop

    def _give(self) -> None:
        """Gives the scribe whatever waits."""
        size = min(len(self._gathering), MAX_GROUP)
        self._given = [self._gathering.popleft() for _ in range(size)]
        self._given_shown = self._shown.take()
        self._is_under_way = bool(self._given) or self._given_shown is not None
        if not self._is_under_way:
            return
        self._given_at = time.perf_counter()
        try:
            # One group at a time is shorter than what the system takes without waiting.
            self._scribe.send([waiting.entry for waiting in self._given], self._given_shown)
        except OSError:
            self._go_on_alone()

    def _give_shown_later(self) -> None:
        loop = self._loop or self._join()
        loop.call_later(SHOWN_SECONDS, self._give_shown)

    def _give_shown(self) -> None:
        """Gives what was counted, if no group has taken it along meanwhile."""
        if self._instead is not None or self._shown.is_empty:
            return
        if self._is_under_way:
            self._give_shown_later()
        else:
            self._give()

    def _take_answers(self) -> None:
        given, shown = self._given, self._given_shown
        try:
            answers = self._scribe.receive()
        except (EOFError, OSError):
            self._go_on_alone()
            return
        except StoreUnavailable as error:
            self._note_failure(error, given, shown)
        else:
            for waiting, answer in zip(given, answers, strict=True):
                if not waiting.future.done():
                    waiting.future.set_result(answer)
            self._failures.note_success()
        if given and self._observe is not None:
            self._observe(len(given), time.perf_counter() - self._given_at)
        self._given, self._given_shown = (), None
        self._is_under_way = False
        if self._gathering and not self._is_closing:
            self._give()

    def _note_failure(
        self, error: StoreUnavailable, given: Sequence[_Waiting], shown: ShownCounts | None
    ) -> None:
        if isinstance(error, LogCorrupt):
            # Nobody may take the log for whole who has not met the damage.
            self._store.note_damage(error)
        if given:
            self._failures.note(len(given), str(error))
        # A stop does not wait for a database that is gone; decisions would be sent again.
        if shown is not None and not self._is_closing:
            self._shown.give_back(shown)
            self._give_shown_later()
        _fail(given, error)

    def _look(self) -> None:
        """Tells those who have waited too long, and ends a scribe that will not answer any more."""
        now = time.monotonic()
        late = [each for each in (*self._given, *self._gathering) if each.until <= now]
        _fail(late, StoreUnavailable("not durable in time"))
        self._end_silent_scribe()
        self._looks = None
        if self._loop is not None and self._is_under_way:
            self._looks = self._loop.call_later(_LOOK_SECONDS, self._look)

    def _end_silent_scribe(self) -> None:
        """Has a thread of this process take over, as from a scribe that somebody has killed."""
        if not self._is_under_way or self._is_ended:
            return
        silent = time.perf_counter() - self._given_at
        if silent < _STOPPED_SECONDS or not (silent >= _SILENT_SECONDS or self._scribe.is_stopped):
            return
        self._is_ended = True
        _log.error("the process that writes the log has said nothing for %.0f seconds", silent)
        # What it was given may be stored or not; it is answered by nobody and comes again.
        self._scribe.kill()

    def _go_on_alone(self) -> None:
        """Without a scribe, a thread of this process writes the log."""
        _log.error("the process that writes the log ended; this one goes on by itself")
        if self._loop is not None and not self._is_closing:
            self._loop.remove_reader(self._scribe.fileno())
        self._instead = Writer(self._store, self._max_waiting, observe=self._observe)
        error = StoreUnavailable("the process that writes the log ended; send it again")
        _fail((*self._given, *self._gathering), error)
        self._given, self._given_shown = (), None
        self._gathering.clear()
        self._is_under_way = False


def _fail(several: Sequence[_Waiting], error: StoreUnavailable) -> None:
    for waiting in several:
        if not waiting.future.done():
            waiting.future.set_exception(error)
