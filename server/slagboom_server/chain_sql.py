"""The chain a process appends to, claimed in the database.

An SQLite file has one writer at a time, so all processes share its one chain. On a database server
each process has a chain of its own: one that nobody holds, one whose holder has been silent for
long, or a new one. The row is locked for each append and its holder checked, so a holder that
was only slow loses its chain and never harms it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import func, insert, or_, select, update

from slagboom_server.chain import Chain, begin_chain
from slagboom_server.driver import mark_of, run_together
from slagboom_server.schema import chains

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from slagboom_server.driver import Row, Statement

_SILENT_MS: Final = 600_000
"""After so long without a record a chain's holder counts as gone."""

_COLUMNS: Final = (
    chains.c.number,
    chains.c.uid,
    chains.c.started_at,
    chains.c.length,
    chains.c.head,
)

# Sent with every group of decisions, so built once.
_READ: Final = "SELECT number, uid, started_at, length, head FROM chains"
_READ_SHARED: Final = f"{_READ} WHERE number = ?"
_LOCK: Final = f"{_READ} WHERE number = %s AND writer = %s FOR UPDATE"
_ADVANCE: Final = "UPDATE chains SET length = {0}, head = {0}, used_at = {0} WHERE number = {0}"
_SHARED: Final = 0
"""The number of the chain that all processes with one SQLite file share."""


class OwnChain:
    """The chain of one process. random: so many random bytes."""

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random
        self._writer = random(16)
        self._number: int | None = None

    def question(self, connection: Connection) -> list[Statement]:
        """What asks for the chain and locks it; nothing where it has to be claimed first."""
        if connection.dialect.name == "sqlite":
            return [(_READ_SHARED, (_SHARED,))]
        return [] if self._number is None else [(_LOCK, (self._number, self._writer))]

    def lock(
        self, connection: Connection, now: int, answers: Sequence[Sequence[Row]] | None = None
    ) -> Chain:
        """The chain, claimed where needed, for this transaction alone.

        now: ms since 1970. answers: to the question, where it has been asked.
        """
        if answers is None:
            answers = run_together(connection, self.question(connection))
        for rows in answers:
            for mine in rows:
                return Chain(*mine)
        if connection.dialect.name == "sqlite":
            return self._begin(connection, _SHARED, now, None)
        return self._claim(connection, now)

    def advancing(self, connection: Connection, chain: Chain, now: int) -> Statement:
        """What writes down where the chain has come to."""
        statement = _ADVANCE.format(mark_of(connection))
        return statement, (chain.length, chain.head, now, chain.number)

    def release(self, connection: Connection) -> None:
        """Lets another process have the chain."""
        connection.execute(
            update(chains).where(chains.c.writer == self._writer).values(writer=None)
        )

    @property
    def is_claimed(self) -> bool:
        """Whether there is one to release."""
        return self._number is not None

    def forget(self) -> None:
        """Drops what a failed transaction may have claimed."""
        self._number = None

    def _claim(self, connection: Connection, now: int) -> Chain:
        is_free = or_(
            chains.c.writer.is_(None),
            chains.c.writer == self._writer,
            chains.c.used_at < now - _SILENT_MS,
        )
        query = select(*_COLUMNS).where(is_free).order_by(chains.c.number).limit(1)
        row = connection.execute(query.with_for_update(skip_locked=True)).first()
        if row is None:
            highest = connection.scalar(select(func.max(chains.c.number)))
            number = 0 if highest is None else highest + 1
            chain = self._begin(connection, number, now, self._writer)
        else:
            chain = Chain(*row)
            claim = update(chains).where(chains.c.number == chain.number)
            connection.execute(claim.values(writer=self._writer, used_at=now))
        self._number = chain.number
        return chain

    def _begin(self, connection: Connection, number: int, now: int, writer: bytes | None) -> Chain:
        chain = begin_chain(number, self._random(16), now)
        connection.execute(
            insert(chains).values(
                number=number,
                uid=chain.uid,
                started_at=now,
                length=0,
                head=chain.head,
                writer=writer,
                used_at=now,
            )
        )
        return chain
