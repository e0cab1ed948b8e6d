"""The evidence of a log over SQLAlchemy Core; see `evidence.Evidence` for what each method says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import func, insert, select

from slagboom_server.chain import Chain
from slagboom_server.engine import reading, writing
from slagboom_server.erasures import read_erasures
from slagboom_server.evidence import Opening, StoredCheckpoint, Timestamp
from slagboom_server.publication import list_newest
from slagboom_server.publications_sql import keep_texts
from slagboom_server.schema import (
    chains,
    checkpoints,
    notices,
    publications,
    records,
    sites,
    timestamps,
)
from slagboom_server.sealed_rows import RowContexts, read_sealed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Engine

    from slagboom_server.checkpoint import Checkpoint, Erasures
    from slagboom_server.evidence import Sealed

_CHAIN: Final = (
    chains.c.number,
    chains.c.uid,
    chains.c.started_at,
    chains.c.length,
    chains.c.head,
)
_CHECKPOINT: Final = (checkpoints.c.number, checkpoints.c.digest, checkpoints.c.text)
_PAGE: Final = 1000


class SqlEvidence:
    """The evidence in an SQL database. Safe to use from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def chains(self) -> Sequence[Chain]:
        """Every chain as it stands at one moment, in the order of their numbers."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(*_CHAIN).order_by(chains.c.number))
            return [Chain(*row) for row in rows]

    def last_checkpoint(self) -> StoredCheckpoint | None:
        """The newest checkpoint, None where there is none yet."""
        with reading(self._engine) as connection:
            newest = select(*_CHECKPOINT).order_by(checkpoints.c.number.desc()).limit(1)
            row = connection.execute(newest).first()
        return None if row is None else StoredCheckpoint(*row)

    def checkpoint(self, number: int) -> StoredCheckpoint | None:
        """One checkpoint, None where there is none."""
        with reading(self._engine) as connection:
            query = select(*_CHECKPOINT).where(checkpoints.c.number == number)
            row = connection.execute(query).first()
        return None if row is None else StoredCheckpoint(*row)

    def checkpoints(self) -> Iterator[StoredCheckpoint]:
        """Every checkpoint, oldest first."""
        last = -1
        while True:
            query = select(*_CHECKPOINT).where(checkpoints.c.number > last)
            with reading(self._engine) as connection:
                rows = connection.execute(query.order_by(checkpoints.c.number).limit(_PAGE)).all()
            if not rows:
                return
            yield from (StoredCheckpoint(*row) for row in rows)
            last = rows[-1].number

    def published(self) -> str:
        """Every site's newest publication, as `publication.list_newest` words it."""
        newest = select(publications.c.site_id, func.max(publications.c.number).label("number"))
        last = newest.group_by(publications.c.site_id).subquery()
        query = (
            select(sites.c.name, publications.c.number, publications.c.digest)
            .join_from(publications, sites)
            .join(
                last,
                (last.c.site_id == publications.c.site_id)
                & (last.c.number == publications.c.number),
            )
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query)
            return list_newest((row.name, row.number, row.digest) for row in rows)

    def erased(self) -> Erasures | None:
        """How many records were erased, None for none, or where that cannot be told any more."""
        with reading(self._engine) as connection:
            found = read_erasures(connection)
        return found if found is not None and found.length else None

    def add_checkpoint(self, checkpoint: Checkpoint, published: str) -> bool:
        """Keeps a checkpoint; False where another process has taken its number."""
        with writing(self._engine) as connection:
            same = select(checkpoints.c.number).where(checkpoints.c.number == checkpoint.number)
            if connection.scalar(same) is not None:
                return False
            row = {
                "number": checkpoint.number,
                "made_at": checkpoint.made_at,
                "digest": checkpoint.digest,
                "text": checkpoint.text,
            }
            connection.execute(insert(checkpoints).values(row))
            if published:
                keep_texts(connection, [published])
        return True

    def last_timestamp(self) -> Timestamp | None:
        """The newest time-stamp, None where there is none."""
        with reading(self._engine) as connection:
            newest = select(timestamps).order_by(timestamps.c.checkpoint.desc()).limit(1)
            row = connection.execute(newest).first()
        return None if row is None else Timestamp(*row)

    def timestamps(self) -> Sequence[Timestamp]:
        """Every time-stamp, oldest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(timestamps).order_by(timestamps.c.checkpoint))
            return [Timestamp(*row) for row in rows]

    def add_timestamp(self, timestamp: Timestamp) -> None:
        """Keeps a time-stamp."""
        row = {
            "checkpoint": timestamp.checkpoint,
            "stamped_at": timestamp.stamped_at,
            "authority": timestamp.authority,
            "token": timestamp.token,
        }
        with writing(self._engine) as connection:
            connection.execute(insert(timestamps).values(row))

    def sealed(self, first: int, last: int) -> Sequence[Sealed]:
        """What is kept of the numbers `first` to `last` of one chain, in order."""
        with reading(self._engine) as connection:
            found = read_sealed(connection, RowContexts(connection), first, last)
        return [found[seq] for seq in sorted(found)]

    def opening(self, seq: int) -> Opening | None:
        """What a receipt needs to show a record's leaf; None where the record is erased."""
        query = select(records.c.salt, notices.c.offer).join_from(records, notices)
        with reading(self._engine) as connection:
            row = connection.execute(query.where(records.c.seq == seq)).first()
        return None if row is None else Opening(*row)
