"""Tombstones in the place of records: the leaf stays, everything it was made of goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, delete

from slagboom_server.altered import BROKEN
from slagboom_server.context import name_context
from slagboom_server.erasures import add_tombstones
from slagboom_server.held import release_decisions
from slagboom_server.leaf import CANONICAL, digest_context, digest_record
from slagboom_server.row import CONTEXT_IDS, DEVICE_OF, to_ms
from slagboom_server.schema import REASONS, records

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection

    from slagboom_server.chain import Reason
    from slagboom_server.names import Names, Notices
    from slagboom_server.row import AnyRow

COLUMNS: Final = tuple(
    records.c[name] for name in ("seq", *CONTEXT_IDS, *CANONICAL, "salt", "hash")
)
"""What a row must bring to be buried."""

_IDS: Final = slice(1, 1 + len(CONTEXT_IDS))
_CONTENT: Final = slice(1 + len(CONTEXT_IDS), -2)
_NOTHING: Final = bytes(32)
"""The leaf or the hash of a record that was tampered with so that it has none; its chain tells on
it as before."""


class Burial:
    """Replaces records by their tombstones. Its owner forgets the names it was given."""

    def __init__(self, sites: Names, notices: Notices, clients: Names, origins: Names) -> None:
        self._sites = sites
        self._notices = notices
        self._clients = clients
        self._origins = origins

    def bury(
        self, connection: Connection, found: Sequence[AnyRow], reason: Reason, now: dt.datetime
    ) -> None:
        """Erases records within this transaction. found: rows of `COLUMNS`."""
        if not found:
            return
        if connection.dialect.name == "sqlite":
            # What is deleted would otherwise stand in the file until its place is needed.
            connection.exec_driver_sql("PRAGMA secure_delete = ON").close()
        contexts: dict[tuple[Any, ...], bytes] = {}
        stones = [
            {
                "seq": row.seq,
                "leaf": self._leaf_of(connection, tuple(row), contexts),
                "hash": row.hash if isinstance(row.hash, bytes) else _NOTHING,
                "erased_at": to_ms(now),
                "reason": REASONS[reason],
            }
            for row in found
        ]
        same: ColumnElement[bool] = records.c.seq.in_([row.seq for row in found])
        if connection.dialect.name == "postgresql":
            # Only this tells it which months are meant; only there a time is certain to be one.
            times = [row.received_at for row in found]
            same = and_(same, records.c.received_at.between(min(times), max(times)))
        connection.execute(delete(records).where(same))
        release_decisions(connection, [row.decision_id for row in found])
        add_tombstones(connection, stones)

    def _leaf_of(
        self, connection: Connection, row: tuple[Any, ...], contexts: dict[tuple[Any, ...], bytes]
    ) -> bytes:
        ids = row[_IDS]
        try:
            if ids not in contexts:
                contexts[ids] = self._digest(connection, *ids)
            return digest_record(row[-2], row[_CONTENT], contexts[ids])
        except BROKEN:
            return _NOTHING

    def _digest(
        self,
        connection: Connection,
        site_id: int,
        notice_id: int,
        client_id: int,
        origin_id: int | None,
    ) -> bytes:
        (site,) = self._sites.name(connection, site_id)
        browser, system, device = self._clients.name(connection, client_id)
        origin = None
        if origin_id is not None:
            (origin,) = self._origins.name(connection, origin_id)
        offer = self._notices.offer(connection, notice_id)
        text = self._notices.text(connection, notice_id)
        client = (browser, system, DEVICE_OF[device].value)
        _, *names = name_context(offer, text, client, origin)
        return digest_context([site, *names])
