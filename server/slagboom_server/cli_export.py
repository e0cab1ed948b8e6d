"""`slagboom log export`, and the check of what it wrote."""

from __future__ import annotations

import json
import sys
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path  # noqa: TC003 -- Typer reads it from the annotations
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from slagboom_banner.errors import SlagboomError
from slagboom_server.checkpointer import CheckpointMaker
from slagboom_server.cli_log import (
    DEFAULT_DATABASE,
    Action,
    ConsentId,
    Database,
    Purpose,
    Service,
    Since,
    Site,
    Until,
)
from slagboom_server.cli_options import Keys
from slagboom_server.cli_progress import is_watched, showing_progress
from slagboom_server.export import (
    CSV_COLUMNS,
    FORMATS,
    JSON_COLUMNS,
    format_time,
    read_pages,
)
from slagboom_server.export_tasks import Export, count_pages, write_text
from slagboom_server.hold_filter import describe_filter
from slagboom_server.keyring import key_folder
from slagboom_server.manifest import (
    Exported,
    check_manifest,
    manifest_file,
    read_manifest,
    write_manifest,
)
from slagboom_server.parquet import write_parquet
from slagboom_server.query import Query, read_choice, read_filter
from slagboom_server.row import from_ms
from slagboom_server.side_by_side import choose_processes
from slagboom_server.signing import SigningKeys
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from slagboom_server.checkpoint import Checkpoint
    from slagboom_server.export import Format
    from slagboom_server.store import Filter, Store
    from slagboom_server.store_sql import SqlStore

    Signer = tuple[Checkpoint | None, Ed25519PrivateKey]

_SHAPES: Final[tuple[Literal[Format, "parquet"], ...]] = (*FORMATS, "parquet")


def export_records(
    *,
    database: Database = DEFAULT_DATABASE,
    site: Site = None,
    since: Since = None,
    until: Until = None,
    purpose: Purpose = None,
    service: Service = None,
    action: Action = None,
    consent_id: ConsentId = None,
    format_: Annotated[str, typer.Option("--format", help="csv, json, jsonl or parquet.")] = "csv",
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Where to; else to the output.")
    ] = None,
    manifest: Annotated[
        bool, typer.Option(help="Sign what was written, in FILE.manifest.json.")
    ] = True,
    keys: Keys = None,
    processes: Annotated[
        int, typer.Option("--processes", min=0, help="0: as many as there are processors.")
    ] = 0,
) -> None:
    """Write every matching decision, oldest first.

    In CSV a cell that a spreadsheet would run as a formula begins with an apostrophe.
    """
    for file in () if output is None else (output, manifest_file(output)):
        _require_file(file)
        _require_file(_part(file))
    query = Query(site, since, until, purpose, service, action, consent_id)
    with closing(open_store(database)) as store:
        shape = read_choice("format", format_, _SHAPES)
        chosen = read_filter(query, store)
        export = Export(store, chosen, choose_processes(processes))
        if output is None:
            if shape == "parquet":
                message = "--format parquet: a file is needed; give --output FILE"
                raise SlagboomError(message)
            with ExitStack() as stack:
                # A bar beside the rows on one screen would be in their way.
                is_apart = not sys.stdout.isatty()
                advance = stack.enter_context(_progress(store, chosen)) if is_apart else None
                _Written(export, advance).write_text(shape, sys.stdout)
            return
        # Asked for first: who cannot sign should not learn it after an hour of writing.
        signer = _find_signer(store, key_folder(database, keys)) if manifest else None
        with _progress(store, chosen) as advance, _whole_file(output) as part:
            written = _Written(export, advance)
            if shape == "parquet":
                written.write_parquet(part)
            else:
                with part.open("w", encoding="utf-8", newline="") as out:
                    written.write_text(shape, out)
        if signer is not None:
            exported = Exported(
                file=output,
                format=shape,
                rows=written.rows,
                columns=CSV_COLUMNS if shape in {"csv", "parquet"} else JSON_COLUMNS,
                filters=describe_filter(chosen),
                made_at=format_time(from_ms(time.time_ns() // 1_000_000)),
            )
            signed = json.dumps(write_manifest(exported, *signer), ensure_ascii=False, indent=2)
            with _whole_file(manifest_file(output)) as part:
                part.write_text(signed + "\n", "utf-8")


def verify_manifest(file: Path, folder: Path) -> None:
    """Says whether an export is the one that was signed; code 1 if not. folder: of the keys."""
    members = read_manifest(file)
    problems = check_manifest(file, members, SigningKeys(folder).public())
    if problems:
        for problem in problems:
            sys.stdout.write(f"{problem}\n")
        sys.stdout.write("NOT the export as it was signed\n")
        raise typer.Exit(1)
    used = ", ".join(f"{name} {value}" for name, value in members["filters"].items()) or "no filter"
    last = members["checkpoint"]
    after = "before the first checkpoint" if last is None else f"after checkpoint {last['number']}"
    sys.stdout.write(
        f"{members['file']} is the export as it was signed: {members['rows']:,} rows ({used}), "
        f"made {members['made_at']} {after}, key {members['key'][:16]}…\n"
    )


def _find_signer(store: SqlStore, folder: Path) -> Signer:
    maker = CheckpointMaker(store.evidence, folder)
    try:
        return maker.last(), maker.signing_key()
    except SlagboomError as error:
        message = f"the manifest of an export cannot be signed: {error}; or give --no-manifest"
        raise SlagboomError(message) from error


class _Written:
    """An export whose records are counted while they are read. advance: told of each page, if."""

    def __init__(self, export: Export, advance: Callable[[int], None] | None) -> None:
        self._export = export
        self._advance = advance
        self.rows = 0

    def write_text(self, shape: Format, out: TextIO) -> None:
        """Writes all of them. out: opened with `newline=""`."""
        write_text(self._export, shape, out, self._advance_by)

    def write_parquet(self, out: Path) -> None:
        """Writes all of them as a Parquet file."""
        store, chosen, _ = self._export
        pages = count_pages(read_pages(store, chosen), self._advance_by)
        write_parquet((record for page in pages for record in page), out)

    def _advance_by(self, rows: int) -> None:
        self.rows += rows
        if self._advance is not None:
            self._advance(rows)


@contextmanager
def _progress(store: Store, chosen: Filter) -> Iterator[Callable[[int], None] | None]:
    """What moves a progress bar on by so many records; None where nobody looks at it."""
    with showing_progress() as watch:
        # Counting what will come takes long, too.
        yield watch("Exporting", store.count(chosen)) if is_watched() else None


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _require_file(path: Path) -> None:
    """Raises SlagboomError where there is something else, whose place a whole file would take."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        message = f"{path}: is no regular file; name another one, or leave --output out and pipe"
        raise SlagboomError(message)


@contextmanager
def _whole_file(path: Path) -> Iterator[Path]:
    """A path to write to, whose file appears under its name only once it is complete."""
    part = _part(path)
    try:
        yield part
        part.replace(path)
    except OSError as error:
        message = f"{path}: cannot write the export: {error.strerror or error}"
        raise SlagboomError(message) from error
    finally:
        part.unlink(missing_ok=True)
