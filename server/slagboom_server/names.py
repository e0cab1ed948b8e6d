"""The short numbers that stand for names in the consent log, remembered in memory.

There are few names (sites, origins, families of clients, notices), so each is looked up once. What
a transaction learns counts only if it commits: after a failure the owner calls `forget`, which may
happen at any moment for a thread that reads.
"""

from __future__ import annotations

import json
from operator import index
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import Connection, insert, select

from slagboom_server.altered import BROKEN
from slagboom_server.errors import LogAltered, StoreUnavailable
from slagboom_server.record import OfferedNotice, OfferedService
from slagboom_server.row import read_text
from slagboom_server.schema import notices, sites

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Table

    from slagboom_server.row import AnyRow

_IP_KEPT: Final[dict[object, Literal["omitted", "truncated"]]] = {
    "omitted": "omitted",
    "truncated": "truncated",
}


class Names:
    """One table of names. A name is the tuple of all columns but `id`."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._columns = [column for column in table.c if column.name != "id"]
        self._ids: dict[tuple[Any, ...], int] = {}
        self._names: dict[int, tuple[Any, ...]] = {}

    def find_id(self, connection: Connection, *name: object) -> int | None:
        """The number of a name, None where it has none yet."""
        number = self._ids.get(name)
        if number is None:
            same = [column == part for column, part in zip(self._columns, name, strict=True)]
            number = connection.scalar(select(self._table.c.id).where(*same))
            if number is not None:
                self._ids[name] = number
        return number

    def make_id(self, connection: Connection, *name: object) -> int:
        """The number of a name, given to it now where it has none yet."""
        number = self.find_id(connection, *name)
        if number is None:
            values = {column.name: part for column, part in zip(self._columns, name, strict=True)}
            number = connection.scalars(
                insert(self._table).values(values).returning(self._table.c.id)
            ).one()
            self._ids[name] = number
        return number

    def name(self, connection: Connection, number: int) -> tuple[Any, ...]:
        """The name of a number that a row refers to. Raises KeyError where it has none."""
        name = self._names.get(number)
        if name is None:
            query = select(*self._columns).where(self._table.c.id == number)
            found = connection.execute(query).one_or_none()
            if found is None:
                raise KeyError(number)
            name = self._names[number] = tuple(found)
        return name

    def forget(self) -> None:
        """Drops what a failed transaction may have learned."""
        self._ids.clear()
        self._names.clear()


class Notices:
    """The offers of all notices by number; their documents stay in the database."""

    def __init__(self) -> None:
        self._offers: dict[int, OfferedNotice] = {}
        self._texts: dict[int, str] = {}
        self._ids: dict[tuple[str, str], int] = {}

    def id_of(self, connection: Connection, site: str, digest: str) -> int:
        """The number of a notice. Raises StoreUnavailable where it was never remembered."""
        if (site, digest) not in self._ids:
            self.load(connection)
        try:
            return self._ids[site, digest]
        except KeyError:
            message = f"notice {digest} of site {site!r} was not remembered before its record"
            raise StoreUnavailable(message) from None

    def offer(self, connection: Connection, number: int) -> OfferedNotice:
        """What the notice behind a record's number offers. Raises KeyError where there is none."""
        return self._offers.get(number) or self.load(connection)[number]

    def text(self, connection: Connection, number: int) -> str:
        """The same as the database keeps it, which a record's leaf covers."""
        if number not in self._texts:
            self.load(connection)
        return self._texts[number]

    def load(self, connection: Connection) -> dict[int, OfferedNotice]:
        """All offers by number, in the order the notices were first seen."""
        query = (
            select(notices.c.id, *offer_columns())
            .join_from(notices, sites)
            .order_by(notices.c.first_seen, notices.c.id)
        )
        rows = connection.execute(query).all()
        offers = {row.id: read_offer(row) for row in rows}
        self._offers.update(offers)
        self._texts.update({row.id: row.offer for row in rows})
        self._ids.update({(o.site, o.digest): number for number, o in offers.items()})
        return offers

    def forget(self) -> None:
        """Drops what a failed transaction may have learned."""
        self._offers.clear()
        self._texts.clear()
        self._ids.clear()


def offer_columns() -> Sequence[Any]:
    """The columns `read_offer` needs, of the tables notices and sites joined."""
    shown = notices.c
    return sites.c.name, shown.digest, shown.revision, shown.language, shown.offer


def write_offer(offer: OfferedNotice) -> str:
    """The parts of an offer that have no column of their own, as JSON."""
    return json.dumps(
        {
            "purposes": offer.purposes,
            "services": [[s.id, s.purpose, s.needs_full_ip] for s in offer.services],
            "accept_anonymises": offer.accept_anonymises,
            "consent_lifetime_days": offer.consent_lifetime_days,
            "ip": offer.ip,
        },
        separators=(",", ":"),
    )


def read_offer(row: AnyRow) -> OfferedNotice:
    """The offer of a row with `offer_columns`. Raises LogAltered where it was altered."""
    try:
        return parse_offer(
            row.offer,
            site=row.name,
            digest=memoryview(row.digest).hex(),
            revision=row.revision,
            language=row.language,
        )
    except BROKEN as error:
        message = f"the offer of a notice of {row.name} was altered; see `slagboom log verify`"
        raise LogAltered(message) from error


def parse_offer(
    text: str, *, site: str, digest: str, revision: int, language: str
) -> OfferedNotice:
    """The offer `write_offer` has written. Raises KeyError, TypeError or ValueError for none."""
    offered = parse_object(text)
    return OfferedNotice(
        site=read_text(site),
        digest=digest,
        revision=index(revision),
        language=read_text(language),
        purposes=tuple(read_text(purpose) for purpose in _read_list(offered["purposes"])),
        services=tuple(_read_service(*each) for each in _read_list(offered["services"])),
        accept_anonymises=_read_truth(offered["accept_anonymises"]),
        consent_lifetime_days=index(offered["consent_lifetime_days"]),
        ip=_IP_KEPT[offered["ip"]],
    )


def parse_object(text: str) -> dict[str, Any]:
    """The JSON object a text of the log is. Raises TypeError or ValueError for none.

    Half a character that JSON lets through could be written to no file.
    """
    found = json.loads(read_text(text))
    if not isinstance(found, dict):
        message = "no object"
        raise TypeError(message)
    json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    return found


def _read_list(value: object) -> list[Any]:
    if not isinstance(value, list):
        message = "no list"
        raise TypeError(message)
    return value


def _read_service(name: object, purpose: object, needs_full_ip: object) -> OfferedService:
    return OfferedService(read_text(name), read_text(purpose), _read_truth(needs_full_ip))


def _read_truth(value: object) -> bool:
    if not isinstance(value, bool):
        message = "neither true nor false"
        raise TypeError(message)
    return value
