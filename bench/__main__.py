"""The command behind `make bench`."""

from __future__ import annotations

import argparse
import sys

from bench.client import command as client
from bench.errors import BenchError
from bench.server import command as server

HALVES = {"client": client, "server": server}


def main() -> int:
    """Run the half that is asked for, or all; 2 with one line where one cannot run."""
    parser = argparse.ArgumentParser(
        prog="make bench",
        description="Measures, prints ratios, asserts nothing. Without a HALF: all of them.",
        epilog='Options go in ARGS: make bench ARGS="client --rounds 3".',
    )
    halves = parser.add_subparsers(required=True, metavar="HALF")
    for half in HALVES.values():
        half.add_command(halves)
    asked = sys.argv[1:]
    try:
        for arguments in [asked] if asked else [[name] for name in HALVES]:
            options = parser.parse_args(arguments)
            options.run(options)
    except BenchError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
