"""Lean rows as CSV: the lines `export.flatten_record` and the csv module make of the records."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

from slagboom_server.export import CSV_COLUMNS, format_cell, split_answers
from slagboom_server.lean_lines import Frame, LeanLines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TextIO

    from slagboom_server.lean import LeanRow, Lookup

_FRAME: Final = Frame._make(("", *[","] * 9, "\r\n", "", ""))
CSV_HEADING: Final = ",".join(CSV_COLUMNS) + "\r\n"

_ANSWER: Final = CSV_COLUMNS[CSV_COLUMNS.index("site") : CSV_COLUMNS.index("ip")]
_SENDER: Final = CSV_COLUMNS[CSV_COLUMNS.index("browser") :]


def make_csv_lines(lookup: Lookup) -> LeanLines:
    """What makes the lines behind the heading."""
    return LeanLines(_FRAME, lookup, _write_answer, _write_sender)


def write_csv(pages: Iterable[Sequence[LeanRow]], lookup: Lookup, out: TextIO) -> None:
    """Writes a table with its heading. out: opened with `newline=""`; CSV ends its own lines."""
    lines = make_csv_lines(lookup)
    out.write(CSV_HEADING)
    for page in pages:
        out.writelines(lines.write(page))


def _write_answer(fields: Mapping[str, Any]) -> str:
    return _join({**fields, **split_answers(fields["choices"], fields["services"])}, _ANSWER)


def _write_sender(fields: Mapping[str, Any]) -> str:
    return _join(fields, _SENDER)


def _join(fields: Mapping[str, Any], columns: Sequence[str]) -> str:
    """Cells as they stand within a line."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([format_cell(fields[name]) for name in columns])
    return line.getvalue()
