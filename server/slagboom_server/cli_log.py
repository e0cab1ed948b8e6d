"""`slagboom log`: the data protection officer's questions, answered on the command line."""

from __future__ import annotations

import csv
import json
import sys
from contextlib import closing
from typing import Annotated, Final, Literal

import typer
from rich.console import Console

from slagboom_server import log_tables
from slagboom_server.export import describe_record, write_records
from slagboom_server.query import Query, read_choice, read_filter, read_id
from slagboom_server.report import STATS_COLUMNS, describe_stats, flatten_stats
from slagboom_server.rollup_tables import read_dimensions, read_rollup, write_rollup
from slagboom_server.store_sql import open_store

log = typer.Typer(no_args_is_help=True, help="Ask the consent log.")

Database = Annotated[
    str,
    typer.Option(
        "--database", envvar="SLAGBOOM_DATABASE", metavar="URL", help="Address of the log."
    ),
]
Site = Annotated[str | None, typer.Option("--site", help="Only this site.")]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="Received at or after this date or time, UTC."),
]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="TIME", help="Received up to this date, or before this time."),
]
Purpose = Annotated[
    str | None,
    typer.Option("--purpose", metavar="ID", help="Who granted it; '!ID' for who refused it."),
]
Service = Annotated[
    str | None,
    typer.Option("--service", metavar="ID", help="Who granted it; '!ID' for who refused it."),
]
Action = Annotated[
    str | None,
    typer.Option("--action", help="accept_all, reject_all, save, withdraw, gpc or expire."),
]
ConsentId = Annotated[
    str | None, typer.Option("--consent-id", metavar="UUID", help="Only this visitor.")
]
Format = Annotated[str, typer.Option("--format", help="table, json or csv.")]

DEFAULT_DATABASE: Final = "sqlite:///var/slagboom.db"
_SHAPES: Final[tuple[Literal["table", "json", "csv"], ...]] = ("table", "json", "csv")
_NO_MATCH: Final = "No decision matches."


@log.command("list")
def list_records(
    *,
    database: Database = DEFAULT_DATABASE,
    site: Site = None,
    since: Since = None,
    until: Until = None,
    purpose: Purpose = None,
    service: Service = None,
    action: Action = None,
    consent_id: ConsentId = None,
    format_: Format = "table",
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 50,
) -> None:
    """List decisions, newest first."""
    query = Query(site, since, until, purpose, service, action, consent_id)
    with closing(open_store(database)) as store:
        shape = read_choice("format", format_, _SHAPES)
        found = store.page(read_filter(query, store), limit=limit + 1, newest_first=True)
        records = found[:limit]
        if shape == "table":
            console = Console()
            if records:
                console.print(log_tables.list_records(records, console.width))
            else:
                console.print(_NO_MATCH)
            if len(found) > limit:
                console.print(f"The newest {limit}; there are more: use --limit or log export.")
        else:
            write_records(records, shape, sys.stdout)


@log.command("show")
def show_record(
    decision_id: Annotated[str, typer.Argument(help="The decision's identifier.")],
    *,
    database: Database = DEFAULT_DATABASE,
    format_: Format = "table",
) -> None:
    """Show one decision, and the texts its visitor read; code 1 where there is none."""
    with closing(open_store(database)) as store:
        shape = read_choice("format", format_, _SHAPES)
        record = store.record(read_id("DECISION_ID", decision_id))
        if record is None:
            sys.stderr.write(f"slagboom: {decision_id}: no such decision in this log\n")
            raise typer.Exit(1)
        notice = store.notice(record.site, record.notice)
        if shape == "table":
            Console().print(log_tables.show_record(record, notice))
        elif shape == "json":
            shown = None if notice is None else notice.document
            _print_json({**describe_record(record), "shown": shown})
        else:
            write_records([record], "csv", sys.stdout)


@log.command("stats")
def show_stats(
    *,
    database: Database = DEFAULT_DATABASE,
    site: Site = None,
    since: Since = None,
    until: Until = None,
    purpose: Purpose = None,
    service: Service = None,
    action: Action = None,
    consent_id: ConsentId = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="LIST",
            help="Read the kept counts, erased records included, by some of: site, day, purpose, "
            "revision, language, country, device.",
        ),
    ] = None,
    format_: Format = "table",
) -> None:
    """Count decisions by action, purpose, service, language and day."""
    query = Query(site, since, until, purpose, service, action, consent_id)
    with closing(open_store(database)) as store:
        shape = read_choice("format", format_, _SHAPES)
        if by is not None:
            dimensions = read_dimensions(by)
            write_rollup(dimensions, read_rollup(dimensions, query, store), shape)
            return
        stats = store.stats(read_filter(query, store))
        if shape == "json":
            _print_json(describe_stats(stats))
        elif shape == "csv":
            rows = csv.writer(sys.stdout)
            rows.writerow(STATS_COLUMNS)
            rows.writerows(flatten_stats(stats))
        else:
            Console().print(log_tables.show_stats(stats) if stats.decisions else _NO_MATCH)


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
