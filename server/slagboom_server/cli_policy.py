"""`slagboom policy`: what the policy files say, what was published of them, and what differs."""

from __future__ import annotations

import getpass
import json
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from slagboom_banner.assets import texts_directory
from slagboom_banner.difference import compare_policies, policy_data
from slagboom_banner.errors import SlagboomError
from slagboom_banner.load import read_policy
from slagboom_banner.rules import check_policies
from slagboom_banner.texts import read_texts
from slagboom_server.cli_log import DEFAULT_DATABASE, Database
from slagboom_server.cli_options import Policies
from slagboom_server.clock import read_clock
from slagboom_server.export import format_time
from slagboom_server.publication import find_publication
from slagboom_server.publishing import build_sites, publish
from slagboom_server.query import read_choice
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slagboom_banner.difference import Data, Difference
    from slagboom_server.publication import Publication, Publications

_LONGEST_NAME: Final = 200

policy = typer.Typer(help="Check, publish and compare policies.", no_args_is_help=True)

Reference = Annotated[
    str, typer.Argument(help="SITE@REVISION, SITE#NUMBER, or SITE for its newest.")
]


@policy.command()
def check(policies: Policies = Path("policies")) -> None:
    """Validate every policy of a folder and lint it against the law; code 2 for errors."""
    loaded, findings = check_policies(policies, read_texts(texts_directory()))
    errors = [finding for finding in findings if finding.severity == "error"]
    for finding in findings:
        sys.stderr.write(f"{finding}\n")
    sys.stdout.write(
        f"{len(loaded)} policies read: {len(errors)} errors, "
        f"{len(findings) - len(errors)} warnings\n"
    )
    if errors:
        raise typer.Exit(2)


@policy.command("publish")
def publish_policies(
    sites: Annotated[list[str] | None, typer.Argument(help="Only these; else all.")] = None,
    *,
    author: Annotated[
        str | None, typer.Option("--author", metavar="NAME", help="Who publishes; else your login.")
    ] = None,
    policies: Policies = Path("policies"),
    database: Database = DEFAULT_DATABASE,
) -> None:
    """Record what each site serves from now on, by whom, and what changed."""
    name = getpass.getuser() if author is None else author.strip()
    if not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME:
        message = f"--author: write a name on one line, of at most {_LONGEST_NAME} letters"
        raise SlagboomError(message)
    with closing(open_store(database)) as store:
        built, _ = build_sites(policies, store, only=sites or ())
        for site in sites or ():
            if site not in built:
                message = f"{policies}: holds no policy of a site {site!r}"
                raise SlagboomError(message)
        for site, ready in built.items():
            before = store.publications.all(site)
            made = publish(store, ready, name, read_clock())
            if made is None:
                sys.stdout.write(f"{site}: nothing new; {_describe(before[-1])}\n")
                continue
            sys.stdout.write(f"{site}: {_describe(made)}\n")
            if before:
                _print_difference(_compare(store.publications, before[-1], made))


@policy.command("list")
def list_publications(
    site: Annotated[str | None, typer.Argument(help="Only this one.")] = None,
    *,
    database: Database = DEFAULT_DATABASE,
    format_: Annotated[str, typer.Option("--format", help="table or json.")] = "table",
) -> None:
    """List what was published: from when until when, by whom."""
    shape = read_choice("format", format_, ("table", "json"))
    with closing(open_store(database)) as store:
        found = store.publications.all(site)
    if shape == "json":
        typer.echo(json.dumps([json.loads(made.text) for made in found], indent=2))
        return
    if not found:
        sys.stdout.write("Nothing was published yet; a server or `policy publish` does it.\n")
    followers = {(made.site, made.number - 1): made for made in found}
    for made in found:
        following = followers.get((made.site, made.number))
        until = "now" if following is None else format_time(following.published_at)
        sys.stdout.write(
            f"{made.site}#{made.number}  revision {made.revision}  "
            f"{format_time(made.published_at)} to {until}  by {made.author}\n"
        )


@policy.command("show")
def show_publication(
    reference: Reference,
    *,
    database: Database = DEFAULT_DATABASE,
    format_: Annotated[
        str, typer.Option("--format", help="table, or json with the whole policy.")
    ] = "table",
) -> None:
    """Show a publication: what changed, which notices and which scripts it served."""
    shape = read_choice("format", format_, ("table", "json"))
    with closing(open_store(database)) as store:
        found = store.publications.all()
        made = find_publication(found, reference)
        if shape == "json":
            data = _read_policy(store.publications, made)
            typer.echo(json.dumps({**json.loads(made.text), **data}, ensure_ascii=False, indent=2))
            return
        served = made.served
        sys.stdout.write(
            f"{made.site}: {_describe(made)}\nSHA-256 {made.digest}\n"
            f"Slagboom {served['kit']}\nPolicy {served['policy']}\nStyle {served['style']}\n"
        )
        for title, digests in (("Notice", served["notices"]), ("Script", served["scripts"])):
            for name, value in digests.items():
                sys.stdout.write(f"{title} {value}  {name}\n")
        earlier = [each for each in found if each.site == made.site and each.number < made.number]
        if earlier:
            sys.stdout.write(f"Since {made.site}#{earlier[-1].number}:\n")
            _print_difference(_compare(store.publications, earlier[-1], made))


@policy.command("diff")
def compare(
    before: Annotated[str, typer.Argument(help="A policy file, SITE@REVISION or SITE#NUMBER.")],
    after: Annotated[str, typer.Argument(help="The same, for what came later.")],
    *,
    database: Database = DEFAULT_DATABASE,
) -> None:
    """Say in words what changed, and whether every visitor must be asked again; then code 1."""
    old, new = (_read_side(side, database) for side in (before, after))
    difference = compare_policies(old, new)
    _print_difference(difference)
    if difference.asks_again:
        raise typer.Exit(1)


def _read_side(side: str, database: str) -> Data:
    file = Path(side)
    if file.suffix == ".yaml" or file.is_file():
        return policy_data(read_policy(file, file.parent / "services"))
    with closing(open_store(database)) as store:
        found = store.publications.all()
        return _read_policy(store.publications, find_publication(found, side))


def _read_policy(publications: Publications, made: Publication) -> Data:
    data: Data = json.loads(publications.read(made.served["policy"]))
    return data


def _compare(publications: Publications, old: Publication, new: Publication) -> Difference:
    return compare_policies(_read_policy(publications, old), _read_policy(publications, new))


def _describe(made: Publication) -> str:
    return (
        f"revision {made.revision}, published as #{made.number} "
        f"on {format_time(made.published_at)} by {made.author}"
    )


def _print_difference(difference: Difference) -> None:
    _print_lines(difference.changed or ("the policy itself is the same",))
    if difference.asks_again:
        sys.stdout.write("Every visitor must be asked again, under a higher revision, because:\n")
        _print_lines(difference.asks_again)
    else:
        sys.stdout.write("Nobody needs to be asked again.\n")


def _print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        sys.stdout.write(f"  {line}\n")
