"""Copies a log, prints a line after the first step and waits for its end after the second.

Run by test_log_copy.py, which kills it. argv: the addresses of the source and of the target.
"""

from __future__ import annotations

import sys

from slagboom_server.log_copy import LogCopy
from slagboom_server.migration import open_current

steps = []


def tell(records: int) -> None:
    steps.append(records)
    if len(steps) > 1:
        sys.stdin.read()
    sys.stdout.write("step\n")
    sys.stdout.flush()


copy = LogCopy(open_current(sys.argv[1]), open_current(sys.argv[2]))
copy.run(copy.plan(), tell)
