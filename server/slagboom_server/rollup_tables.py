"""`slagboom log stats --by`: the counts kept beside the log, as a table, JSON or CSV."""

from __future__ import annotations

import csv
import datetime as dt
import json
import sys
from typing import TYPE_CHECKING, Final, Literal

from rich import box
from rich.console import Console
from rich.table import Table

from slagboom_banner.errors import SlagboomError
from slagboom_server.query import Query, read_choice, read_filter
from slagboom_server.rollup import Dimension, describe_counts, flatten_counts, name_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slagboom_server.rollup import Counts
    from slagboom_server.store import Store

_ALWAYS: Final = ("shown", "accepted", "refused", "chosen", "withdrawn")
_SELDOM: Final = ("signalled", "expired")
"""Columns of a table only where they hold anything: 80 characters are soon full."""


def read_dimensions(text: str) -> tuple[Dimension, ...]:
    """The dimensions a comma-separated text names, each once."""
    named = [part.strip() for part in text.split(",")]
    return tuple(dict.fromkeys(read_choice("by", part, list(Dimension)) for part in named))


def read_rollup(by: Sequence[Dimension], query: Query, store: Store) -> Sequence[Counts]:
    """The counts a query means, which can tell sites and whole days apart and nothing else."""
    others = ("purpose", "service", "action", "consent_id")
    used = [f"--{name.replace('_', '-')}" for name in others if getattr(query, name) is not None]
    if used:
        message = f"--by counts all decisions; leave out {', '.join(used)}"
        raise SlagboomError(message)
    chosen = read_filter(query, store)
    return store.rollups.read(
        by,
        site=chosen.site,
        first_day=_whole_day("since", chosen.since),
        last_day=_last_day(chosen.until),
    )


def write_rollup(
    by: Sequence[Dimension], lines: Sequence[Counts], shape: Literal["table", "json", "csv"]
) -> None:
    """The counts on the standard output."""
    if shape == "json":
        described = [describe_counts(by, line) for line in lines]
        sys.stdout.write(f"{json.dumps(described, ensure_ascii=False, indent=2)}\n")
    elif shape == "csv":
        rows = csv.writer(sys.stdout)
        rows.writerow(name_columns(by))
        rows.writerows(flatten_counts(line) for line in lines)
    elif lines:
        Console().print(_make_table(by, lines))
    else:
        sys.stdout.write("Nothing was counted.\n")


def _make_table(by: Sequence[Dimension], lines: Sequence[Counts]) -> Table:
    seldom = [name for name in _SELDOM if any(getattr(line, name) for line in lines)]
    numbers = (*_ALWAYS, *seldom)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    for part in by:
        table.add_column(part.value, no_wrap=True)
    for name in (*numbers, "opt-in"):
        # Where it is narrow a head is folded, never a number or a name.
        width = max([6, *(len(f"{getattr(line, name, 0):,}") for line in lines)])
        table.add_column(name, justify="right", overflow="fold", min_width=width)
    for line in lines:
        place = [str(value) or "unknown" for value in line.place]
        rate = "" if line.opt_in_rate is None else f"{line.opt_in_rate:.1%}"
        table.add_row(*place, *(f"{getattr(line, name):,}" for name in numbers), rate)
    return table


def _whole_day(option: str, time: dt.datetime | None) -> dt.date | None:
    if time is not None and time.time() != dt.time():
        message = f"--{option}: --by counts whole UTC days; write a date, as 2026-11-21"
        raise SlagboomError(message)
    return None if time is None else time.date()


def _last_day(until: dt.datetime | None) -> dt.date | None:
    """The last day before a moment, which a day's end is."""
    first_after = _whole_day("until", until)
    return None if first_after is None else first_after - dt.timedelta(days=1)
