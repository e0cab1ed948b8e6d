"""Tasks handed out to processes, their results in the order of the tasks."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

_HANDED_OUT: Final = 2
"""Tasks under way, for each other process."""

_MOST: Final = 64
"""Processes from which one can still collect."""

HELD: Final = 6
"""Tasks under way or with a result that waits to be yielded, for each process."""


def choose_processes(wanted: int) -> int:
    """How many to work with. wanted: 0 for as many as there are processors.

    Only Linux has libraries that bear a process being copied; elsewhere one does everything.
    """
    if sys.platform != "linux":
        return 1
    return min(wanted or len(os.sched_getaffinity(0)), _MOST)


def run_side_by_side(
    here: Callable[[_Task], _Result],
    elsewhere: Callable[[_Task], _Result],
    tasks: Iterable[_Task],
    processes: int,
    let_go: Callable[[], None],
) -> Iterator[_Result]:
    """What each task gives. This process works as well; the others are copies of it.

    Only for a process with one thread: what another one holds, nobody lets go of in a copy.

    here, elsewhere: do a task in this process and in another one, which has all that this one has
    read. let_go: closes connections that are open, each of which but one process can use.
    """
    others = processes - 1
    if not others:
        yield from map(here, tasks)
        return
    let_go()
    # A fresh interpreter would take as long to be ready as this one for a hundred thousand records.
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(others, context, _begin, (elsewhere,)) as pool:
        waiting: deque[Future[_Result]] = deque()
        for task in tasks:
            if sum(not future.done() for future in waiting) < _HANDED_OUT * others:
                waiting.append(pool.submit(_work, task))
            else:
                waiting.append(_done(here(task)))
            while waiting and (waiting[0].done() or len(waiting) >= HELD * processes):
                yield waiting.popleft().result()
        for future in waiting:
            yield future.result()


_worker: dict[str, Callable[[Any], Any]] = {}
"""What a process of the pool does with a task."""


def _begin(work: Callable[[Any], Any]) -> None:
    _worker["work"] = work
    # Who interrupts a command means the process that was called, which tells the others to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Killed, it cannot tell anybody, and the others would wait for its tasks for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(task: Any) -> Any:  # noqa: ANN401 -- what goes through a pipe has lost its type
    return _worker["work"](task)


def _done(result: _Result) -> Future[_Result]:
    future: Future[_Result] = Future()
    future.set_result(result)
    return future
