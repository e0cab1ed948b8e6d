"""Whether a database holds an earlier state of a log, or nothing yet, and so may take a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from slagboom_server.chain import to_seq
from slagboom_server.schema import chains, checkpoints, records, tombstones

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from slagboom_server.row import AnyRow


def tell_difference(source: Connection, target: Connection, found: Sequence[AnyRow]) -> str | None:
    """Why the target cannot go on as a copy of the source, None where it can.

    found: the chains of the source. Of each chain that the target has, its last hash is compared,
    which stands for everything before it.
    """
    origins = {row.number: row for row in found}
    for row in target.execute(select(chains)):
        origin = origins.get(row.number)
        if origin is None or origin.uid != row.uid:
            return "holds another log; give an empty database"
        if row.length > origin.length:
            return "has records that the source has not: it was served since"
        if row.length and read_hash(source, to_seq(row.number, row.length)) != row.head:
            return "holds this log with another content; see `slagboom log verify`"
    newest = select(checkpoints).order_by(checkpoints.c.number.desc()).limit(1)
    kept = target.execute(newest).first()
    if kept is not None:
        same = select(checkpoints.c.digest).where(checkpoints.c.number == kept.number)
        if source.scalar(same) != kept.digest:
            return "has a checkpoint that the source has not; give an empty database"
    return None


def read_hash(connection: Connection, seq: int) -> bytes | None:
    """The chain's hash at a record, erased or not; None where there was never one."""
    for table in (records, tombstones):
        found = connection.scalar(select(table.c.hash).where(table.c.seq == seq))
        if found is not None:
            return bytes(found)
    return None
