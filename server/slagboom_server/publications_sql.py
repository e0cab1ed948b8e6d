"""Publications over SQLAlchemy Core; see `publication.Publications` for what each method says."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from slagboom_banner.errors import SlagboomError
from slagboom_server.altered import BROKEN
from slagboom_server.errors import LogAltered
from slagboom_server.export import format_time
from slagboom_server.names import parse_object
from slagboom_server.publication import Publication, digest, to_canonical
from slagboom_server.retry import retried
from slagboom_server.row import from_ms, read_text, to_ms
from slagboom_server.schema import contents, publications, sites

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Select

    from slagboom_server.names import Names
    from slagboom_server.publication import Served
    from slagboom_server.row import AnyRow

    Opens = Callable[[], AbstractContextManager[Connection]]


class SqlPublications:
    """Publications in an SQL database. reading, writing: the store's own transactions."""

    def __init__(self, reading: Opens, writing: Opens, sites_: Names) -> None:
        self._reading = reading
        self._writing = writing
        self._sites = sites_

    @retried
    def add(self, served: Served, author: str, now: dt.datetime) -> Publication | None:
        """Keeps what a site serves from now on; None where its newest publication is the same."""
        described = served.describe()
        with self._writing() as connection:
            site_id = self._sites.make_id(connection, served.site)
            # Nodes that start together wait for each other, so that one of them publishes.
            connection.execute(select(sites.c.id).order_by(sites.c.id).with_for_update()).all()
            own = _select().where(publications.c.site_id == site_id)
            row = connection.execute(own.order_by(publications.c.number.desc()).limit(1)).first()
            last = None if row is None else _from_row(row)
            keep_texts(connection, served.texts)
            if last is not None and last.served == described:
                return None
            number = 1 if last is None else last.number + 1
            text = to_canonical(
                {
                    "site": served.site,
                    "number": number,
                    "published_at": format_time(now),
                    "author": author,
                    "previous": None if last is None else last.digest,
                    "served": described,
                }
            )
            made = Publication(served.site, number, served.revision, from_ms(to_ms(now)), text)
            values = {
                "site_id": site_id,
                "number": number,
                "revision": served.revision,
                "published_at": to_ms(now),
                "digest": bytes.fromhex(made.digest),
                "text": text,
            }
            connection.execute(insert(publications).values(values))
        return made

    def all(self, site: str | None = None) -> Sequence[Publication]:
        """Those of a site or of every one, by site, oldest first."""
        query = _select().order_by(sites.c.name, publications.c.number)
        if site is not None:
            query = query.where(sites.c.name == site)
        with self._reading() as connection:
            return [_from_row(row) for row in connection.execute(query)]

    def find(self, text_digest: str) -> str | None:
        """A text that a publication names; None where it is not there."""
        same = contents.c.digest == bytes.fromhex(text_digest)
        with self._reading() as connection:
            text: str | None = connection.scalar(select(contents.c.text).where(same))
        return text

    def read(self, text_digest: str) -> str:
        """As `find`. Raises SlagboomError where it is not there, or is another one."""
        text: str | None = None
        try:
            text = self.find(text_digest)
            is_altered = text is not None and digest(text) != text_digest
        except BROKEN:
            is_altered = True
        if is_altered:
            message = (
                f"the text {text_digest} of a publication was altered; see `slagboom log verify`"
            )
            raise LogAltered(message)
        if text is None:
            message = f"the text {text_digest} of a publication is gone; see `slagboom log verify`"
            raise SlagboomError(message)
        return text


def _select() -> Select[*tuple[Any, ...]]:
    shown = publications.c
    columns = select(sites.c.name, shown.number, shown.revision, shown.published_at, shown.text)
    return columns.join_from(publications, sites)


def _from_row(row: AnyRow) -> Publication:
    try:
        described = parse_object(row.text)
        read_text(described["author"])
        read_text(described["served"]["policy"])
        published_at = from_ms(row.published_at)
        return Publication(row.name, row.number, index(row.revision), published_at, row.text)
    except BROKEN as error:
        message = f"publication {row.number} of {row.name} was altered; see `slagboom log verify`"
        raise LogAltered(message) from error


def keep_texts(connection: Connection, texts: Iterable[str]) -> None:
    """Keeps texts by their digest, those that are not there yet."""
    by_digest = {bytes.fromhex(digest(text)): text for text in texts}
    known = select(contents.c.digest).where(contents.c.digest.in_(by_digest))
    kept = {bytes(found) for found in connection.scalars(known)}
    rows = [{"digest": key, "text": text} for key, text in by_digest.items() if key not in kept]
    if rows:
        connection.execute(insert(contents), rows)
