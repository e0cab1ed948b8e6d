"""The order in which records were erased, chained like the records, so that a checkpoint signs it.

Each tombstone has the next number and is linked to the one before. The last link stands in one row,
which the transaction that erases moves on; so a checkpoint that signs it covers all tombstones
without reading them. Whoever erases waits for whoever does so at this moment, and for nobody else.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, insert, select, update

from slagboom_server.chain import is_bytes
from slagboom_server.checkpoint import Erasures
from slagboom_server.schema import erasures, tombstones

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_FORM: Final = struct.Struct(">c32sq32sqB")
_MARK: Final = b"\x02"
"""Leaves begin with 0, the links of records with 1."""

_HASH: Final = 32
_NO_HASH: Final = bytes(_HASH)
_END: Final = 1 << 62
"""Numbers from here on somebody else has written: behind them there may be no next one."""


NO_ERASURES: Final = Erasures(0, sha256(b"slagboom erasures 1").digest())


def link_erasure(head: bytes, seq: int, hash_: object, erased_at: int, reason: int) -> bytes:
    """The link of a tombstone behind another one's.

    hash_: the record's, which stands for its chain, its place and all it said. erased_at: ms since
    1970. Raises struct.error for values no tombstone of ours has.
    """
    # A record that was tampered with can be erased as well.
    known = hash_ if is_bytes(hash_, _HASH) else _NO_HASH
    return sha256(_FORM.pack(_MARK, head, seq, known, erased_at, reason)).digest()


def read_erasures(connection: Connection) -> Erasures | None:
    """Where the order of erasures stands; None where what stands there is none of ours."""
    rows = connection.execute(select(erasures.c.length, erasures.c.head)).all()
    if len(rows) != 1:
        return None
    length, head = rows[0]
    is_sound = isinstance(length, int) and 0 <= length < _END
    is_sound &= is_bytes(head, _HASH)
    return Erasures(length, head) if is_sound else None


def add_tombstones(connection: Connection, stones: Sequence[dict[str, Any]]) -> None:
    """Inserts tombstones as the next ones. stones: all columns but the number.

    It should be the last thing a transaction does: until its end it keeps others from erasing.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(erasures.c.id).with_for_update()).all()
    last = read_erasures(connection)
    # Where somebody spoiled that row, erasing goes on, and a verification tells of it.
    is_spoiled = last is None
    last = last or Erasures(0, _NO_HASH)
    highest = select(func.max(tombstones.c.number)).where(tombstones.c.number < _END)
    length = max(last.length, connection.scalar(highest) or 0)
    head = last.head
    numbered = []
    for number, stone in enumerate(stones, length + 1):
        numbered.append({**stone, "number": number})
        head = link_erasure(head, stone["seq"], stone["hash"], stone["erased_at"], stone["reason"])
    connection.execute(insert(tombstones), numbered)
    grown = {"length": length + len(stones), "head": head}
    changed = connection.execute(update(erasures).values(grown)).rowcount
    if is_spoiled and not changed:
        connection.execute(insert(erasures).values(id=1, **grown))
