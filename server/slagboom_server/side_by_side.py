"""Tasks handed out to processes, their results in the order of the tasks."""

from __future__ import annotations

import multiprocessing
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

_HANDED_OUT: Final = 2
"""Tasks under way, for each other process."""

_HELD: Final = 6
"""Tasks under way or with a result that waits to be yielded, for each process."""


def run_side_by_side(
    here: Callable[[_Task], _Result],
    elsewhere: Callable[[_Task], _Result],
    tasks: Iterable[_Task],
    processes: int,
    open_worker: Callable[[], None],
) -> Iterator[_Result]:
    """What each task gives. This process works as well, so nobody waits until others have started.

    here, elsewhere: do a task in this process and in another one. open_worker: what each of the
    others calls first.
    """
    others = processes - 1
    if not others:
        yield from map(here, tasks)
        return
    # A fresh interpreter: a copy of this one would share its connections.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(others, context, open_worker) as pool:
        waiting: deque[Future[_Result]] = deque()
        for task in tasks:
            if sum(not future.done() for future in waiting) < _HANDED_OUT * others:
                waiting.append(pool.submit(elsewhere, task))
            else:
                waiting.append(_done(here(task)))
            while waiting and (waiting[0].done() or len(waiting) >= _HELD * processes):
                yield waiting.popleft().result()
        for future in waiting:
            yield future.result()


def _done(result: _Result) -> Future[_Result]:
    future: Future[_Result] = Future()
    future.set_result(result)
    return future
