"""Records as evidence: their leaves, computed from the columns of the database.

Verifying reads every row there is, so this is the shortest way from a row to its hash. The database
itself puts small numbers side by side in one, and identifiers in one blob: fetching a column costs
more than that. Nothing gets lost on the way: a number that is too large for its place, a value of
another type or another length than the kit writes makes the row unreadable, so that no byte of one
column passes as its neighbour's.
"""

from __future__ import annotations

from functools import cache, partial
from hashlib import sha256
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from slagboom_server import altered
from slagboom_server.context import name_context
from slagboom_server.errors import StoreUnavailable
from slagboom_server.evidence import Sealed
from slagboom_server.leaf import VERSION, digest_context
from slagboom_server.names import offer_columns, read_offer
from slagboom_server.row import DEVICE_OF
from slagboom_server.schema import clients, notices, origins, sites, tombstones

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from slagboom_server.row import AnyRow

    Portions = Iterator[list[tuple[Any, ...]]]
    """Rows, some at a time."""

_PORTION: Final = 500
"""Rows read at a time: as many as stay close to the processor until they are hashed."""

_IDS: Final = 16
_HASH: Final = 32
_LARGEST_ID: Final = (1 << 31) - 1
_MISTYPED: Final = 50
"""Rows of which a type is told."""

# Exactly `leaf.LEAF` with its small numbers as one of eight bytes, then the context.
_pack = Struct(">x 64s q qqq QQ 10p 32s").pack
BROKEN: Final = (*altered.BROKEN, StoreUnavailable)
"""What a row raises that holds values no writer of ours could have put there."""


class RowContexts(dict[tuple[int, int], bytes]):
    """The digest of what a row's ids stand for, by these ids: two of them in each number.

    Reads every name once: they are few. Raises KeyError for ids that stand for nothing.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._sites = {row.id: row.name for row in connection.execute(select(sites))}
        self._clients = {row.id: tuple(row)[1:] for row in connection.execute(select(clients))}
        self._origins = {row.id: row.origin for row in connection.execute(select(origins))}
        offers = select(notices.c.id, *offer_columns()).join_from(notices, sites)
        self._notices: dict[int, AnyRow] = {row.id: row for row in connection.execute(offers)}

    def __missing__(self, ids: tuple[int, int]) -> bytes:
        """The digest, looked up once."""
        shown, source = ids
        notice = self._notices[shown & 0xFFFFFFFF]
        browser, system, device = self._clients[source >> 32]
        number = source & 0xFFFFFFFF
        origin = self._origins[number] if number else None
        client = (browser, system, DEVICE_OF[device].value)
        # Read only now: one that was altered must not keep the others from being checked.
        _, *names = name_context(read_offer(notice), notice.offer, client, origin)
        digest = self[ids] = digest_context([self._sites[shown >> 32], *names])
        return digest


def fetch_rows(connection: Connection, first: int, last: int) -> Portions:
    """The rows of the numbers from `first` to `last`, for `find_break`; none where one broke."""
    try:
        cursor = _ask(connection, first, last, "")
    except BROKEN:
        return iter(())
    return iter(partial(cursor.fetchmany, _PORTION), [])


def find_break(
    portions: Portions, contexts: RowContexts, size: int, previous: bytes
) -> bytes | None:
    """The hash of the last row, where as many are there as must be, each as it must be.

    None where anything is not, or is erased: `read_sealed` shows it. portions: of `fetch_rows`.
    size: how many rows there must be. previous: the hash in front.
    """
    try:
        for rows in portions:
            stored = [row[-1] for row in rows]
            # One expression for all rows, each column named: a loop of statements, or a star for
            # the columns in the midst, would take a tenth longer.
            linked = [
                sha256(
                    b"\x01"
                    + before
                    + sha256(
                        _pack(
                            ids,
                            facts,
                            received,
                            given,
                            until,
                            choices,
                            services,
                            place,
                            contexts[shown, source],
                        )
                    ).digest()
                ).digest()
                for before, (
                    shown,
                    source,
                    ids,
                    facts,
                    received,
                    given,
                    until,
                    choices,
                    services,
                    place,
                    _,
                ) in zip([previous, *stored], rows, strict=False)
            ]
            if linked != stored:
                return None
            size -= len(rows)
            previous = stored[-1]
    except BROKEN:
        return None
    return None if size else previous


def read_sealed(
    connection: Connection, contexts: RowContexts, first: int, last: int
) -> dict[int, Sealed]:
    """What is kept of the numbers from `first` to `last`, erased or not, by number.

    A row that holds what no writer of ours has put there has an empty leaf.
    """
    found = {}
    for seq, *values in _ask(connection, first, last, "seq, ").fetchall():
        found[seq] = _seal(seq, values, contexts)
    # Asked second: a record that is erased meanwhile is then found as a tombstone.
    query = select(tombstones.c.seq, tombstones.c.leaf, tombstones.c.hash)
    for row in connection.execute(query.where(tombstones.c.seq.between(first, last))):
        leaf, stored = _as_hash(row.leaf), _as_hash(row.hash)
        found.setdefault(row.seq, Sealed(row.seq, leaf, stored, is_erased=True))
    return found


def find_mistyped(connection: Connection) -> list[int]:
    """Numbers of records whose identifiers are of another type than the kit gives them.

    Each has an index, where such a value stands at one end; only SQLite lets it in.
    """
    if connection.dialect.name != "sqlite":
        return []
    found: set[int] = set()
    for condition in ("decision_id < x''", "consent_id < x''", "site_id >= ''", "site_id < 1"):
        query = f"SELECT seq FROM records WHERE {condition} LIMIT {_MISTYPED}"  # noqa: S608 -- our own
        found.update(connection.exec_driver_sql(query).scalars())
    return sorted(found)


def _as_hash(stored: object) -> bytes:
    """A hash as it was stored; empty where it is none, which no link ever is."""
    return stored if isinstance(stored, bytes) and len(stored) == _HASH else b""


def _seal(seq: int, values: list[Any], contexts: RowContexts) -> Sealed:
    shown, source, *sealed, stored = values
    try:
        leaf = sha256(_pack(*sealed, contexts[shown, source])).digest()
    except BROKEN:
        leaf = b""
    return Sealed(seq, leaf, _as_hash(stored), is_erased=False)


def _ask(connection: Connection, first: int, last: int, also: str) -> Any:  # noqa: ANN401 -- a driver's own
    # The driver's own cursor: Core's rows cost more than hashing them. From PostgreSQL as bytes,
    # of which texts would be twice as many.
    is_far = connection.dialect.name == "postgresql"
    pool: Any = connection.connection
    cursor = pool.cursor(binary=True) if is_far else pool.cursor()
    cursor.execute(_select(connection.dialect.name, also), (first, last))
    return cursor


@cache
def _select(dialect: str, also: str) -> str:
    """The columns `_pack` takes, of a range of numbers. also: columns in front of them."""
    is_sqlite = dialect == "sqlite"
    if is_sqlite:
        mark, flag = "?", "{}"
        nothing, blob = "x''", "CAST({} AS BLOB)"
        country = "coalesce(country, '--')"
    else:
        mark, flag = "%s", "CAST({} AS INTEGER)"
        nothing, blob = "CAST('' AS BYTEA)", "{}"
        country = "convert_to(coalesce(country, '--'), 'UTF8')"
    small = ("action", "layer", flag.format("anonymise_ip"), flag.format("gpc"), "regime", "flags")
    # Sums, not bits: SQLite lets a fraction stand in such a column, and only its bits forget it.
    facts = " + ".join(
        f"({value} * {1 << bits})"
        for value, bits in zip((VERSION, *small), (56, 48, 40, 32, 24, 16, 0), strict=True)
    )
    ids = f"(decision_id || consent_id || coalesce(previous, {_zeros(dialect)}) || salt)"
    is_sound = _sqlite_bounds() if is_sqlite else _postgresql_bounds()
    columns = (
        f"(site_id * {1 << 32}) + notice_id",
        f"(client_id * {1 << 32}) + coalesce(origin_id, 0)",
        blob.format(ids),
        f"CASE WHEN {' AND '.join(is_sound)} THEN {facts} END",
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


def _sqlite_bounds() -> list[str]:
    """What keeps a byte from passing as its neighbour's, where a column may hold any type.

    SQLite sorts numbers before texts and texts before blobs: a range tells the type as well. Two
    identifiers and the site have an index, which `find_mistyped` asks instead; the length of a
    network follows from that of the country in front of it, which the leaf covers.
    """
    bytes_ = ("action", "layer", "anonymise_ip", "gpc", "regime")
    blob_length = "length(CAST(country AS BLOB))"
    return [
        # One range after the other: a function or an operator over all of them takes longer.
        *(f"{name} BETWEEN 0 AND 255" for name in bytes_),
        "flags BETWEEN 0 AND 65535",
        *(f"{name} BETWEEN 0 AND {_LARGEST_ID}" for name in ("notice_id", "client_id")),
        # An origin 0 would pass as none.
        f"(origin_id IS NULL OR origin_id BETWEEN 1 AND {_LARGEST_ID})",
        *(f"length({name}) = {_IDS}" for name in ("decision_id", "consent_id", "salt")),
        "salt > x''",
        f"(previous IS NULL OR (length(previous) = {_IDS} AND previous > {_zeros('sqlite')}))",
        f"(country IS NULL OR (country BETWEEN 'AA' AND 'ZZ' AND {blob_length} = 2))",
        "(ip IS NULL OR ip > x'')",
    ]


def _postgresql_bounds() -> list[str]:
    """The same where every column has the type it was made with."""
    return [
        "(action | layer | regime) >> 8 = 0",
        "flags >= 0",
        "(site_id | notice_id | client_id) >= 0",
        "coalesce(origin_id, 1) > 0",
        *(f"octet_length({name}) = {_IDS}" for name in ("decision_id", "consent_id", "salt")),
        f"(octet_length(coalesce(previous, salt)) = {_IDS})",
        f"previous IS DISTINCT FROM {_zeros('postgresql')}",
        "(country IS NULL OR (octet_length(country) = 2 AND country <> '--'))",
        "(ip IS NULL OR octet_length(ip) IN (3, 6))",
    ]


def _zeros(dialect: str) -> str:
    zeros = "00" * 16
    return f"x'{zeros}'" if dialect == "sqlite" else f"decode('{zeros}', 'hex')"
