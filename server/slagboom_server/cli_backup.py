"""`slagboom backup` and `slagboom restore`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slagboom_server.backup import back_up, restore
from slagboom_server.checkpoint_check import count, describe
from slagboom_server.cli_log import DEFAULT_DATABASE, Database
from slagboom_server.cli_options import Keys
from slagboom_server.cli_progress import showing_progress
from slagboom_server.engine import name_database, parse_url, sqlite_file
from slagboom_server.keyring import key_folder
from slagboom_server.signing import SigningKeys

if TYPE_CHECKING:
    from slagboom_server.backup import Copied

File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")]


def back_up_log(file: File, *, database: Database = DEFAULT_DATABASE, keys: Keys = None) -> None:
    """Copy the log to one file, served or not, and verify the copy.

    The file makes a log on SQLite and on PostgreSQL, whichever it comes from.
    """
    # Anything that is no address is told of before its keys are looked for.
    parse_url(database)
    folder = key_folder(database, keys)
    with showing_progress() as watch:
        copied = back_up(database, file, SigningKeys(folder).public(), watch)
    sys.stdout.write(
        f"{file}: {_describe(copied)}; every page and every record verified\n"
        f"The keys are no part of it: back up {folder} too, elsewhere and just as carefully.\n"
    )


def restore_log(file: File, *, database: Database = DEFAULT_DATABASE, keys: Keys = None) -> None:
    """Make a log from a backup, where there is none, and verify it. Stop the server before.

    PostgreSQL needs an empty database for it. Interrupted, run it again: it goes on, and nobody
    can use the database before.
    """
    url = parse_url(database)
    folder = key_folder(database, keys)
    with showing_progress() as watch:
        copied = restore(file, database, SigningKeys(folder).public(), watch)
    log = sqlite_file(url)
    name, read = (str(log), "every page and every record")
    if log is None:
        name, read = name_database(url), "every record"
    sys.stdout.write(f"{name}: {_describe(copied)}; {read} verified\n")
    last = copied.last
    signing = None if last is None else last.next_key or last.key
    if signing is not None and SigningKeys(folder).find(signing) is None:
        sys.stdout.write(
            f"The key that signs, {signing.hex()[:16]}…, is not in {folder}: bring it there before "
            "the server starts, or it can make no checkpoint.\n"
        )


def _describe(copied: Copied) -> str:
    last = "no checkpoint" if copied.last is None else f"newest is {describe(copied.last)}"
    return f"{count(copied.records, 'record')} and {copied.erased:,} erased, {last}"
