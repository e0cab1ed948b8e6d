"""`slagboom backup` and `slagboom restore`."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from slagboom_server.backup import back_up, log_file, restore
from slagboom_server.checkpoint_check import describe
from slagboom_server.cli_log import DEFAULT_DATABASE, Database
from slagboom_server.cli_options import Keys
from slagboom_server.keyring import key_folder
from slagboom_server.signing import SigningKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from slagboom_server.backup import Copied

File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")]


def back_up_log(file: File, *, database: Database = DEFAULT_DATABASE, keys: Keys = None) -> None:
    """Copy an SQLite log to a file, served or not, and verify the copy."""
    log = log_file(database, file)
    folder = key_folder(database, keys)
    with _progress() as advance:
        copied = back_up(log, file, SigningKeys(folder).public(), advance)
    sys.stdout.write(
        f"{file}: {_describe(copied)}; every page and every record verified\n"
        f"The keys are no part of it: back up {folder} too, elsewhere and just as carefully.\n"
    )


def restore_log(file: File, *, database: Database = DEFAULT_DATABASE, keys: Keys = None) -> None:
    """Make a log from a backup, where there is none, and verify it. Stop the server before."""
    log = log_file(database, file)
    folder = key_folder(database, keys)
    with _progress() as advance:
        copied = restore(file, log, SigningKeys(folder).public(), advance)
    sys.stdout.write(f"{log}: {_describe(copied)}; every page and every record verified\n")
    last = copied.last
    signing = None if last is None else last.next_key or last.key
    if signing is not None and SigningKeys(folder).find(signing) is None:
        sys.stdout.write(
            f"The key that signs, {signing.hex()[:16]}…, is not in {folder}: bring it there before "
            "the server starts, or it can make no checkpoint.\n"
        )


def _describe(copied: Copied) -> str:
    last = "no checkpoint" if copied.last is None else f"newest is {describe(copied.last)}"
    return f"{copied.records:,} records and {copied.erased:,} erased ones, {last}"


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,}"))
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        yield partial(bar.advance, bar.add_task("Records verified", total=None))
