"""How far a long command has come, told beside its output."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from slagboom_server.backup import Watch


def is_watched() -> bool:
    """Whether anybody would see a bar."""
    return _console().is_terminal


@contextmanager
def showing_progress() -> Iterator[Watch]:
    """Shows bars on the terminal; where nobody looks at one, none."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = _console()
    # Drawn when told and not by a thread, beside which this process could not be copied
    # (side_by_side.py).
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        auto_refresh=False,
    ) as bars:

        def watch(what: str, records: int) -> Callable[[int], None]:
            task = bars.add_task(what, total=records)
            return lambda done: bars.update(task, advance=done, refresh=True)

        yield watch


def _console() -> Console:
    return Console(stderr=True)
