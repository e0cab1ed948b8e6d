"""`slagboom log checkpoint` and `key`: signed states of the log, and the keys that sign them."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from pathlib import Path  # noqa: TC003 -- Typer reads it from the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from slagboom_banner.errors import SlagboomError
from slagboom_server.checkpoint import read_checkpoint
from slagboom_server.checkpoint_check import count, describe
from slagboom_server.checkpointer import CheckpointMaker
from slagboom_server.cli_log import DEFAULT_DATABASE, Database
from slagboom_server.cli_options import Keys
from slagboom_server.keyring import key_folder
from slagboom_server.row import from_ms
from slagboom_server.signing import SigningKeys
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from slagboom_server.checkpoint import Checkpoint
    from slagboom_server.evidence import Evidence

checkpoint_commands = typer.Typer(no_args_is_help=True, help="Signed states of the log.")
key_commands = typer.Typer(no_args_is_help=True, help="The keys that sign checkpoints.")


@checkpoint_commands.command("export")
def export_checkpoint(
    *,
    database: Database = DEFAULT_DATABASE,
    number: Annotated[int, typer.Option("--number", help="0: the newest.", min=0)] = 0,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Where to; else to the output.")
    ] = None,
) -> None:
    """Write a checkpoint as it was signed, for a notary, a mailbox or a git repository."""
    checkpoint = _read_checkpoint(database, number)
    if output is None:
        sys.stdout.write(checkpoint.text)
        return
    try:
        output.write_text(checkpoint.text, "ascii")
    except OSError as error:
        message = f"{output}: cannot be written: {error.strerror}"
        raise SlagboomError(message) from error


@checkpoint_commands.command("print")
def print_checkpoint(
    *,
    database: Database = DEFAULT_DATABASE,
    number: Annotated[int, typer.Option("--number", help="0: the newest.", min=0)] = 0,
) -> None:
    """Print a checkpoint with what it means, for paper."""
    checkpoint = _read_checkpoint(database, number)
    records = sum(head.length for head in checkpoint.heads)
    sys.stdout.write(
        f"C{describe(checkpoint)[1:]} of the consent log {checkpoint.log.hex()}\n"
        f"{count(records, 'decision')} in {count(len(checkpoint.heads), 'chain')} stood in the log "
        "then.\n"
        f"SHA-256 of the text below: {checkpoint.digest.hex()}\n\n{checkpoint.text}"
    )


def _read_checkpoint(database: str, number: int) -> Checkpoint:
    with closing(open_store(database)) as store:
        evidence = store.evidence
        stored = evidence.checkpoint(number) if number else evidence.last_checkpoint()
    if stored is None:
        told = f"checkpoint {number}" if number else "a checkpoint"
        message = f"the log does not have {told}; a server makes one each minute with decisions"
        raise SlagboomError(message)
    return read_checkpoint(stored.text)


@key_commands.command("list")
def list_keys(*, database: Database = DEFAULT_DATABASE, keys: Keys = None) -> None:
    """List the public keys that may have signed checkpoints, and which one signs now."""
    with closing(open_store(database)) as store:
        current = _current_key(store.evidence, key_folder(database, keys))
    for public in sorted(SigningKeys(key_folder(database, keys)).public()):
        state = "signs now" if public == current else "does not sign"
        sys.stdout.write(f"{public.hex()}  {state}\n")


def _current_key(evidence: Evidence, folder: Path) -> bytes | None:
    last = CheckpointMaker(evidence, folder).last()
    if last is not None:
        return last.next_key or last.key
    keys = SigningKeys(folder)
    return keys.first().public_key().public_bytes_raw() if keys.has_first() else None


@key_commands.command("rotate")
def rotate_key(*, database: Database = DEFAULT_DATABASE, keys: Keys = None) -> None:
    """Make a new signing key; a checkpoint signed by the old one names it."""
    folder = key_folder(database, keys)
    with closing(open_store(database)) as store:
        key = SigningKeys(folder).make()
        public = key.public_key().public_bytes_raw()
        now = from_ms(time.time_ns() // 1_000_000)
        checkpoint = CheckpointMaker(store.evidence, folder).make(now, next_key=public)
    if checkpoint is None:
        message = "the log has no decision yet, so no key has signed anything; nothing to rotate"
        raise SlagboomError(message)
    sys.stdout.write(
        f"C{describe(checkpoint)[1:]} names the new key {public.hex()}\n"
        "Bring the folder of keys to every machine that serves this log.\n"
    )
