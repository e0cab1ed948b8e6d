"""The rows around the records as a verification reads them: whoever writes may have put anything.

What is not as the kit writes it is told, and something harmless takes its place, so that one
altered cell never keeps the rest of the log from being checked.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import func, select

from slagboom_server.chain import POSITION_BITS, Chain, is_bytes, to_seq
from slagboom_server.checkpoint_check import is_text
from slagboom_server.held import decisions
from slagboom_server.names import offer_columns, read_offer
from slagboom_server.row import DEVICE_OF
from slagboom_server.schema import chains, clients, notices, origins, records, sites, tombstones
from slagboom_server.sealed_rows import BROKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

_ID: Final = 16
_HASH: Final = 32
_MOST_TIME: Final = 1 << 63
_MOST_CHAINS: Final = 1 << (63 - POSITION_BITS)
_MOST_MISSING: Final = 100_000
"""Places behind the last row that are looked at one by one."""

_TOLD: Final = 10
"""Rows of one kind that are told."""


def read_chains(connection: Connection, problems: list[str]) -> list[Chain]:
    """Every chain, in the order of their numbers. Adds to problems what no chain of ours says."""
    columns = chains.c
    query = select(
        columns.number, columns.uid, columns.started_at, columns.length, columns.head
    ).order_by(columns.number)
    found = []
    for number, uid, started_at, length, head in connection.execute(query):
        if not 0 <= number < _MOST_CHAINS:
            problems.append(f"chain number {number} is none of the kit's: it was inserted")
            continue
        sound = {
            "name": is_bytes(uid, _ID),
            "start": isinstance(started_at, int) and 0 <= started_at < _MOST_TIME,
            "head": is_bytes(head, _HASH),
        }
        last = _last_position(connection, number)
        # What is missing behind the last row is told as one gap, not place by place.
        sound["length"] = isinstance(length, int) and 0 <= length <= last + _MOST_MISSING
        problems += [
            f"chain {number} was altered: its {name} does not fit what stands there"
            + (f"; it says {length!r}, and {last} are there" if name == "length" else "")
            for name, is_sound in sound.items()
            if not is_sound
        ]
        found.append(
            Chain(
                number,
                uid if sound["name"] else number.to_bytes(_ID, "big"),
                started_at if sound["start"] else 0,
                length if sound["length"] else last,
                head if sound["head"] else b"",
            )
        )
    return found


def check_names(connection: Connection) -> list[str]:
    """Problems of what the numbers in records stand for."""
    problems = []
    for table in (sites, origins, clients):
        for row in connection.execute(select(table)):
            for name, value in row._mapping.items():  # noqa: SLF001 -- its public name
                is_sound = value in DEVICE_OF if name == "device" else is_text(value)
                if name != "id" and not is_sound:
                    problems.append(f"{table.name} {row.id} was altered: its {name} is none")
    query = select(notices.c.id, *offer_columns()).join_from(notices, sites)
    for row in connection.execute(query):
        try:
            read_offer(row)
            is_sound = is_text(row.offer)
        except BROKEN:
            is_sound = False
        if not is_sound:
            problems.append(f"notice number {row.id} was altered: its offer is none")
    return problems


def check_doubles(connection: Connection) -> list[str]:
    """Problems of records that are both there and erased."""
    both = select(tombstones.c.seq).join(records, records.c.seq == tombstones.c.seq).limit(_TOLD)
    return [
        f"record number {seq} is there and has a tombstone: the tombstone was inserted"
        for seq in connection.scalars(both)
    ]


def check_decisions(connection: Connection) -> Iterator[str]:
    """Problems of the table by which PostgreSQL knows a repeated decision.

    connection: with one view of all it reads, or what arrives meanwhile is looked for at length.
    """
    known_by = func.uuid_send(decisions.c.decision_id)
    same = (known_by == records.c.decision_id) & (decisions.c.received_at == records.c.received_at)
    # Under a number that nobody could know before, the sums of other decisions are not the same.
    hashed = func.uuid_hash_extended(decisions.c.decision_id, secrets.randbits(63))
    summed = select(func.count(), func.sum(hashed))
    with_record = connection.execute(summed.join_from(decisions, records, same)).one()
    known = connection.execute(summed.select_from(decisions)).one()
    there = connection.scalar(select(func.count()).select_from(records))
    if with_record == known and known[0] == there:
        # Each decision has a record of its own, and none is left over.
        return
    idle = (
        select(decisions.c.decision_id)
        .outerjoin_from(decisions, records, same)
        .where(records.c.seq.is_(None))
        .limit(_TOLD)
    )
    lacking = (
        select(records.c.seq, records.c.decision_id)
        .outerjoin_from(records, decisions, same)
        .where(decisions.c.decision_id.is_(None))
        .limit(_TOLD)
    )
    for seq, key in connection.execute(lacking):
        named = UUID(bytes=key) if is_bytes(key, _ID) else key.hex()
        yield (
            f"record number {seq} (decision {named}) is not the one its decision is known by: that "
            "entry was removed or altered, and the decision may be there twice"
        )
    for key in connection.scalars(idle):
        yield f"decision {key} is known as stored, and no record has it: it was removed or altered"
    if known[0] == there:
        return
    number = func.count().label("number")
    twice = select(records.c.decision_id, number).group_by(records.c.decision_id)
    for key, times in connection.execute(twice.having(number > 1).limit(_TOLD)):
        yield f"decision {key.hex()} is there {times} times: it must be there once"


def _last_position(connection: Connection, number: int) -> int:
    """The last place of a chain at which anything stands."""
    first, end = to_seq(number, 0), to_seq(number + 1, 0) - 1
    last = first
    for table in (records, tombstones):
        highest = select(func.max(table.c.seq)).where(table.c.seq.between(first, end))
        last = max(last, connection.scalar(highest) or first)
    return last - first
