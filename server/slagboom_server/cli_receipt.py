"""`slagboom log receipt` and `slagboom log verify --receipt`: a visitor's proof."""

from __future__ import annotations

import json
import re
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from slagboom_banner.errors import SlagboomError
from slagboom_server.checkpoint_check import describe
from slagboom_server.cli_log import DEFAULT_DATABASE, Database
from slagboom_server.clock import read_clock
from slagboom_server.export import format_time, names_with
from slagboom_server.keyring import key_folder
from slagboom_server.query import read_id
from slagboom_server.receipt_check import check_receipt
from slagboom_server.receipts import MOST_OFFLINE, Receipts
from slagboom_server.signing import read_public_key
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from slagboom_server.receipt_check import ReceiptVerdict

_HEX_KEY: Final = re.compile(r"[0-9a-fA-F]{64}")


def write_receipt(
    decision_id: Annotated[str, typer.Argument(help="The decision's identifier.")],
    *,
    database: Database = DEFAULT_DATABASE,
    keys: Annotated[
        Path | None,
        typer.Option("--keys", envvar="SLAGBOOM_KEYS", metavar="DIR", help="Folder of secrets."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Where to; else to the output.")
    ] = None,
) -> None:
    """Write the signed receipt of one decision; code 1 where there is none."""
    with closing(open_store(database)) as store:
        record = store.record(read_id("DECISION_ID", decision_id))
        found = [] if record is None else [record]
        receipts = Receipts(store, key_folder(database, keys))
        made = receipts.make(found, read_clock(), MOST_OFFLINE)
    if not made:
        sys.stderr.write(f"slagboom: {decision_id}: no such decision in this log\n")
        raise typer.Exit(1)
    text = json.dumps(made[0], ensure_ascii=False, indent=2) + "\n"
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        message = f"{output}: cannot be written: {error.strerror}"
        raise SlagboomError(message) from error


def verify_receipts(file: Path, keys: Iterable[str]) -> None:
    """Checks a receipt, or all of a visitor's download, offline; code 1 where one is not whole.

    keys: public keys to trust, as hex or as `.pub` files; none: any key, which is told.
    """
    trusted = frozenset(_read_key(key) for key in keys)
    verdicts = [check_receipt(receipt, trusted) for receipt in _read_receipts(file)]
    for verdict in verdicts:
        _print_verdict(verdict, is_trusted=bool(trusted))
    if any(verdict.problems for verdict in verdicts):
        raise typer.Exit(1)


def _read_key(key: str) -> bytes:
    return bytes.fromhex(key) if _HEX_KEY.fullmatch(key) else read_public_key(Path(key))


def _read_receipts(file: Path) -> Sequence[dict[str, Any]]:
    try:
        content = json.loads(file.read_text("utf-8"))
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror}"
        raise SlagboomError(message) from error
    except (ValueError, RecursionError) as error:
        message = f"{file}: is no receipt: it holds no JSON"
        raise SlagboomError(message) from error
    found = content.get("receipts", [content]) if isinstance(content, dict) else content
    if not isinstance(found, list) or not found or not all(isinstance(r, dict) for r in found):
        message = f"{file}: holds no receipt"
        raise SlagboomError(message)
    return found


def _print_verdict(verdict: ReceiptVerdict, *, is_trusted: bool) -> None:
    out = sys.stdout
    out.write(f"Receipt of decision {verdict.decision_id}\n")
    for problem in verdict.problems:
        out.write(f"  {problem}\n")
    if verdict.problems:
        out.write("NOT as it was signed\n")
        return
    record = verdict.record
    if record is not None:
        granted = " ".join(names_with(record.choices, is_granted=True)) or "none"
        refused = " ".join(names_with(record.choices, is_granted=False)) or "none"
        out.write(
            f"  {record.action.value} at {format_time(record.given_at)} on {record.site}, "
            f"received {format_time(record.received_at)}\n"
            f"  purposes granted: {granted}; refused: {refused}\n"
        )
    if verdict.checkpoint is None:
        out.write(f"  not yet tied to a checkpoint: {verdict.note}\n")
    else:
        out.write(f"  stands in the log that {describe(verdict.checkpoint)} has signed\n")
    if verdict.key is not None:
        out.write(f"  signed by the key {verdict.key.hex()}\n")
    told = "which was given" if is_trusted else "compare it with the one the controller publishes"
    out.write(f"As it was signed, by that key: {told}\n")
