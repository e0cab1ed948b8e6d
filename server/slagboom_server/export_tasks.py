"""A log written out as text, by this process alone or in slices side by side."""

from __future__ import annotations

from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from slagboom_server.csv_lines import CSV_HEADING, make_csv_lines, write_csv
from slagboom_server.json_lines import make_json_lines, write_json, write_json_lines
from slagboom_server.side_by_side import run_side_by_side
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TextIO

    from slagboom_server.export import Format
    from slagboom_server.lean import Slice
    from slagboom_server.lean_lines import LeanLines
    from slagboom_server.store import Filter, Store

Page = TypeVar("Page", bound="Sequence[object]")

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
            tasks = ((chosen, each) for each in chain(first, slices))
            here = partial(_write_slice, workers.store, _MAKERS[shape](workers.store))
            open_worker = partial(_open_worker, workers.database_url, shape)
            results = run_side_by_side(here, _work, tasks, workers.processes, open_worker)
            for rows, text in results:
                out.write(text)
                advance(rows)
            return

    pages = count_pages(workers.store.lean_pages(chosen), advance)
    _WRITERS[shape](pages, workers.store, out)


def count_pages(pages: Iterable[Page], advance: Callable[[int], None]) -> Iterator[Page]:
    """The pages. advance: told the length of each once it has been used."""
    for page in pages:
        yield page
        advance(len(page))


_worker: dict[str, Any] = {}
"""The store of a process of the pool, and what makes its lines; nothing else there holds them."""


def _open_worker(database_url: str, shape: Format) -> None:
    store = open_store(database_url)
    _worker.update(store=store, lines=_MAKERS[shape](store))


def _work(task: tuple[Filter, Slice]) -> tuple[int, str]:
    return _write_slice(_worker["store"], _worker["lines"], task)


def _write_slice(store: Store, lines: LeanLines, task: tuple[Filter, Slice]) -> tuple[int, str]:
    """How many records a slice has, and their lines."""
    written = [line for page in store.lean_pages(*task) for line in lines.write(page)]
    return len(written), "".join(written)
