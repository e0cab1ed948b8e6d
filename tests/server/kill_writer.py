"""Stores decisions as fast as it can and prints each number once it is acknowledged.

Run by test_writer.py, which kills it. argv: the database's address.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from log_samples import make_record

from slagboom_server.store import Stored
from slagboom_server.store_sql import open_store
from slagboom_server.writer import Writer

LANES = 16


async def store_for_ever(database_url: str) -> None:
    writer = Writer(open_store(database_url))

    async def fill(lane: int) -> None:
        for number in itertools.count(lane, LANES):
            if isinstance(await writer.submit(make_record(number)), Stored):
                sys.stdout.write(f"{number}\n")
                sys.stdout.flush()

    await asyncio.gather(*(fill(lane) for lane in range(LANES)))


asyncio.run(store_for_ever(sys.argv[1]))
