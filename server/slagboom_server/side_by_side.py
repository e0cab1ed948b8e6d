"""Tasks handed out to processes, their results in the order of the tasks."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


def run_side_by_side(
    work: Callable[[_Task], _Result],
    tasks: Iterable[_Task],
    processes: int,
    open_worker: Callable[..., None],
    own: tuple[Any, ...],
) -> Iterator[_Result]:
    """What `work` returns for each task.

    No more than twice as many tasks as there are processes are under way or wait to be yielded.
    open_worker: called in each process first, with `own`.
    """
    # A fresh interpreter: a copy of this one would share its connections.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, open_worker, own) as pool:
        waiting: list[Future[_Result]] = []
        for task in tasks:
            waiting.append(pool.submit(work, task))
            if len(waiting) >= 2 * processes:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()
