"""The server half: the kit, limits written for it and a peer, loaded in turn in one run."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError
from bench.options import add_outputs, natural, require_outputs, require_parent, tell
from bench.server.engines import Bench
from bench.server.load import find_wrk, send_burst
from bench.server.postgresql import running_postgresql
from bench.server.report import write_report
from bench.server.results import FILLED, Engine, Results
from bench.server.subjects import PEER, install_peer

if TYPE_CHECKING:
    import argparse

MARKER = "make bench: server"


def add_command(halves: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `server` and its options."""
    parser = halves.add_parser("server", help="decisions a second, reading, proof, disk, kills")
    parser.set_defaults(run=run)
    parser.add_argument("--rounds", type=natural, default=3, help="of load (default: 3)")
    parser.add_argument("--seconds", type=natural, default=4, help="of each load (default: 4)")
    parser.add_argument(
        "--rows", type=natural, default=500_000, help="stored in the filled log (default: 500000)"
    )
    parser.add_argument(
        "--walks", type=natural, default=3, help="over all that is stored (default: 3)"
    )
    parser.add_argument("--kills", type=int, default=3, help="under load (default: 3)")
    parser.add_argument("--no-peer", action="store_true", help="leave c15t out; no Node needed")
    parser.add_argument("--no-postgresql", action="store_true", help="SQLite alone")
    parser.add_argument("--folder", type=Path, help="where the logs go (default: a temporary one)")
    add_outputs(parser)


def run(options: argparse.Namespace) -> None:
    """Measures, prints the table and writes it where the options say.

    Raises BenchError, before anything is measured, where an option cannot be followed.
    """
    require_outputs(options, MARKER)
    require_parent("--folder", options.folder)
    results = Results(rows=options.rows, engines={"SQLite": Engine()})
    if find_wrk() is None:
        results.missing.append("decisions a second, wrk is not installed (apt-get install wrk)")
    if not options.no_peer:
        try:
            results.versions[PEER] = install_peer()
        except BenchError as error:
            results.missing.append(f"c15t, {error}")
    with ExitStack() as stack:
        folder = options.folder or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="slagboom-bench-"))
        )
        folder.mkdir(exist_ok=True)
        server = None if options.no_postgresql else stack.enter_context(running_postgresql())
        if server is not None:
            results.engines["PostgreSQL"] = Engine()
            results.versions["PostgreSQL"] = server.version
        elif not options.no_postgresql:
            results.missing.append("PostgreSQL, it is not installed (apt-get install postgresql)")
        benches = [
            Bench(name, engine, folder / name.lower(), server if name == "PostgreSQL" else None)
            for name, engine in results.engines.items()
        ]
        measure(benches, options, results)
    tell(options, MARKER, write_report(results), results)


def measure(benches: list[Bench], options: argparse.Namespace, results: Results) -> None:
    """Fills the results."""
    for bench in benches:
        _say(f"{bench.name}: storing {results.rows:,} decisions")
        bench.fill(results.rows)
    # What was stored in minutes instead of a year would be written out under every flush measured.
    os.sync()
    if find_wrk() is not None:
        _load(benches, options, results)
    for bench in benches:
        _say(f"{bench.name}: reading, exporting, verifying")
        bench.read(options.walks)
        if options.kills:
            _say(f"{bench.name}: {options.kills} kills")
            bench.kill(options.kills)


def _load(benches: list[Bench], options: argparse.Namespace, results: Results) -> None:
    """Every server runs all the time and is loaded in turn: a busy minute hits them alike."""
    with ExitStack() as stack:
        nothing = stack.enter_context(benches[0].running_nothing())
        subjects = [
            (bench, who, target)
            for bench in benches
            for who, target in stack.enter_context(
                bench.running_all(has_peer=PEER in results.versions)
            ).items()
        ]
        for number in range(options.rounds + 1):
            load = os.getloadavg()[0]
            _say(f"round {number} of {options.rounds}, load average {load:.1f}")
            bare = send_burst(nothing, options.seconds)
            found = []
            for bench, who, target in subjects:
                if who == FILLED:
                    bench.warm()
                found.append((bench, who, send_burst(target, options.seconds)))
            if number == 0:  # it warms up everything, and is not counted
                continue
            results.loads.append(load)
            results.nothing.append(bare)
            for bench, who, burst in found:
                bench.results.bursts.setdefault(who, []).append(burst)


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
