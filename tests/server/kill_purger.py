"""Purges step by step and prints a line after each.

Run by test_purge_process.py, which kills it. argv: the database's address.
"""

from __future__ import annotations

import datetime as dt
import sys
import time

from slagboom_server.retention import Pace, purge_sites
from slagboom_server.store_sql import open_store


def tell(_seconds: float) -> bool:
    sys.stdout.write("step\n")
    sys.stdout.flush()
    return False


store = open_store(sys.argv[1])
purge_sites(store.retention, {"acme": 30}, dt.datetime.now(dt.UTC), Pace(time.monotonic, tell))
sys.stdout.write("end\n")
