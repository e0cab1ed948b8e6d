"""What the ids of a row stand for, looked up once for each combination.

A visitor's answer differs from the next one's in ids and times; site, notice, client and origin
repeat. They are few, so the digest over their names is kept, by name for a writer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from slagboom_server.leaf import digest_context
from slagboom_server.row import service_ids
from slagboom_server.schema import DEVICES

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from slagboom_server.entry import Kind
    from slagboom_server.names import Names, Notices
    from slagboom_server.record import OfferedNotice


_MOST_KINDS: Final = 4096
"""Kept in memory; a server makes far fewer."""


@dataclass(frozen=True, slots=True)
class Context:
    """The repeating part of a record.

    ids: site_id, notice_id, client_id, origin_id. digest: `leaf.digest_context`. purposes,
    services: in the order of their bits.
    """

    ids: tuple[int, int, int, int | None]
    digest: bytes
    purposes: tuple[str, ...]
    services: tuple[str, ...]


def name_context(
    offer: OfferedNotice, offer_text: str, client: tuple[str, str, str], origin: str | None
) -> list[str]:
    """The names `leaf.digest_context` wants.

    offer_text: the offer as the database keeps it. client: browser, system, device.
    """
    shown = (offer.site, offer.digest, str(offer.revision), offer.language, offer_text)
    return [*shown, *client, origin or ""]


class Contexts:
    """The contexts of a writer's records. Its owner calls `forget` when a transaction fails."""

    def __init__(self, sites: Names, notices: Notices, clients: Names, origins: Names) -> None:
        self._sites = sites
        self._notices = notices
        self._clients = clients
        self._origins = origins
        self._known: dict[Kind, Context] = {}

    def of(self, connection: Connection, kind: Kind) -> Context:
        """The context of a kind of records; its names get numbers where they have none yet."""
        context = self._known.get(kind)
        if context is None:
            if len(self._known) >= _MOST_KINDS:
                self._known.clear()
            context = self._known[kind] = self._make(connection, kind)
        return context

    def forget(self) -> None:
        """Drops what a failed transaction may have learned."""
        self._known.clear()

    def _make(self, connection: Connection, kind: Kind) -> Context:
        origin = kind.origin
        device = DEVICES[kind.device]
        notice_id = self._notices.id_of(connection, kind.site, kind.notice)
        offer = self._notices.offer(connection, notice_id)
        ids = (
            self._sites.make_id(connection, kind.site),
            notice_id,
            self._clients.make_id(connection, kind.browser, kind.system, device),
            None if origin is None else self._origins.make_id(connection, origin),
        )
        client = (kind.browser, kind.system, kind.device.value)
        names = name_context(offer, self._notices.text(connection, notice_id), client, origin)
        return Context(ids, digest_context(names), offer.purposes, service_ids(offer))
