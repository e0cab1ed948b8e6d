"""`slagboom log copy`: the log moved to another database."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Annotated

import typer

from slagboom_server.checkpoint_check import count
from slagboom_server.cli_progress import showing_progress
from slagboom_server.log_copy import LogCopy
from slagboom_server.migration import migrate, open_current


def copy_log(
    source: Annotated[str, typer.Argument(metavar="FROM_URL", help="The log as it is.")],
    target: Annotated[str, typer.Argument(metavar="TO_URL", help="An empty database, or a copy.")],
) -> None:
    """Copy the log to another database with its evidence; run it again to go on.

    The source may be served meanwhile: what is stored after the start comes with the next run.
    """
    with ExitStack() as stack:
        origin = open_current(source)
        stack.callback(origin.dispose)
        migrate(target)
        copy = open_current(target)
        stack.callback(copy.dispose)
        work = LogCopy(origin, copy)
        plan = work.plan()
        with showing_progress() as watch:
            work.run(plan, watch("Copying", plan.missing))
    sys.stdout.write(f"{count(plan.missing, 'record')} copied\n")
