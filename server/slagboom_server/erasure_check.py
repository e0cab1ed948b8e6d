"""The tombstones held against the order of erasures that the checkpoints have signed."""

from __future__ import annotations

import itertools
import struct
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, or_, select

from slagboom_server.erasures import NO_ERASURES, link_erasure, read_erasures
from slagboom_server.schema import erasures, tombstones

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Select

    from slagboom_server.checkpoint import Erasures

_TOLD: Final = 10
"""Faults of one kind that are told."""

_PAGE: Final = 5000
_NO_LINK: Final = bytes(32)
"""Behind a tombstone with values the kit never writes; what follows does not lead anywhere."""


def check_erasures(connection: Connection, signed: Mapping[int, tuple[bytes, str]]) -> list[str]:
    """Problems of tombstones that the kit did not make, or not so.

    signed: by the number of erasures the link a checkpoint gives, and which checkpoint that is.
    """
    # Whatever is erased from here on has a higher number.
    now = read_erasures(connection)
    problems = []
    if now is None:
        problems.append("the row that counts erasures was altered or removed")
    most = max(signed, default=0)
    if now is not None and now.length < most:
        problems.append(
            f"{now.length:,} erasures are counted, and {signed[most][1]} has signed {most:,}: the "
            "last were taken back, or the row that counts them was altered"
        )
    elif now is not None and now.length and signed.get(now.length, (now.head,))[0] != now.head:
        problems.append("the row that counts erasures was altered: its link is another")
    problems += _check_links(connection, signed, now)
    problems += [
        f"record number {seq} has a tombstone that no erasure of the kit has made: the record was "
        "removed, and the tombstone put in its place"
        for seq in connection.scalars(_uncounted(has_count=now is not None))
    ]
    return problems


def _check_links(
    connection: Connection, signed: Mapping[int, tuple[bytes, str]], now: Erasures | None
) -> Iterator[str]:
    stops = dict(signed)
    if now is not None and now.length:
        stops.setdefault(now.length, (now.head, "the row that counts erasures"))
    order = sorted(stops)
    wrong = _find_wrong(connection, order, [stops[stop][0] for stop in order])
    for sound, stop, missing in itertools.islice(wrong, _TOLD):
        lack = f", {missing:,} of them are gone" if missing else ""
        yield (
            f"the tombstones of erasures {sound + 1:,} to {stop:,} are not those that "
            f"{stops[stop][1]} tells of{lack}: one was altered, removed, put in or exchanged"
        )


def _find_wrong(
    connection: Connection, stops: Sequence[int], heads: Sequence[bytes]
) -> Iterator[tuple[int, int, int]]:
    """The parts of the order, each from one stop to the next, that do not lead there.

    heads: the links at the stops. Gives the stop before, the stop, and how many are missing.
    """
    head, sound, seen, part = NO_ERASURES.head, 0, 0, 0
    rows = _in_order(connection, stops[-1] if stops else 0)
    for number, seq, stored, erased_at, reason in rows:
        while number > stops[part]:
            if seen < stops[part] - sound or head != heads[part]:
                yield sound, stops[part], stops[part] - sound - seen
            # So that each part is told of by itself.
            head, sound, seen, part = heads[part], stops[part], 0, part + 1
        seen += 1
        try:
            head = link_erasure(head, seq, stored, erased_at, reason)
        except (struct.error, TypeError):
            head = _NO_LINK
    for place in range(part, len(stops)):
        if seen < stops[place] - sound or head != heads[place]:
            yield sound, stops[place], stops[place] - sound - seen
        head, sound, seen = heads[place], stops[place], 0


def _in_order(connection: Connection, length: int) -> Iterator[tuple[Any, ...]]:
    columns = tombstones.c
    query = select(columns.number, columns.seq, columns.hash, columns.erased_at, columns.reason)
    query = query.order_by(columns.number).limit(_PAGE)
    last = 0
    while last < length:
        rows = connection.execute(query.where(columns.number.between(last + 1, length))).all()
        if not rows:
            return
        yield from map(tuple, rows)
        last = rows[-1].number


def _uncounted(*, has_count: bool) -> Select[tuple[int]]:
    """Tombstones outside of the order; one statement, for somebody may erase meanwhile."""
    number = tombstones.c.number
    outside = or_(number.is_(None), number < 1)
    if has_count:
        length = select(func.coalesce(func.max(erasures.c.length), 0)).scalar_subquery()
        outside = or_(outside, number > length)
    return select(tombstones.c.seq).where(outside).order_by(tombstones.c.seq).limit(_TOLD)
