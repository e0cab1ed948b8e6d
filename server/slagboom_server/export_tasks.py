"""A log written out as text, by this process alone or in slices side by side."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from slagboom_server.csv_lines import CSV_HEADING, make_csv_lines, write_csv
from slagboom_server.json_lines import make_json_lines, write_json, write_json_lines
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TextIO

    from slagboom_server.export import Format
    from slagboom_server.lean import LeanRow, Slice
    from slagboom_server.store import Filter, Store

SLICE: Final = 10_000
"""Records in one task, some five megabytes of text."""

MANY: Final = 30
"""Slices from which on starting processes saves more than it takes."""

_WRITERS: Final = {"csv": write_csv, "json": write_json, "jsonl": write_json_lines}
_MAKERS: Final = {"csv": make_csv_lines, "jsonl": make_json_lines}


class Workers(NamedTuple):
    """How many processes write, and of which log. store: the one this process has opened."""

    store: Store
    database_url: str
    processes: int


def write_text(
    workers: Workers, chosen: Filter, shape: Format, out: TextIO, advance: Callable[[int], None]
) -> None:
    """Writes every record that is chosen, oldest first. out: opened with `newline=""`.

    advance: told how many records have been written since.
    """
    if shape in _MAKERS and workers.processes > 1:
        slices = workers.store.split(chosen, SLICE)
        first = list(islice(slices, MANY))
        if len(first) == MANY:
            if shape == "csv":
                out.write(CSV_HEADING)
            for rows, text in _write_slices(workers, chosen, shape, chain(first, slices)):
                out.write(text)
                advance(rows)
            return

    def counted() -> Iterator[Sequence[LeanRow]]:
        for page in workers.store.lean_pages(chosen):
            yield page
            advance(len(page))

    _WRITERS[shape](counted(), workers.store, out)


def _write_slices(
    workers: Workers, chosen: Filter, shape: Format, slices: Iterable[Slice]
) -> Iterator[tuple[int, str]]:
    """How many records each slice has, and their lines, in the order of the slices.

    No more than twice as many slices as there are processes are in memory.
    """
    # A fresh interpreter: a copy of this one would share its connections.
    context = multiprocessing.get_context("spawn")
    own = (workers.database_url, shape)
    with ProcessPoolExecutor(workers.processes, context, _open_worker, own) as pool:
        waiting: list[Future[tuple[int, str]]] = []
        for each in slices:
            waiting.append(pool.submit(_work, chosen, each))
            if len(waiting) >= 2 * workers.processes:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()


_worker: dict[str, Any] = {}
"""The store of a process of the pool, and what makes its lines; nothing else there holds them."""


def _open_worker(database_url: str, shape: Format) -> None:
    store = open_store(database_url)
    _worker.update(store=store, lines=_MAKERS[shape](store))


def _work(chosen: Filter, each: Slice) -> tuple[int, str]:
    lines = [
        line
        for page in _worker["store"].lean_pages(chosen, each)
        for line in _worker["lines"].write(page)
    ]
    return len(lines), "".join(lines)
