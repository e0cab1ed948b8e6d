"""How long the log takes to answer: one visitor, one page, a year's rates, all of it."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import random
import statistics
import time
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from sqlalchemy import func, select

from bench.errors import BenchError
from bench.server.subjects import SITE
from slagboom_server.engine import open_engine, parse_url, reading
from slagboom_server.export_tasks import Export, write_text
from slagboom_server.rollup import Dimension
from slagboom_server.row import from_ms
from slagboom_server.schema import records
from slagboom_server.side_by_side import choose_processes
from slagboom_server.store import Cursor, Filter
from slagboom_server.store_sql import open_store
from slagboom_server.verify import Verification

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from uuid import UUID

    from slagboom_server.record import ConsentRecord
    from slagboom_server.store import Store

_Answer = TypeVar("_Answer")

_VISITORS: Final = 300
_PAGES: Final = 40
_PAGE: Final = 100
_YEARS: Final = 9


@dataclass(frozen=True, slots=True)
class Answers:
    """Milliseconds in the store. Of visitors and pages the median and the slowest hundredth.

    asked: one visitor's own records over HTTP, with a receipt made for each.
    """

    visitor: float
    slow_visitor: float
    asked: float
    slow_asked: float
    first_page: float
    last_page: float
    any_page: float
    slow_page: float
    year: float


@dataclass(frozen=True, slots=True)
class Work:
    """A walk over rows. memory: the most it held at once, MB."""

    rows: int
    seconds: float
    memory: float

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


def time_answers(database: str, port: int) -> Answers:
    """Asks the log what officers and visitors ask, many times over; a first time is not counted.

    port: of a kit that serves this log.
    """
    chance = random.Random(5)  # noqa: S311  the same questions each time
    with closing(open_store(database)) as store:
        places = _pick_places(database, chance)
        visitors = [record.consent_id for place in places for record in _read_page(store, place)]
        chosen: list[UUID] = chance.sample(visitors, min(_VISITORS, len(visitors)))
        by_visitor = [_milliseconds(store.records_of, consent_id) for consent_id in chosen]
        with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            _ask(connection, chosen[0])
            asked = [_milliseconds(_ask, connection, consent_id) for consent_id in chosen]
        pages = [_milliseconds(_read_page, store, place) for place in places]
        first = [_milliseconds(_read_page, store, None) for _ in range(_YEARS)]
        last = [_milliseconds(_read_last_page, store) for _ in range(_YEARS)]
        years = [_milliseconds(_read_year, store) for _ in range(_YEARS)]
    return Answers(
        visitor=statistics.median(by_visitor),
        slow_visitor=slowest_hundredth(by_visitor),
        asked=statistics.median(asked),
        slow_asked=slowest_hundredth(asked),
        first_page=statistics.median(first),
        last_page=statistics.median(last),
        any_page=statistics.median(pages),
        slow_page=slowest_hundredth(pages),
        year=statistics.median(years),
    )


def slowest_hundredth(values: list[float]) -> float:
    """What 99 of 100 stay below."""
    return sorted(values)[min(len(values) - 1, len(values) * 99 // 100)]


def _milliseconds(ask: Callable[..., _Answer], *about: object) -> float:
    began = time.perf_counter()
    ask(*about)
    return (time.perf_counter() - began) * 1000


def _pick_places(database: str, chance: random.Random) -> list[Cursor]:
    """Places all over the log."""
    engine = open_engine(parse_url(database))
    try:
        with reading(engine) as connection:
            ends = select(func.min(records.c.received_at), func.max(records.c.received_at))
            first, last = connection.execute(ends).one()
    finally:
        engine.dispose()
    if first is None:
        message = "the log is empty; there is nothing to read"
        raise BenchError(message)
    return [Cursor(from_ms(chance.randint(first, last)), 0) for _ in range(_PAGES)]


def _ask(connection: HTTPConnection, consent_id: UUID) -> None:
    connection.request("GET", f"/s/{SITE}/records/{consent_id}")
    answer = connection.getresponse()
    answer.read()
    if answer.status != HTTPStatus.OK:
        message = f"a visitor's own records were answered with {answer.status}"
        raise BenchError(message)


def _read_page(store: Store, after: Cursor | None) -> Sequence[ConsentRecord]:
    return store.page(Filter(site=SITE), after, limit=_PAGE)


def _read_last_page(store: Store) -> object:
    return store.page(Filter(site=SITE), limit=_PAGE, newest_first=True)


def _read_year(store: Store) -> object:
    today = dt.datetime.now(dt.UTC).date()
    return store.rollups.read(
        [Dimension.DAY, Dimension.PURPOSE], site=SITE, first_day=today - dt.timedelta(days=365)
    )


def export_log(database: str, shape: Literal["csv", "jsonl"]) -> int:
    """Writes every record to nowhere, as `slagboom log export` does; how many."""
    written: list[int] = []
    with closing(open_store(database)) as store, Path("/dev/null").open("w", newline="") as out:
        write_text(Export(store, Filter(), choose_processes(0)), shape, out, written.append)
    return sum(written)


def verify_log(database: str, processes: int) -> int:
    """Verifies every chain, as `slagboom log verify` does; how many records.

    Raises BenchError where the log does not verify.
    """
    with closing(Verification(database, {})) as verification:
        verdict = verification.check_frame(frozenset(), [])
        verification.run(verdict, processes, lambda _: None)
    if verdict.faults or verdict.problems:
        message = f"{database} does not verify: {verdict.problems or verdict.findings[:1]}"
        raise BenchError(message)
    return verdict.records


def measure_work(walk: Callable[..., int], *about: object) -> Work:
    """The walk in a fresh process of its own, its start not counted."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_walk, args=(sender, walk, about))
    process.start()
    sender.close()
    try:
        rows, seconds, memory = receiver.recv()
    except EOFError as error:
        message = f"{walk.__name__} ended without a result"
        raise BenchError(message) from error
    finally:
        process.join()
    return Work(rows, seconds, memory)


def sum_work(several: Sequence[Work]) -> Work:
    """Several walks as one."""
    return Work(
        rows=sum(work.rows for work in several),
        seconds=sum(work.seconds for work in several),
        memory=max(work.memory for work in several),
    )


def _walk(sender: Connection, walk: Callable[..., int], about: tuple[object, ...]) -> None:
    began = time.perf_counter()
    rows = walk(*about)
    sender.send((rows, time.perf_counter() - began, _peak_memory()))


def _peak_memory() -> float:
    """MB this process has held at most, by Linux; its children are not in it."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0
