"""One thread that commits whatever waits, all of it in one transaction.

The slow part of storing is the disk's flush, and one flush serves a whole group: while the thread
commits, the next group gathers. The pattern is Datasette's writer thread, with groups.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING, Final, Self

from slagboom_server.errors import QueueFull, ServerStopping, StoreUnavailable
from slagboom_server.failures import Failures
from slagboom_server.settings import ANSWER_SECONDS
from slagboom_server.shown import ShownCounter

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from types import TracebackType

    from slagboom_server.entry import Entry
    from slagboom_server.record import ConsentRecord
    from slagboom_server.rollup import Shown, ShownCounts
    from slagboom_server.store import Appended, Appending

MAX_GROUP: Final = 500
"""Records in one transaction; more would make the first of them wait for the last."""

_MANY: Final = 4
_GATHERING_SECONDS: Final = 0.0005
"""While groups of many follow each other, the next one waits so long for its members: half of a
group costs as much as a whole one, and the thread that takes decisions in is not interrupted
meanwhile. A visitor who comes alone does not wait. (PostgreSQL calls it commit_delay.)"""

SHOWN_SECONDS: Final = 3.0
"""How long a count of first layers waits at most for decisions to be stored with."""

_log = logging.getLogger(__name__)

_Waiting = tuple["ConsentRecord | Entry", "asyncio.Future[Appended]", float]
"""The last: since when, on the monotonic clock."""

_Outcome = tuple["asyncio.Future[Appended]", "Appended | StoreUnavailable"]


class Closing(ABC):
    """A writer that is closed at the end of the block it is entered for."""

    @abstractmethod
    def close(self) -> None:
        """Stores what still waits. Takes no more."""

    @property
    @abstractmethod
    def waited_seconds(self) -> float:
        """How long the oldest decision waits that is not stored yet; 0 for none. Any thread."""

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes the writer."""
        self.close()


class Writer(Closing):
    """Appends records to a store, in groups, from any number of event loops.

    max_waiting: records held in memory before `submit` refuses. shown_seconds: how long a count
    of first layers waits for a group to go with. observe: told the size of each group of decisions
    and the seconds its commit took.
    """

    def __init__(
        self,
        store: Appending,
        max_waiting: int = 5000,
        shown_seconds: float = SHOWN_SECONDS,
        observe: Callable[[int, float], None] | None = None,
    ) -> None:
        self._store = store
        self._observe = observe
        self._max_waiting = max_waiting
        self._shown_seconds = shown_seconds
        self._shown = ShownCounter()
        self._waiting: deque[_Waiting] = deque()
        self._group_since: float | None = None
        self._failures = Failures()
        self._news = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="slagboom-writer")
        self._thread.start()

    async def submit(
        self, record: ConsentRecord | Entry, seconds: float = ANSWER_SECONDS
    ) -> Appended:
        """The store's answer, once the record is durable.

        A caller that is cancelled while it waits does not stop the record from being stored.
        Raises QueueFull where too many wait, StoreUnavailable where it could not be stored, the
        writer is closing, or it takes longer than `seconds`; then it may still be stored later.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Appended] = loop.create_future()
        with self._news:
            if self._is_closing:
                raise ServerStopping
            if len(self._waiting) >= self._max_waiting:
                raise QueueFull(self._max_waiting)
            self._waiting.append((record, future, time.monotonic()))
            self._news.notify()
        # A timer alone: a context manager for it costs as much as all the rest here.
        timer = loop.call_later(seconds, _give_up, future, seconds)
        try:
            return await future
        finally:
            timer.cancel()

    @property
    def waiting(self) -> int:
        """Decisions that no group has taken yet."""
        return len(self._waiting)

    @property
    def waited_seconds(self) -> float:
        """See `Closing`."""
        with self._news:
            since = self._group_since
            if since is None and self._waiting:
                since = self._waiting[0][2]
        return 0.0 if since is None else time.monotonic() - since

    def count_shown(self, shown: Shown, now: dt.datetime) -> None:
        """Counts a first layer, with the next group or soon. Lost if the process is killed."""
        with self._news:
            if self._shown.add(shown, now):
                self._news.notify()

    def close(self) -> None:
        """Stores what still waits, then ends the thread. Takes no more records."""
        with self._news:
            self._is_closing = True
            self._news.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            group, shown = self._next_group()
            if not group and shown is None:
                return
            begun = time.perf_counter()
            outcomes = self._append([record for record, _, _ in group], shown)
            self._group_since = None
            if group and self._observe is not None:
                self._observe(len(group), time.perf_counter() - begun)
            _settle(group, outcomes)
            if len(group) >= _MANY and not self._is_closing:
                time.sleep(_GATHERING_SECONDS)

    def _next_group(self) -> tuple[list[_Waiting], ShownCounts | None]:
        """Whatever waits; nothing at all once the writer is closed and drained."""
        with self._news:
            while not self._waiting and not self._is_closing:
                if self._shown.is_empty:
                    self._news.wait()
                elif not self._news.wait(self._shown_seconds):
                    break
            size = min(len(self._waiting), MAX_GROUP)
            group = [self._waiting.popleft() for _ in range(size)]
            self._group_since = group[0][2] if group else None
            return group, self._shown.take()

    def _append(
        self, records: list[ConsentRecord | Entry], shown: ShownCounts | None
    ) -> list[Appended | StoreUnavailable]:
        try:
            answers: list[Appended | StoreUnavailable] = list(self._store.append(records, shown))
        except StoreUnavailable as error:
            if records:
                self._failures.note(len(records), str(error))
            with self._news:
                # A stop does not wait for a database that is gone; decisions would be sent again.
                if shown is not None and not self._is_closing:
                    self._shown.give_back(shown)
            return [error] * len(records)
        except Exception as error:  # noqa: BLE001 - the thread's edge: it must outlive any group
            self._failures.note(len(records), f"a defect, {type(error).__name__}", error)
            failure = StoreUnavailable("the consent log failed; the server's log says how")
            failure.__cause__ = error
            return [failure] * len(records)
        self._failures.note_success()
        return answers


def _give_up(future: asyncio.Future[Appended], seconds: float) -> None:
    if not future.done():
        future.set_exception(StoreUnavailable(f"not durable within {seconds:g} s"))


def _settle(group: list[_Waiting], outcomes: list[Appended | StoreUnavailable]) -> None:
    """Wakes each event loop once for all its callers in the group."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Outcome]] = {}
    for (_, future, _), outcome in zip(group, outcomes, strict=True):
        by_loop.setdefault(future.get_loop(), []).append((future, outcome))
    for loop, settled in by_loop.items():
        try:
            loop.call_soon_threadsafe(_set_results, settled)
        except RuntimeError:
            # A closed loop has nobody left who waits; the records are stored all the same.
            _log.warning("%d answers came after their event loop had closed", len(settled))


def _set_results(settled: list[_Outcome]) -> None:
    for future, outcome in settled:
        if future.done():
            continue
        if isinstance(outcome, StoreUnavailable):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
