"""Records as evidence: their leaves, computed from the columns of the database.

Verifying reads every row there is, so this is the shortest way from a row to its hash. The database
itself puts small numbers side by side in one, and identifiers in one blob: fetching a column costs
more than that. Nothing gets lost on the way: a number that is too large for its place makes the row
unreadable, and one byte more in an identifier moves all behind it.
"""

from __future__ import annotations

import struct
from functools import cache
from hashlib import sha256
from itertools import starmap
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from slagboom_server.context import name_context
from slagboom_server.evidence import Sealed
from slagboom_server.leaf import VERSION, digest_context
from slagboom_server.names import offer_columns, read_offer
from slagboom_server.row import DEVICE_OF
from slagboom_server.schema import clients, notices, origins, sites, tombstones

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

_IDS: Final = 16
_HASH: Final = 32
# Ids, then exactly `leaf.LEAF` with its small numbers as one of eight bytes, then the hash.
_pack = Struct(">qq x 64s q qqq QQ 10p 32s").pack
_two_ids = Struct(">qq").unpack
BROKEN: Final = (struct.error, TypeError, ValueError, KeyError)
"""What a row raises that holds values no writer of ours could have put there."""


class RowContexts(dict[bytes, bytes]):
    """The digest of what a row's ids stand for, by these ids as `_pack` writes them.

    Reads every name once: they are few. Raises KeyError for ids that stand for nothing.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._sites = {row.id: row.name for row in connection.execute(select(sites))}
        self._clients = {row.id: tuple(row)[1:] for row in connection.execute(select(clients))}
        self._origins = {row.id: row.origin for row in connection.execute(select(origins))}
        offers = select(notices.c.id, *offer_columns()).join_from(notices, sites)
        self._notices = {row.id: (read_offer(row), row.offer) for row in connection.execute(offers)}

    def __missing__(self, ids: bytes) -> bytes:
        """The digest, looked up once."""
        shown, source = _two_ids(ids)
        offer, text = self._notices[shown & 0xFFFFFFFF]
        browser, system, device = self._clients[source >> 32]
        number = source & 0xFFFFFFFF
        origin = self._origins[number] if number else None
        client = (browser, system, DEVICE_OF[device].value)
        _, *names = name_context(offer, text, client, origin)
        digest = self[ids] = digest_context([self._sites[shown >> 32], *names])
        return digest


def find_break(
    connection: Connection, contexts: RowContexts, first: int, last: int, previous: bytes
) -> bytes | None:
    """The hash of the record `last`, where everything from `first` to there is as it must be.

    None where anything is not, or is erased: `read_sealed` shows it. previous: the hash in front.
    """
    try:
        rows = list(starmap(_pack, _fetch(connection, first, last, "")))
        stored = [row[-_HASH:] for row in rows]
        # One expression for all rows: a loop of statements would take a tenth longer.
        linked = [
            sha256(
                b"\x01" + before + sha256(row[_IDS:-_HASH] + contexts[row[:_IDS]]).digest()
            ).digest()
            for before, row in zip([previous, *stored], rows, strict=False)
        ]
    except BROKEN:
        return None
    if len(rows) <= last - first or linked != stored:
        return None
    return stored[-1]


def read_sealed(
    connection: Connection, contexts: RowContexts, first: int, last: int
) -> dict[int, Sealed]:
    """What is kept of the numbers from `first` to `last`, erased or not, by number.

    A row that holds what no writer of ours has put there has an empty leaf.
    """
    found = {}
    for seq, *values in _fetch(connection, first, last, "seq, "):
        found[seq] = _seal(seq, values, contexts)
    # Asked second: a record that is erased meanwhile is then found as a tombstone.
    query = select(tombstones.c.seq, tombstones.c.leaf, tombstones.c.hash)
    for row in connection.execute(query.where(tombstones.c.seq.between(first, last))):
        found.setdefault(row.seq, Sealed(*row, is_erased=True))
    return found


def _seal(seq: int, values: list[Any], contexts: RowContexts) -> Sealed:
    try:
        row = _pack(*values)
        leaf = sha256(row[_IDS:-_HASH] + contexts[row[:_IDS]]).digest()
    except BROKEN:
        leaf = b""
    return Sealed(seq, leaf, values[-1], is_erased=False)


def _fetch(connection: Connection, first: int, last: int, also: str) -> Iterator[tuple[Any, ...]]:
    # The driver's own cursor: Core's rows cost more than hashing them.
    cursor: Any = connection.connection.cursor()
    cursor.execute(_select(connection.dialect.name, also), (first, last))
    return iter(cursor)


@cache
def _select(dialect: str, also: str) -> str:
    """The columns `_pack` takes, of a range of numbers. also: columns in front of them."""
    if dialect == "sqlite":
        mark, number, flag = "?", "{}", "{}"
        nothing, blob = "x''", "CAST({} AS BLOB)"
        country = "coalesce(country, '--')"
    else:
        mark, number, flag = "%s", "CAST({} AS BIGINT)", "CAST(CAST({} AS INTEGER) AS BIGINT)"
        nothing, blob = "CAST('' AS BYTEA)", "{}"
        country = "convert_to(coalesce(country, '--'), 'UTF8')"
    small = [
        *(number.format(name) for name in ("action", "layer")),
        *(flag.format(name) for name in ("anonymise_ip", "gpc")),
        number.format("regime"),
    ]
    facts = " | ".join(
        f"({value} << {bits})"
        for value, bits in zip(
            [number.format(VERSION), *small, number.format("flags")],
            (56, 48, 40, 32, 24, 16, 0),
            strict=True,
        )
    )
    site, notice, client = (number.format(name) for name in ("site_id", "notice_id", "client_id"))
    origin = number.format("coalesce(origin_id, 0)")
    excess = (
        f"((({' | '.join(small)}) >> 8) | ({number.format('flags')} >> 16)"
        f" | (({site} | {notice} | {client} | {origin}) >> 31))"
    )
    ids = f"(decision_id || consent_id || coalesce(previous, {_zeros(dialect)}) || salt)"
    columns = (
        f"({site} << 32) | {notice}",
        f"({client} << 32) | {origin}",
        blob.format(ids),
        f"CASE WHEN {excess} = 0 THEN {facts} END",
        "received_at",
        "given_at",
        "valid_until",
        "choices",
        "services",
        blob.format(f"({country} || coalesce(ip, {nothing}))"),
        "hash",
    )
    return (
        f"SELECT {also}{', '.join(columns)} FROM records"  # noqa: S608 -- our own names
        f" WHERE seq BETWEEN {mark} AND {mark} ORDER BY seq"
    )


def _zeros(dialect: str) -> str:
    zeros = "00" * 16
    return f"x'{zeros}'" if dialect == "sqlite" else f"decode('{zeros}', 'hex')"
