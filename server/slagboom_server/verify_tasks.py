"""Stretches of chains handed out to processes, each with connections of its own."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import event

from slagboom_server.chain_check import Stretch, check_stretch, fetch_stretch
from slagboom_server.engine import open_engine, parse_url, reading
from slagboom_server.sealed_rows import RowContexts
from slagboom_server.side_by_side import run_side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Engine

    from slagboom_server.chain import Chain
    from slagboom_server.sealed_rows import Portions

STRETCH: Final = 5_000
"""Records in one reading transaction, a few megabytes."""

_BATCH: Final = 8
"""Stretches in one task of another process."""

Task = tuple["Chain", list[Stretch], dict[int, tuple[bytes, int]]]


def split_chain(
    chain: Chain, first: int, signed: Mapping[int, tuple[bytes, int]]
) -> Iterator[Task]:
    """A chain from a position to its end. signed: by position its hash, and who says so."""
    starts = range(first, chain.length + 1, STRETCH)
    stretches = (
        Stretch(chain.number, start, min(start + STRETCH - 1, chain.length)) for start in starts
    )
    while batch := list(itertools.islice(stretches, _BATCH)):
        begin, end = batch[0].first, batch[-1].last
        near = {place: head for place, head in signed.items() if begin <= place <= end}
        yield chain, batch, near


def check_task(engine: Engine, task: Task) -> list[Stretch]:
    """The stretches of a task, checked."""
    chain, stretches, heads = task
    contexts: RowContexts | None = None
    previous: bytes | None = None
    for stretch, rows in zip(stretches, _fetch_ahead(engine, stretches), strict=True):
        # A transaction for each: a long one would keep the database from tidying up.
        with reading(engine) as connection:
            # Everything to check was there before this task began, and so were its names.
            contexts = contexts or RowContexts(connection)
            check_stretch(connection, contexts, chain, stretch, rows, heads, previous)
        previous = stretch.head
    return stretches


def _fetch_ahead(engine: Engine, stretches: Sequence[Stretch]) -> Iterator[Portions]:
    """The rows of each stretch. A server finds the next ones while those before are hashed."""
    if engine.name == "sqlite":
        # It works in the thread that asks, and only as far as it is asked.
        for stretch in stretches:
            with reading(engine) as connection:
                yield fetch_stretch(connection, stretch)
        return

    def fetch(stretch: Stretch) -> Portions:
        with reading(engine) as connection:
            return fetch_stretch(connection, stretch)

    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(fetch, stretches[0])
        for following in stretches[1:]:
            rows = coming.result()
            coming = pool.submit(fetch, following)
            yield rows
        yield coming.result()


def check_side_by_side(
    engine: Engine, tasks: Iterator[Task], processes: int
) -> Iterator[list[Stretch]]:
    """The tasks checked by so many processes, in the order of the tasks."""
    check = partial(check_task, engine)
    return run_side_by_side(check, check, tasks, processes, engine.dispose)


def open_reader(database_url: str) -> Engine:
    """An engine that reads whatever stands in a text.

    SQLite does not mind bytes that are no UTF-8, and its driver refuses the whole row for them.
    They come as surrogates here, which no digest of ours is made of.
    """
    engine = open_engine(parse_url(database_url))
    if engine.name == "sqlite":
        event.listen(engine, "connect", _read_any_text)
    return engine


def _read_any_text(connection: Any, _record: object) -> None:  # noqa: ANN401 -- a driver's own
    connection.text_factory = _decode


def _decode(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")
