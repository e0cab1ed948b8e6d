"""`slagboom log erase`, `log purge` and `hold`: what leaves the log, and what must stay."""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NoReturn

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from slagboom_banner.errors import SlagboomError
from slagboom_banner.load import read_policies
from slagboom_server.chain import Reason
from slagboom_server.checkpoint_check import count
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
from slagboom_server.clock_witness import doubt_clock
from slagboom_server.export import format_time
from slagboom_server.hold_filter import describe_filter
from slagboom_server.query import Query, read_choice, read_filter, read_id
from slagboom_server.retention import Pace, RecordsHeld, is_due, purge
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slagboom_server.retention import Hold

hold_commands = typer.Typer(no_args_is_help=True, help="Keep records that a case needs.")

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only tell what would go.", show_default=False)
]
Policies = Annotated[
    Path,
    typer.Option("--policies", envvar="SLAGBOOM_POLICIES", help="Folder of policies."),
]
Format = Annotated[str, typer.Option("--format", help="table or json.")]
_SHAPES: Final[tuple[Literal["table", "json"], ...]] = ("table", "json")
_MAX_REASON: Final = 500
_DUE: Final = ("site", "retention_days", "ended_before", "records", "held", "notices")


def erase_records(
    *,
    consent_id: Annotated[str, typer.Option("--consent-id", metavar="UUID", help="Whose.")],
    database: Database = DEFAULT_DATABASE,
    site: Site = None,
    dry_run: DryRun = False,
) -> None:
    """Erase one visitor's records; code 1 where there are none or a legal hold keeps any.

    What stays is a tombstone without anything personal, so that the log still verifies.
    """
    visitor = read_id("--consent-id", consent_id)
    with closing(open_store(database)) as store:
        read_filter(Query(site=site), store)
        found, holds = store.retention.count(visitor, site)
        if not found:
            _answer_no(f"{visitor}: no such visitor in this log")
        if holds:
            _answer_no(f"{visitor}: {RecordsHeld(holds)}")
        if dry_run:
            sys.stdout.write(f"{count(found, 'record')} would be erased\n")
            return
        try:
            erased = store.retention.erase(visitor, Reason.DPO, dt.datetime.now(dt.UTC), site)
        except RecordsHeld as error:  # made since it was asked for
            _answer_no(f"{visitor}: {error}")
        sys.stdout.write(f"{count(erased, 'record')} erased\n")


def purge_records(
    *,
    database: Database = DEFAULT_DATABASE,
    policies: Policies = Path("policies"),
    site: Site = None,
    dry_run: DryRun = False,
    clock_is_right: Annotated[
        bool,
        typer.Option(
            "--clock-is-right",
            help="Purge although no visitor's clock vouches for this machine's.",
            show_default=False,
        ),
    ] = False,
    format_: Format = "table",
) -> None:
    """Erase what has been kept for as long as its policy says, and report it.

    The log may be served meanwhile. Serving processes purge once a day by themselves.
    """
    shape = read_choice("format", format_, _SHAPES)
    days = {
        name: loaded.policy.record.retention_days
        for name, loaded in read_policies(policies).items()
    }
    with closing(open_store(database)) as store:
        kept_sites = sorted({offer.site for offer in store.offers()})
        if site is not None:
            read_filter(Query(site=site), store)
            kept_sites = [site]
        now = dt.datetime.now(dt.UTC)
        doubt = None if clock_is_right else doubt_clock(store.retention, now)
        known = {name: days[name] for name in kept_sites if name in days}
        if doubt is not None and is_due(store.retention, known, now):
            if not dry_run:
                _answer_no(doubt)
            sys.stderr.write(f"slagboom: {doubt}\n")
        pace = Pace(time.monotonic, _rest)
        report: list[dict[str, str | int]] = []
        for name in kept_sites:
            if name not in days:
                sys.stderr.write(
                    f"slagboom: {name}: no policy in {policies} says how long its records are "
                    "kept; nothing of it is purged\n"
                )
                continue
            due = store.retention.due(name, days[name], now)
            ended = format_time(due.valid_before)
            done = due if dry_run else purge(store.retention, due, now, pace)
            row = (name, days[name], ended, done.records, done.held, done.notices)
            report.append(dict(zip(_DUE, row, strict=True)))
        dropped = [] if dry_run or doubt else store.retention.drop_months(now)
    for month in dropped:
        sys.stderr.write(f"slagboom: {month} held nothing any more and was dropped\n")
    _print_report(report, shape, "would be purged" if dry_run else "purged")


def _rest(seconds: float) -> bool:
    time.sleep(seconds)
    return False


def _print_report(
    report: Sequence[Mapping[str, str | int]], shape: Literal["table", "json"], verb: str
) -> None:
    if shape == "json":
        typer.echo(json.dumps(report, ensure_ascii=False, indent=2))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    heads = ("Site", "Kept for days", "Choice ended before", f"Records {verb}", "Held", "Notices")
    for head in heads:
        table.add_column(head)
    for row in report:
        table.add_row(*(str(row[name]) for name in _DUE))
    Console().print(table)


def _describe_hold(hold: Hold) -> dict[str, Any]:
    return {
        "number": hold.number,
        "filter": describe_filter(hold.chosen),
        "reason": hold.reason,
        "made_at": format_time(hold.made_at),
        "released_at": None if hold.released_at is None else format_time(hold.released_at),
    }


def _answer_no(message: str) -> NoReturn:
    sys.stderr.write(f"slagboom: {message}\n")
    raise typer.Exit(1)


@hold_commands.command("add")
def add_hold(
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why, as a case number.")],
    database: Database = DEFAULT_DATABASE,
    site: Site = None,
    since: Since = None,
    until: Until = None,
    purpose: Purpose = None,
    service: Service = None,
    action: Action = None,
    consent_id: ConsentId = None,
) -> None:
    """Keep matching records, also those to come, from being erased and purged."""
    words = reason.strip()
    if not 0 < len(words) <= _MAX_REASON:
        message = f"--reason: write 1 to {_MAX_REASON} characters"
        raise SlagboomError(message)
    query = Query(site, since, until, purpose, service, action, consent_id)
    with closing(open_store(database)) as store:
        chosen = read_filter(query, store)
        hold = store.retention.add_hold(chosen, words, dt.datetime.now(dt.UTC))
        now_kept = store.count(chosen)
    sys.stdout.write(f"hold {hold.number} is in force and keeps {count(now_kept, 'record')} now\n")


@hold_commands.command("list")
def list_holds(*, database: Database = DEFAULT_DATABASE, format_: Format = "table") -> None:
    """List every hold, released ones too."""
    shape = read_choice("format", format_, _SHAPES)
    with closing(open_store(database)) as store:
        holds = [_describe_hold(hold) for hold in store.retention.holds()]
    if shape == "json":
        typer.echo(json.dumps(holds, ensure_ascii=False, indent=2))
        return
    if not holds:
        sys.stdout.write("No legal hold.\n")
        return
    table = Table("Hold", "Records", "Reason", "Since", "Released", box=box.SIMPLE_HEAD)
    for hold in holds:
        fields = " ".join(f"{name}={value}" for name, value in hold["filter"].items())
        released = hold["released_at"] or "in force"
        table.add_row(
            str(hold["number"]), fields or "all", hold["reason"], hold["made_at"], released
        )
    Console().print(table)


@hold_commands.command("release")
def release_hold(
    number: Annotated[int, typer.Argument(help="The hold's number.")],
    *,
    database: Database = DEFAULT_DATABASE,
) -> None:
    """End a hold; code 1 where none in force has this number."""
    with closing(open_store(database)) as store:
        if store.retention.release_hold(number, dt.datetime.now(dt.UTC)) is None:
            _answer_no(f"hold {number}: there is none in force")
    sys.stdout.write(f"hold {number} is released; what is past its time goes with the next purge\n")
