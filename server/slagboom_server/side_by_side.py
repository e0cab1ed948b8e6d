"""Tasks handed out to processes, their results in the order of the tasks."""

from __future__ import annotations

import multiprocessing
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

_HANDED_OUT: Final = 2
_HELD: Final = 6
"""Tasks for each process: under way in another one, and whose results may wait to be yielded."""


def run_side_by_side(
    here: Callable[[_Task], _Result],
    elsewhere: Callable[[_Task], _Result],
    tasks: Iterable[_Task],
    processes: int,
    opening: tuple[Callable[..., None], *tuple[Any, ...]],
) -> Iterator[_Result]:
    """What each task gives. This process works as well, so nobody waits until others have started.

    here, elsewhere: do a task in this process and in another one. opening: what each of the others
    calls first, and with what.
    """
    others = processes - 1
    if not others:
        yield from map(here, tasks)
        return
    open_worker, *own = opening
    # A fresh interpreter: a copy of this one would share its connections.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(others, context, open_worker, tuple(own)) as pool:
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
