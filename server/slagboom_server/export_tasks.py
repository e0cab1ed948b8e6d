"""A log written out as text, by this process alone or in slices side by side."""

from __future__ import annotations

from contextlib import closing
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from slagboom_server.csv_lines import CSV_HEADING, make_csv_lines, write_csv
from slagboom_server.hatch import Hatch
from slagboom_server.json_lines import make_json_lines, write_json, write_json_lines
from slagboom_server.side_by_side import HELD, run_side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TextIO

    from slagboom_server.export import Format
    from slagboom_server.hatch import Parcel
    from slagboom_server.lean import Slice
    from slagboom_server.lean_lines import LeanLines
    from slagboom_server.store import Filter
    from slagboom_server.store_sql import SqlStore

Page = TypeVar("Page", bound="Sequence[object]")

SLICE: Final = 10_000
"""Records in one task, some five megabytes of text."""

MANY: Final = 4
"""Slices that other processes are worth."""

_WRITERS: Final = {"csv": write_csv, "json": write_json, "jsonl": write_json_lines}
_MAKERS: Final = {"csv": make_csv_lines, "jsonl": make_json_lines}


class Export(NamedTuple):
    """What is written out. processes: how many work on it."""

    store: SqlStore
    chosen: Filter
    processes: int = 1


def write_text(export: Export, shape: Format, out: TextIO, advance: Callable[[int], None]) -> None:
    """Writes every record that is chosen, oldest first. out: opened with `newline=""`.

    advance: told how many records have been written since.
    """
    store, chosen, processes = export
    if shape in _MAKERS and processes > 1:
        slices = store.split(chosen, SLICE)
        first = list(islice(slices, MANY))
        if len(first) == MANY:
            if shape == "csv":
                out.write(CSV_HEADING)
            with closing(Hatch(HELD * processes + 1)) as hatch:
                writing = _Writing(store, chosen, _MAKERS[shape](store), hatch)
                tasks = zip(chain(first, slices), hatch.places(), strict=False)
                results: Iterator[tuple[int, str | Parcel]] = run_side_by_side(
                    writing.write, writing.hand_over, tasks, processes, store.let_go
                )
                for rows, text in results:
                    out.write(text if isinstance(text, str) else hatch.take(text))
                    advance(rows)
            return

    pages = count_pages(store.lean_pages(chosen), advance)
    _WRITERS[shape](pages, store, out)


def count_pages(pages: Iterable[Page], advance: Callable[[int], None]) -> Iterator[Page]:
    """The pages. advance: told the length of each once it has been used."""
    for page in pages:
        yield page
        advance(len(page))


class _Writing(NamedTuple):
    """What every task of an export needs. A task: a slice, and a place for its text."""

    store: SqlStore
    chosen: Filter
    lines: LeanLines
    hatch: Hatch

    def write(self, task: tuple[Slice, int]) -> tuple[int, str]:
        """How many records a slice has, and their lines."""
        counts: list[int] = []
        text = "".join(self._write(task[0], counts.append))
        return sum(counts), text

    def hand_over(self, task: tuple[Slice, int]) -> tuple[int, Parcel]:
        """The same, for another process."""
        counts: list[int] = []
        parcel = self.hatch.put(task[1], self._write(task[0], counts.append))
        return sum(counts), parcel

    def _write(self, part: Slice, advance: Callable[[int], None]) -> Iterator[str]:
        for page in count_pages(self.store.lean_pages(self.chosen, part), advance):
            yield from self.lines.write(page)
