"""`slagboom log verify`: the evidence checked on the command line, and what is wrong told."""

from __future__ import annotations

import datetime as dt
import sys
import time
from contextlib import closing, suppress
from pathlib import Path  # noqa: TC003 -- Typer reads it from the annotations
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import typer

from slagboom_banner.errors import SlagboomError
from slagboom_server.chain_check import Fault
from slagboom_server.checkpoint import read_checkpoint
from slagboom_server.checkpoint_check import count, describe, is_text
from slagboom_server.checkpoint_copy import CheckpointCopies, read_file
from slagboom_server.cli_export import verify_manifest
from slagboom_server.cli_log import DEFAULT_DATABASE, Database
from slagboom_server.cli_options import Keys
from slagboom_server.cli_progress import showing_progress
from slagboom_server.cli_receipt import verify_receipts
from slagboom_server.export import format_time
from slagboom_server.keyring import key_folder
from slagboom_server.migration import open_current
from slagboom_server.row import from_ms
from slagboom_server.side_by_side import choose_processes
from slagboom_server.signing import SigningKeys
from slagboom_server.timestamp import read_roots
from slagboom_server.verify import Verification
from slagboom_server.verify_progress import read_progress, write_progress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slagboom_server.chain import Chain
    from slagboom_server.chain_check import Finding
    from slagboom_server.checkpoint import Checkpoint
    from slagboom_server.checkpoint_check import Checked
    from slagboom_server.verify import Uncovered, Verdict

_SHOWN: Final = 20
"""Findings told one by one."""

_UNCOVERED: Final = 3
"""The exit code where no checkpoint covers what one should."""

_SMALL: Final = 50_000
"""Records that other processes are not worth."""

_SAVE_SECONDS: Final = 5.0


def verify_log(
    *,
    database: Database = DEFAULT_DATABASE,
    keys: Keys = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", metavar="FILE", help="A copy that lay outside; several may."),
    ] = None,
    since_checkpoint: Annotated[
        bool,
        typer.Option(
            "--since-checkpoint", help="Only what came after --checkpoint, or the newest copy."
        ),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the last verification stopped.")
    ] = False,
    timestamp_ca: Annotated[
        Path | None,
        typer.Option("--timestamp-ca", metavar="FILE", help="Authorities to believe, PEM."),
    ] = None,
    counts: Annotated[
        bool, typer.Option("--counts", help="Count again what `log stats --by` tells, too.")
    ] = False,
    processes: Annotated[
        int, typer.Option("--processes", min=0, help="0: as many as there are processors.")
    ] = 0,
    receipt: Annotated[
        Path | None,
        typer.Option("--receipt", metavar="FILE", help="Only this receipt, without the log."),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="KEY", help="To trust: 64 hex digits, or a .pub file."),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option("--manifest", metavar="FILE", help="Only an export, by its manifest."),
    ] = None,
) -> None:
    """Prove that no decision was altered, removed, inserted or reordered; code 1 if one was.

    Code 3 where nothing is wrong but no checkpoint covers what one should have covered.
    """
    if receipt is not None:
        verify_receipts(receipt, key or ())
        return
    if manifest is not None:
        verify_manifest(manifest, key_folder(database, keys))
        return
    open_current(database).dispose()
    folder = key_folder(database, keys)
    given = [(str(file), read_file(file)) for file in checkpoint or ()]
    progress = folder / "verify.progress"
    start: dict[bytes, tuple[int, bytes]] = {}
    if resume:
        start = read_progress(progress)
    with closing(Verification(database, {})) as found:
        copies = _read_copies(found, folder)
    if since_checkpoint and not resume:
        start = _start_after(given or copies)
    with closing(Verification(database, start)) as verification:
        roots = read_roots(timestamp_ca) if timestamp_ca is not None else []
        trusted = SigningKeys(folder).public()
        verdict = verification.check_frame(trusted, [*copies, *given], roots)
        count = choose_processes(processes)
        if not processes and verification.total < _SMALL:
            count = 1
        _run(verification, verdict, count, progress)
        if counts:
            verdict.problems += verification.check_counts()
        uncovered = verification.find_uncovered(verdict.checkpoints, dt.datetime.now(dt.UTC))
        _report(verdict, verification.chains, is_part=bool(start), has_counts=counts)
    if uncovered is not None:
        _write(_tell_uncovered(uncovered))
    if not verdict.is_good:
        raise typer.Exit(1)
    if uncovered is not None:
        raise typer.Exit(_UNCOVERED)


def _read_copies(verification: Verification, folder: Path) -> list[tuple[str, Checkpoint]]:
    logs = {chain.uid for chain in verification.chains if chain.number == 0}
    last = verification.last_checkpoint()
    if last is not None and is_text(last.text):
        # Where it cannot be read, the verification itself says so.
        with suppress(SlagboomError):
            logs.add(read_checkpoint(last.text).log)
    copies = CheckpointCopies(folder)
    return [(str(file), copy) for log in sorted(logs) for file, copy in copies.all(log)]


def _start_after(copies: Sequence[tuple[str, Checkpoint]]) -> dict[bytes, tuple[int, bytes]]:
    if not copies:
        message = "--since-checkpoint: there is no copy of a checkpoint; name one by --checkpoint"
        raise SlagboomError(message)
    _, newest = max(copies, key=lambda pair: pair[1].number)
    return {head.uid: (head.length, head.hash) for head in newest.heads}


def _run(verification: Verification, verdict: Verdict, processes: int, progress: Path) -> None:
    saved = time.monotonic()
    with showing_progress() as watch:
        show = watch("Verifying", verification.total)

        def advance(records: int) -> None:
            nonlocal saved
            show(records)
            if time.monotonic() - saved > _SAVE_SECONDS:
                write_progress(progress, verification.done)
                saved = time.monotonic()

        try:
            verification.run(verdict, processes, advance)
        except KeyboardInterrupt:
            message = f"stopped after {verdict.records:,} records; go on with --resume"
            raise SlagboomError(message) from None
        finally:
            write_progress(progress, verification.done)


def _report(verdict: Verdict, chains: Sequence[Chain], *, is_part: bool, has_counts: bool) -> None:
    uids = {chain.number: chain.uid for chain in chains}
    for problem in verdict.told:
        _write(problem)
    for finding in verdict.findings[:_SHOWN]:
        sys.stdout.write(f"{_describe(finding, uids)}\n")
    if verdict.faults > _SHOWN:
        sys.stdout.write(f"… and {verdict.faults - _SHOWN:,} more places\n")
    part = " since then" if is_part else ""
    told = (
        f"{count(verdict.records, 'record')}{part} ({verdict.erased:,} erased) in "
        f"{count(len(chains), 'chain')}, {count(verdict.checkpoints.count, 'checkpoint')}"
    )
    if not verdict.is_good:
        sys.stdout.write(f"NOT as it was signed: {told} read\n")
        return
    _write(f"Nothing altered, removed, inserted or reordered: {told}")
    if has_counts:
        sys.stdout.write("The counts beside the log agree with its records\n")
    last = verdict.checkpoints.last
    newer = sum(chain.length for chain in chains)
    if last is None:
        sys.stdout.write("No checkpoint yet: only the chains themselves were checked\n")
        return
    newer -= sum(head.length for head in last.heads)
    sys.stdout.write(
        f"Newest is {describe(last)}; {count(max(newer, 0), 'record')} came after it; "
        f"time-stamps: {_tell_stamps(verdict.checkpoints)}\n"
        f"{count(verdict.publications.count, 'publication')} of policies, "
        f"{verdict.publications.unsigned:,} after that checkpoint\n"
    )


def _write(line: str) -> None:
    # What was altered may hold bytes that are no text.
    sys.stdout.write(line.encode("utf-8", "backslashreplace").decode() + "\n")


def _tell_stamps(checked: Checked) -> str:
    if not checked.unchecked_stamps:
        return f"{checked.stamped:,}"
    return f"{checked.unchecked_stamps:,} not checked, for want of --timestamp-ca"


def _tell_uncovered(uncovered: Uncovered) -> str:
    first, last = (format_time(from_ms(time)) for time in (uncovered.first_at, uncovered.last_at))
    return (
        f"NOT covered by any checkpoint: {count(uncovered.count, 'record')}, received {first} to "
        f"{last}. A server makes a checkpoint every minute: either it could not, which its own log "
        "says, or the newest were removed, and what they covered may have been written anew"
    )


def _describe(finding: Finding, uids: Mapping[int, bytes]) -> str:
    last = finding.position + finding.count - 1
    where = f"chain {uids[finding.number].hex()[:8]}… record {finding.position}"
    if finding.count > 1:
        where += f" to {last}"
    match finding.fault:
        case Fault.MISSING:
            what = "missing: removed without a tombstone"
        case Fault.INSERTED:
            what = "inserted, or exchanged with the next: the rest belongs together without it"
        case Fault.REWRITTEN:
            what = (
                f"not the one that checkpoint {finding.checkpoint} has signed: the chain was "
                "written anew, from somewhere after the checkpoint before it"
            )
        case Fault.ALTERED:
            what = "altered, or exchanged with another, or one before it was taken out"
    time_ = "" if finding.received_at is None else format_time(from_ms(finding.received_at))
    if finding.decision_id is not None and len(finding.decision_id) == len(UUID(int=0).bytes):
        decision_id = UUID(bytes=finding.decision_id)
        return f"{where}: {what} (decision {decision_id}, received {time_ or 'at no known time'})"
    return f"{where}: {what}" + (f" (after the one received {time_})" if time_ else "")
