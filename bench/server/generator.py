"""Millions of decisions as a year would bring them, in the log's own form and with a valid chain.

Records are made as rows at once: through the kit it would take an hour. Everything a writer keeps
is kept: chain, counts, on PostgreSQL the months and the table of decisions.
"""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import event

from slagboom_banner.model import Action, Layer
from slagboom_server.anonymise import Device
from slagboom_server.chain import link, to_seq
from slagboom_server.chain_sql import OwnChain
from slagboom_server.context import name_context
from slagboom_server.driver import run_together
from slagboom_server.engine import open_engine, parse_url, writing
from slagboom_server.held import decisions
from slagboom_server.leaf import CANONICAL, SALT_BYTES, digest_context, digest_record
from slagboom_server.months import Months
from slagboom_server.names import Names, Notices
from slagboom_server.postgresql import copy_rows
from slagboom_server.retry import retried
from slagboom_server.rollup_sql import Counting
from slagboom_server.row import CONTEXT_IDS, from_ms
from slagboom_server.schema import ACTIONS, DEVICES, LAYERS, clients, origins, records, sites

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Engine

    from slagboom_server.record import OfferedNotice

    Row = tuple[Any, ...]

DAY_MS: Final = 86_400_000
YEAR_MS: Final = 365 * DAY_MS
_BATCH: Final = 50_000
_COLUMNS: Final = ("seq", *CONTEXT_IDS, *CANONICAL, "salt", "hash")
_RECEIVED_AT: Final = len(CONTEXT_IDS)
_DECISION_ID: Final = len(CONTEXT_IDS) + CANONICAL.index("decision_id")
_LIFETIME_MS: Final = 180 * DAY_MS
_CLIENTS: Final = tuple(
    (browser, system, device)
    for browser, system, device in (
        ("Chrome", "Windows", Device.COMPUTER),
        ("Chrome Mobile", "Android", Device.PHONE),
        ("Mobile Safari", "iOS", Device.PHONE),
        ("Safari", "Mac OS X", Device.COMPUTER),
        ("Edge", "Windows", Device.COMPUTER),
        ("Firefox", "Linux", Device.COMPUTER),
        ("Mobile Safari", "iOS", Device.TABLET),
        ("Samsung Internet", "Android", Device.PHONE),
    )
)
_COUNTRIES: Final = ("BE", "BE", "BE", "NL", "NL", "FR", "DE", None)


@dataclass(frozen=True, slots=True)
class Kind:
    """What repeats among decisions. ids, digest: as of a `context.Context`."""

    ids: tuple[int, int, int, int]
    digest: bytes
    full: int
    services: int


def fill_log(database: str, offers: Sequence[OfferedNotice], rows: int, now: int) -> None:
    """Adds so many decisions of the year before `now` (ms since 1970), a random visitor each.

    offers: notices the log holds already; each decision answers one of them. Only for a log that
    no kit has open: nothing is flushed before the end.
    """
    engine = _open_hasty(database)
    try:
        chance = random.Random(rows)  # noqa: S311  the same log each time
        with writing(engine) as connection:
            kinds = _make_kinds(connection, offers)
        months = Months(engine)
        chain = OwnChain(secrets.token_bytes)
        counting = Counting(Names(sites), Notices(), Names(clients))
        start = now - YEAR_MS
        for first in range(0, rows, _BATCH):
            places = range(first, min(first + _BATCH, rows))
            times = [start + YEAR_MS * place // rows for place in places]
            months.prepare([from_ms(times[0]), from_ms(times[-1])])
            batch = list(_make_rows(chance, kinds, times))
            _store(engine, chain, counting, batch, times[-1])
        with writing(engine) as connection:
            chain.release(connection)
    finally:
        engine.dispose()


@retried
def _store(
    engine: Engine,
    chain: OwnChain,
    counting: Counting,
    batch: Sequence[tuple[Row, bytes]],
    now: int,
) -> None:
    with writing(engine) as connection:
        held = chain.lock(connection, now)
        sealed, head = _seal(batch, held.number, held.length, held.head)
        _insert(connection, sealed)
        plain = [row for row, _ in batch]
        counts = counting.adding(connection, held.number, plain, {})
        grown = replace(held, length=held.length + len(batch), head=head)
        advance = chain.advancing(connection, grown, now)
        run_together(connection, [*counts, advance])


def _open_hasty(database: str) -> Engine:
    """The log's engine; SQLite keeps its indexes in memory and flushes nothing."""
    engine = open_engine(parse_url(database))
    if engine.name == "sqlite":
        event.listen(engine, "connect", _hurry)
    return engine


def _hurry(
    connection: Any,  # noqa: ANN401  a driver's own object
    _record: object,
) -> None:
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -1500000")
    connection.execute("PRAGMA wal_autocheckpoint = 100000")
    connection.execute("PRAGMA foreign_keys = OFF")


def _make_kinds(connection: Connection, offers: Sequence[OfferedNotice]) -> list[Kind]:
    site_ids, notices, client_ids, origin_ids = (
        Names(sites),
        Notices(),
        Names(clients),
        Names(origins),
    )
    kinds = []
    for offer in offers:
        origin = f"https://www.{offer.site}.example"
        notice_id = notices.id_of(connection, offer.site, offer.digest)
        for browser, system, device in _CLIENTS:
            ids = (
                site_ids.make_id(connection, offer.site),
                notice_id,
                client_ids.make_id(connection, browser, system, DEVICES[device]),
                origin_ids.make_id(connection, origin),
            )
            client = (browser, system, device.value)
            names = name_context(offer, notices.text(connection, notice_id), client, origin)
            full, services = (1 << len(offer.purposes)) - 1, (1 << len(offer.services)) - 1
            kinds.append(Kind(ids, digest_context(names), full, services))
    return kinds


def _make_rows(
    chance: random.Random, kinds: Sequence[Kind], times: Sequence[int]
) -> Iterator[tuple[Row, bytes]]:
    """Rows of `CONTEXT_IDS` and `CANONICAL`, each with its context's digest."""
    bits = chance.getrandbits
    first, second = LAYERS[Layer.FIRST], LAYERS[Layer.SECOND]
    accept, reject, save = (
        ACTIONS[action] for action in (Action.ACCEPT_ALL, Action.REJECT_ALL, Action.SAVE)
    )
    answers = [(accept, first)] * 4 + [(reject, first)] * 3 + [(save, second)]
    for time in times:
        luck = bits(64)
        kind = kinds[(luck >> 8) % len(kinds)]
        action, layer = answers[luck & 7]
        if action == accept:
            choices, services = kind.full, kind.services
        else:
            choices, services = (1, 1) if action == save else (0, 0)
        given = time - (luck >> 40) % 2000
        uuid7 = given << 80 | 0x7000 << 64 | bits(12) << 64 | 0x8 << 60 | bits(60)
        uuid4 = bits(128) & ~(0xF << 76) & ~(0x3 << 62) | 0x4 << 76 | 0x2 << 62
        row = (
            *kind.ids,
            *(time, given, time + _LIFETIME_MS),
            *(uuid7.to_bytes(16, "big"), uuid4.to_bytes(16, "big"), None),
            *(action, layer, choices, services),
            *(True, False, 1, _COUNTRIES[luck >> 32 & 7], (luck >> 20 & 0xFFFFFF).to_bytes(3), 0),
        )
        yield row, kind.digest


def _seal(
    batch: Sequence[tuple[Row, bytes]], number: int, length: int, head: bytes
) -> tuple[list[Row], bytes]:
    """The rows of `_COLUMNS`, and the new head of their chain."""
    salts = secrets.token_bytes(SALT_BYTES * len(batch))
    sealed = []
    for place, (row, context) in enumerate(batch):
        salt = salts[place * SALT_BYTES : (place + 1) * SALT_BYTES]
        head = link(head, digest_record(salt, row[len(CONTEXT_IDS) :], context))
        sealed.append((to_seq(number, length + place + 1), *row, salt, head))
    return sealed, head


def _insert(connection: Connection, sealed: Sequence[Row]) -> None:
    if connection.dialect.name == "postgresql":
        held = [(UUID(bytes=row[1 + _DECISION_ID]), row[1 + _RECEIVED_AT]) for row in sealed]
        copy_rows(connection, decisions, ("decision_id", "received_at"), held)
        copy_rows(connection, records, _COLUMNS, sealed)
        return
    marks = ", ".join("?" * len(_COLUMNS))
    text = f"INSERT INTO records ({', '.join(_COLUMNS)}) VALUES ({marks})"  # noqa: S608  our own names
    connection.exec_driver_sql(text, sealed)
