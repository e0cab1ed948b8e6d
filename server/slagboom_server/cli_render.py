"""`slagboom policy render`: a first layer of then as a file that any browser opens."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path  # noqa: TC003 -- Typer reads it from the annotations
from typing import Annotated
from uuid import UUID

import typer

from slagboom_banner.errors import SlagboomError
from slagboom_server.cli_log import DEFAULT_DATABASE, Database
from slagboom_server.rendering import render_publication, render_record
from slagboom_server.store_sql import open_store


def render_layer(
    what: Annotated[
        str, typer.Argument(help="A decision's identifier, or SITE@REVISION or SITE#NUMBER.")
    ],
    *,
    database: Database = DEFAULT_DATABASE,
    language: Annotated[
        str | None, typer.Option("--language", help="Of a publication; else the policy's first.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Where to; else to the output.")
    ] = None,
) -> None:
    """Show the first layer exactly as it was, as one HTML file without scripts."""
    with closing(open_store(database)) as store:
        try:
            decision_id = UUID(what)
        except ValueError:
            page = render_publication(store, what, language).to_html()
        else:
            page = render_record(store, decision_id).to_html()
    if html is None:
        sys.stdout.write(page)
        return
    try:
        html.write_text(page, "utf-8")
    except OSError as error:
        message = f"{html}: cannot be written: {error.strerror}"
        raise SlagboomError(message) from error
