"""The consent log over SQLAlchemy Core: SQLite, and SQL that PostgreSQL understands as well."""

from __future__ import annotations

import json
import secrets
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    case,
    func,
    insert,
    select,
    tuple_,
    update,
)

from slagboom_server.altered import BROKEN, name_altered
from slagboom_server.burial import Burial
from slagboom_server.context import Contexts
from slagboom_server.corruption import Damage
from slagboom_server.driver import run
from slagboom_server.engine import reading, writing
from slagboom_server.entry import as_entry
from slagboom_server.errors import LogAltered, LogCorrupt, StoreUnavailable
from slagboom_server.evidence_sql import SqlEvidence
from slagboom_server.held import with_decisions
from slagboom_server.lean import BARE, LEAN, WHOLE, read_lean_pages, split_records
from slagboom_server.ledger import Ledger
from slagboom_server.migration import open_current
from slagboom_server.months import Months
from slagboom_server.names import (
    Names,
    Notices,
    offer_columns,
    parse_object,
    read_offer,
    write_offer,
)
from slagboom_server.probe_sql import size_bytes, write_nothing
from slagboom_server.publications_sql import SqlPublications
from slagboom_server.report import Stats, Tally, summarise
from slagboom_server.retention_sql import SqlRetention
from slagboom_server.retry import retried
from slagboom_server.rollup_sql import Counting, SqlRollups
from slagboom_server.row import (
    ACTION_OF,
    REPEATED,
    SINGLE,
    describe_repeated,
    from_bits,
    from_ms,
    from_row,
    read_client,
    read_text,
    service_ids,
    to_ms,
)
from slagboom_server.schema import clients, notices, origins, records, sites
from slagboom_server.selection import conditions
from slagboom_server.spent_sql import spend
from slagboom_server.store import Appended, StoredNotice
from slagboom_server.visitor_index import IN_PARTS, use_index

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence
    from uuid import UUID

    from pydantic import JsonValue
    from sqlalchemy import Engine

    from slagboom_server.anonymise import Client
    from slagboom_server.entry import Entry
    from slagboom_server.evidence import Evidence
    from slagboom_server.lean import LeanRow, Narrow, Slice
    from slagboom_server.publication import Publications
    from slagboom_server.record import ConsentRecord, OfferedNotice
    from slagboom_server.retention import Retention
    from slagboom_server.rollup import Rollups, ShownCounts
    from slagboom_server.row import AnyRow
    from slagboom_server.store import Cursor, Filter

_DAY_MS: Final = 86_400_000
_MINUTE_MS: Final = 60_000
_MOST_SEEN: Final = 10_000
"""Combinations of what repeats among records, kept in memory."""

_NOTICE, _CLIENT, _ORIGIN = (
    REPEATED.index(name) for name in ("notice_id", "client_id", "origin_id")
)
_RECORDS_OF_VISITOR: Final = {
    dialect: f"SELECT {', '.join(LEAN)} FROM {rows} ORDER BY received_at, seq"  # noqa: S608 -- our own names
    for dialect, rows in {
        "sqlite": f"{IN_PARTS} ?",
        "postgresql": "records WHERE consent_id = %s",
    }.items()
}


class SqlStore:
    """A consent log in an SQL database; see `store.Store` for what each method promises.

    Safe to use from several threads. Several processes may write the same database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sites = Names(sites)
        self._origins = Names(origins)
        self._clients = Names(clients)
        self._notices = Notices()
        contexts = Contexts(self._sites, self._notices, self._clients, self._origins)
        counting = Counting(self._sites, self._notices, self._clients)
        self._ledger = Ledger(contexts, counting, secrets.token_bytes)
        self._months = Months(engine)
        self._damage = Damage(engine)
        self._seen: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.evidence: Evidence = SqlEvidence(engine)
        self.rollups: Rollups = SqlRollups(self._reading)
        self.publications: Publications = SqlPublications(self._reading, self._writing, self._sites)
        burial = Burial(self._sites, self._notices, self._clients, self._origins)
        self.retention: Retention = SqlRetention(
            self._reading, self._writing, burial, (self._sites, self._notices), self._months
        )
        self._lock = threading.Lock()

    def close(self) -> None:
        """Lets go of its chain and of every connection."""
        if self._ledger.has_claim:
            # A chain that cannot be let go now is free again once it has been silent for long.
            with suppress(StoreUnavailable), self._writing() as connection:
                self._ledger.release(connection)
        self.let_go()

    def let_go(self) -> None:
        """Closes every connection; the next use opens one."""
        self._engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        # Until a failed writer has forgotten, another one could use numbers that were undone.
        with self._lock:
            self._damage.require_none()
            try:
                with writing(self._engine) as connection:
                    yield connection
            except BaseException as error:
                self._damage.note(error)
                self._forget()
                raise

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with reading(self._engine) as connection:
                yield connection
        except StoreUnavailable as error:
            self._damage.note(error)
            # The next file may be another one, with other numbers.
            self._forget()
            raise

    def note_damage(self, error: LogCorrupt) -> None:
        """Remembers what another process has met: the log takes nothing until it is replaced."""
        self._damage.note(error)

    @retried
    def spend_token(self, digest: bytes, expires_at: dt.datetime, now: dt.datetime) -> bool:
        """Whether a token is spent for the first time, by any process of this log."""
        with self._writing() as connection:
            return spend(connection, digest, expires_at, now)

    def probe(self) -> None:
        """Makes a commit that changes nothing."""
        with self._writing() as connection:
            write_nothing(connection)

    def size_bytes(self) -> int:
        """What the log takes in the database, with its indexes."""
        with self._reading() as connection:
            return size_bytes(connection)

    def _forget(self) -> None:
        memories = (self._sites, self._origins, self._clients, self._notices, self._ledger)
        for memory in memories:
            memory.forget()
        self._seen.clear()

    @retried
    def remember_notice(
        self, offer: OfferedNotice, document: Mapping[str, JsonValue], first_seen: dt.datetime
    ) -> None:
        """Keeps a notice under its site and digest; does nothing where it is kept already."""
        with self._writing() as connection:
            site_id = self._sites.make_id(connection, offer.site)
            digest = bytes.fromhex(offer.digest)
            same = (notices.c.site_id == site_id, notices.c.digest == digest)
            text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
            kept = connection.execute(select(notices.c.document).where(*same)).first()
            if kept is not None:
                if not kept.document:  # its words had been removed
                    connection.execute(update(notices).where(*same).values(document=text))
                return
            row = {
                "site_id": site_id,
                "digest": digest,
                "revision": offer.revision,
                "language": offer.language,
                "first_seen": to_ms(first_seen),
                "offer": write_offer(offer),
                "document": text,
            }
            connection.execute(insert(notices).values(row))

    def notice(self, site: str, digest: str) -> StoredNotice | None:
        """A kept notice, None where there is none."""
        try:
            key = bytes.fromhex(digest)
        except ValueError:
            return None
        found = self._stored_notices(sites.c.name == site, notices.c.digest == key)
        return found[0] if found else None

    def latest_notices(self, site: str) -> Sequence[StoredNotice]:
        """The notices of the highest revision a site has published, first published first."""
        highest = (
            select(func.max(notices.c.revision))
            .join_from(notices, sites)
            .where(sites.c.name == site)
        )
        return self._stored_notices(
            sites.c.name == site, notices.c.revision == highest.scalar_subquery()
        )

    def _stored_notices(self, *conditions: ColumnElement[bool]) -> list[StoredNotice]:
        query = (
            select(*offer_columns(), notices.c.document, notices.c.first_seen)
            .join_from(notices, sites)
            .where(notices.c.document != "", *conditions)
            .order_by(notices.c.first_seen, notices.c.id)
        )
        with self._reading() as connection:
            return [_read_notice(row) for row in connection.execute(query)]

    def offers(self) -> Sequence[OfferedNotice]:
        """What every kept notice of every site offers, without the documents."""
        with self._reading() as connection:
            return list(self._notices.load(connection).values())

    @retried
    def append(
        self, new: Sequence[ConsentRecord | Entry], shown: ShownCounts | None = None
    ) -> Sequence[Appended]:
        """Adds records in one transaction; the answers are in the records' order."""
        entries = [as_entry(each) for each in new]
        minutes = {entry.received_at // _MINUTE_MS for entry in entries}
        self._months.prepare([from_ms(minute * _MINUTE_MS) for minute in minutes])
        with self._writing() as connection:
            return self._ledger.append(connection, entries, shown)

    def record(self, decision_id: UUID) -> ConsentRecord | None:
        """One record, None where there is none."""
        dialect = self._engine.dialect.name
        found = self._read(with_decisions(BARE, dialect, [decision_id.bytes]))
        return found[0] if found else None

    def records_of(self, consent_id: UUID) -> Sequence[ConsentRecord]:
        """Every record of one visitor's device, oldest first."""
        with self._reading() as connection:
            # Past Core, which would take half as long again as the database.
            query = _RECORDS_OF_VISITOR[connection.dialect.name]
            rows = run(connection, query, (consent_id.bytes,))
            return [self._from_row(connection, row) for row in rows]

    def page(
        self,
        chosen: Filter,
        after: Cursor | None = None,
        *,
        limit: int,
        newest_first: bool = False,
    ) -> Sequence[ConsentRecord]:
        """At most `limit` records in the log's order, beginning behind `after`."""
        place = tuple_(records.c.received_at, records.c.seq)
        query = BARE.limit(limit)
        if newest_first:
            query = query.order_by(records.c.received_at.desc(), records.c.seq.desc())
        else:
            query = query.order_by(records.c.received_at, records.c.seq)
        if after is not None:
            time = to_ms(after.received_at)
            here = tuple_(time, after.seq)
            query = query.where(place < here if newest_first else place > here)
            # Says nothing new, but only this tells PostgreSQL which months to leave out.
            received_at = records.c.received_at
            query = query.where(received_at <= time if newest_first else received_at >= time)
        return self._read(query, chosen)

    def split(self, chosen: Filter, size: int) -> Iterator[Slice]:
        """The log in slices of so many records, the last one open."""
        with self._reading() as connection:
            narrow = self._narrowing(connection, chosen)
        yield from split_records(self._reading, narrow, size)

    def lean_pages(self, chosen: Filter, part: Slice = WHOLE) -> Iterator[Sequence[LeanRow]]:
        """Records in the log's order as bare rows of `lean.LEAN`, some thousands at a time."""
        with self._reading() as connection:
            narrow = self._narrowing(connection, chosen)
        yield from read_lean_pages(self._reading, narrow, part)

    def offer(self, notice_id: int) -> OfferedNotice:
        """What the notice of a lean row offers."""
        with self._reading() as connection:
            return self._notices.offer(connection, notice_id)

    def client(self, client_id: int) -> Client:
        """The client of a lean row."""
        with self._reading() as connection:
            return read_client(*self._clients.name(connection, client_id))

    def origin(self, origin_id: int) -> str:
        """The origin of a lean row."""
        with self._reading() as connection:
            return read_text(*self._origins.name(connection, origin_id))

    def count(self, chosen: Filter) -> int:
        """How many records there are."""
        with self._reading() as connection:
            query = select(func.count()).select_from(records)
            return connection.scalar(self._narrowing(connection, chosen)(query)) or 0

    def stats(self, chosen: Filter) -> Stats:
        """What the records add up to."""
        day: ColumnElement[Any] = records.c.received_at // _DAY_MS
        if self._engine.dialect.name == "sqlite":
            # It would take a text for the number it begins with, or for none.
            day = case((func.typeof(records.c.received_at) == "integer", day))
        group = (
            day.label("day"),
            records.c.notice_id,
            records.c.action,
            records.c.choices,
            records.c.services,
        )
        counts = (func.count().label("decisions"), func.min(records.c.seq).label("first"))
        query = select(*group, *counts).group_by(*group)
        with self._reading() as connection:
            rows = connection.execute(self._narrowing(connection, chosen)(query))
            return summarise(self._tally(connection, row) for row in rows.all())

    def _tally(self, connection: Connection, row: AnyRow) -> Tally:
        try:
            offer = self._notices.offer(connection, row.notice_id)
            return Tally(
                day=from_ms(row.day * _DAY_MS).date(),
                language=offer.language,
                action=ACTION_OF[row.action],
                choices=from_bits(row.choices, offer.purposes),
                services=from_bits(row.services, service_ids(offer)),
                decisions=row.decisions,
            )
        except BROKEN as error:
            raise name_altered(row.first) from error

    def _read(self, query: Select[Any], chosen: Filter | None = None) -> list[ConsentRecord]:
        with self._reading() as connection:
            if chosen is not None:
                query = self._narrowing(connection, chosen)(query)
            rows = connection.execute(query).all()
            return [self._from_row(connection, row) for row in rows]

    def _from_row(self, connection: Connection, row: AnyRow | LeanRow) -> ConsentRecord:
        try:
            # By place: by name each value costs more than what is made of it.
            single, key = row[: len(SINGLE)], row[len(SINGLE) :]
            repeated = self._seen.get(key)
            if repeated is None:
                if len(self._seen) >= _MOST_SEEN:
                    self._seen.clear()
                repeated = self._seen[key] = self._describe(connection, key)
            return from_row(single, repeated)
        except BROKEN as error:
            raise name_altered(row[0]) from error

    def _describe(self, connection: Connection, key: tuple[Any, ...]) -> dict[str, Any]:
        client = read_client(*self._clients.name(connection, key[_CLIENT]))
        origin = None
        if key[_ORIGIN] is not None:
            origin = read_text(*self._origins.name(connection, key[_ORIGIN]))
        offer = self._notices.offer(connection, key[_NOTICE])
        return describe_repeated(key, offer, client, origin)

    def _narrowing(self, connection: Connection, chosen: Filter) -> Narrow:
        """What leaves of a query of records those that a filter finds."""
        required = conditions(connection, chosen, self._sites, self._notices)

        def narrow(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
            query = query.where(*required)
            if chosen.consent_id is not None:
                query = use_index(query, chosen.consent_id, self._engine.dialect.name)
            return query

        return narrow


def _read_notice(row: AnyRow) -> StoredNotice:
    offer = read_offer(row)
    try:
        return StoredNotice(offer, parse_object(row.document), from_ms(row.first_seen))
    except BROKEN as error:
        message = f"notice {offer.digest} of {offer.site} was altered; see `slagboom log verify`"
        raise LogAltered(message) from error


def open_store(database_url: str) -> SqlStore:
    """The consent log at an address, whose schema must be the current one.

    Raises SlagboomError where there is no such database or its schema is another one, and
    StoreUnavailable where it cannot be reached.
    """
    return SqlStore(open_current(database_url))
