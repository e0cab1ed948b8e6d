"""A consent log as anybody would write it in an afternoon, and bare loops over it.

One table with texts, the two indexes it needs, a hash over the row and the hash before it. What
the kit does with its log is held against loops over this one in the same database. A place is the
file of an SQLite database, or the address of a PostgreSQL one.
"""

from __future__ import annotations

import json
import random
import sqlite3
import uuid
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Row = tuple[Any, ...]

COLUMNS = (
    "id",
    "site",
    "subject",
    "given_at",
    "received_at",
    "action",
    "choices",
    "notice",
    "policy",
    "ip",
    "agent",
    "hash",
)
DDL = """CREATE TABLE IF NOT EXISTS bare (
    seq {number}, id TEXT NOT NULL UNIQUE, site TEXT NOT NULL, subject TEXT NOT NULL,
    given_at TEXT NOT NULL, received_at TEXT NOT NULL, action TEXT NOT NULL, choices TEXT NOT NULL,
    notice TEXT NOT NULL, policy TEXT NOT NULL, ip TEXT, agent TEXT, hash {blob});
CREATE INDEX IF NOT EXISTS bare_site ON bare (site, received_at);"""

_CHOICES = '{"statistics": true, "marketing": false}'
_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/140.0.0.0 Safari/537.36"
)
_SELECT = "SELECT * FROM bare ORDER BY seq"
_BATCH = 5000
"""Rows that PostgreSQL sends at once."""


def fill_bare(place: str, rows: int) -> None:
    """Makes a log of so many rows."""
    if _is_far(place):
        with psycopg.connect(place) as connection:
            number = "BIGINT PRIMARY KEY"
            connection.execute(DDL.format(number=number, blob="BYTEA").encode())
            with connection.cursor() as cursor, cursor.copy("COPY bare FROM STDIN") as copy:
                for row in _make_rows(rows):
                    copy.write_row(row)
        return
    marks = ", ".join("?" * (len(COLUMNS) + 1))
    with closing(sqlite3.connect(place, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.executescript(DDL.format(number="INTEGER PRIMARY KEY", blob="BLOB"))
        database.execute("BEGIN")
        database.executemany(f"INSERT INTO bare VALUES ({marks})", _make_rows(rows))  # noqa: S608  our own
        database.execute("COMMIT")


def _is_far(place: str) -> bool:
    return place.startswith("postgresql:")


@contextmanager
def _reading(place: str) -> Iterator[Iterable[Row]]:
    """Every row in its order, few of them at a time in memory."""
    if _is_far(place):
        with psycopg.connect(place) as connection, connection.cursor("rows") as cursor:
            cursor.itersize = _BATCH
            yield cursor.execute(_SELECT)
    else:
        with closing(sqlite3.connect(place)) as database:
            yield database.execute(_SELECT)


def _make_rows(rows: int) -> Iterator[Row]:
    chance = random.Random(1)  # noqa: S311  the same log each time
    head = bytes(32)
    for number in range(1, rows + 1):
        subject = uuid.UUID(int=chance.getrandbits(128))
        row = (
            number,
            str(uuid.UUID(int=chance.getrandbits(128))),
            "dsoft",
            str(subject),
            "2026-11-21T10:00:00.000Z",
            "2026-11-21T10:00:00.000Z",
            "accept_all",
            _CHOICES,
            sha256(b"notice").hexdigest(),
            "1",
            "203.0.113.0",
            _AGENT,
        )
        head = _link(head, row)
        yield (*row, head)


def _link(head: bytes, row: Row) -> bytes:
    return sha256(head + "\x1f".join(map(str, row)).encode()).digest()


def export_bare(place: str) -> int:
    """Writes the rows to nowhere as lines of CSV; how many there were."""
    rows = 0
    with _reading(place) as found, Path("/dev/null").open("w") as out:
        for row in found:
            out.write(",".join(map(str, row[:-1])) + "\n")
            rows += 1
    return rows


def export_bare_json(place: str) -> int:
    """Writes the rows to nowhere as lines of JSON; how many there were."""
    rows = 0
    names = ("seq", *COLUMNS)
    with _reading(place) as found, Path("/dev/null").open("w") as out:
        for row in found:
            out.write(json.dumps(dict(zip(names, row[:-1], strict=False))) + "\n")
            rows += 1
    return rows


def verify_bare(place: str) -> int:
    """Checks the chain from its first row to its last; how many there were."""
    rows, head = 0, bytes(32)
    with _reading(place) as found:
        for row in found:
            head = _link(head, row[:-1])
            if head != row[-1]:
                message = f"row {row[0]} of the bare log does not verify"
                raise ValueError(message)
            rows += 1
    return rows
