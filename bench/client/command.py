"""The client half: one browser session, every subject in turn, round after round."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.client.kit import running_kit
from bench.client.measure import AFTER_READING_MS, Meter
from bench.client.packages import install_packages
from bench.client.report import write_report
from bench.client.results import Results, Series
from bench.client.subjects import BARE, LEAST, OURS, PEERS
from bench.client.visit import SLOW_4G, running_chromium
from bench.client.website import running_website
from bench.errors import BenchError
from bench.options import add_outputs, natural, require_outputs, tell

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from bench.client.subjects import Subject

MARKER = "make bench: client"


def add_command(halves: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `client` and its options."""
    parser = halves.add_parser("client", help="bytes, time and main thread beside six peers")
    parser.set_defaults(run=run)
    parser.add_argument("--rounds", type=natural, default=12, help="counted ones (default: 12)")
    parser.add_argument("--cpu", type=float, default=4, help="times slower (default: 4)")
    parser.add_argument("--peers", help="names, comma-separated (default: all; none: '')")
    add_outputs(parser)


def run(options: argparse.Namespace) -> None:
    """Measures, prints the table and writes it where the options say.

    Raises BenchError, before anything is measured, where an option cannot be followed.
    """
    peers = _chosen(options.peers)
    require_outputs(options, MARKER)
    packages = install_packages()
    measured = (LEAST, OURS, *peers)
    subjects = {subject.name: subject for subject in (BARE, *measured)}
    with (
        tempfile.TemporaryDirectory(prefix="slagboom-bench-") as folder,
        running_website(packages, subjects) as website,
        running_kit(Path(folder), website.port) as website.kit_port,
        running_chromium(options.cpu) as visitors,
    ):
        results = Results(
            browser=visitors.version,
            slowdown=options.cpu,
            versions={peer.package: packages.versions[peer.package] for peer in peers},
            series={subject.name: Series() for subject in measured},
        )
        measure(Meter(website, visitors), measured, options.rounds, results)
    tell(options, MARKER, write_report(results), results)


def measure(meter: Meter, subjects: Iterable[Subject], rounds: int, results: Results) -> None:
    """Fills the results, the subjects taking turns so that a busy minute hits them alike.

    One round more than asked for, the first: it warms up disks, processes and caches, and is not
    counted.
    """
    series = results.series
    for subject in subjects:
        series[subject.name].weight = meter.weigh(subject)
    for number in range(rounds + 1):
        load = os.getloadavg()[0]
        sys.stderr.write(f"round {number} of {rounds}, load average {load:.1f}\n")
        bare = meter.work(BARE)
        found = [
            (
                series[subject.name],
                meter.work(subject),
                meter.time(subject, None),
                meter.time(subject, SLOW_4G),
                meter.time(subject, None, AFTER_READING_MS),
            )
            for subject in subjects
        ]
        if number == 0:
            continue
        results.loads.append(load)
        results.bare_work.append(bare)
        for of_subject, work, local, slow, read in found:
            of_subject.work.append(work)
            of_subject.local.append(local)
            of_subject.slow.append(slow)
            of_subject.read.append(read)


def _chosen(names: str | None) -> tuple[Subject, ...]:
    if names is None:
        return PEERS
    wanted = {name for name in names.split(",") if name}
    unknown = wanted - {peer.name for peer in PEERS}
    if unknown:
        known = ", ".join(peer.name for peer in PEERS)
        message = f"--peers: no peer is called {', '.join(sorted(unknown))}; known: {known}"
        raise BenchError(message)
    return tuple(peer for peer in PEERS if peer.name in wanted)
