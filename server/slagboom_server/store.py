"""What the consent log promises, without a word of SQL.

An acknowledgement means durable: when `append` returns, the records survive a loss of power.
Records are added, never changed; one that is erased leaves a tombstone. Every list is paged by key:
its last page costs what the first one did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence
    from uuid import UUID

    from pydantic import JsonValue

    from slagboom_banner.model import Action
    from slagboom_server.anonymise import Client
    from slagboom_server.entry import Entry
    from slagboom_server.evidence import Evidence
    from slagboom_server.lean import LeanRow, Slice
    from slagboom_server.publication import Publications
    from slagboom_server.record import ConsentRecord, OfferedNotice
    from slagboom_server.report import Stats
    from slagboom_server.retention import Retention
    from slagboom_server.rollup import Rollups, ShownCounts


@dataclass(frozen=True, slots=True)
class Stored:
    """The record is new and durable, under this number."""

    seq: int


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same decision was stored before, under this number; nothing was added."""

    seq: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another decision holds this decision_id; nothing was added."""

    decision_id: UUID


Appended = Stored | Repeated | Conflict


@dataclass(frozen=True, slots=True)
class StoredNotice:
    """A published notice as it was shown. document: everything the visitor could read."""

    offer: OfferedNotice
    document: Mapping[str, JsonValue]
    first_seen: dt.datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """A purpose or service together with the answer looked for."""

    id: str
    granted: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records are meant; None leaves a field open, several fields must all hold.

    since, until: bounds of received_at, the first included, the second not. purpose, service:
    records whose notice offered it and which gave this answer.
    """

    site: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    purpose: Answer | None = None
    service: Answer | None = None
    action: Action | None = None
    consent_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place of a record in the log's order, which is received_at, then seq."""

    received_at: dt.datetime
    seq: int


class Appending(Protocol):
    """Whatever adds records to a log."""

    def append(
        self, new: Sequence[ConsentRecord | Entry], shown: ShownCounts | None = None
    ) -> Sequence[Appended]:
        """Adds records in one transaction; the answers are in the records' order.

        new: records, or what is made ready of them already. Their notices must have been
        remembered. One decision_id may come twice in one call. What is new is counted in the same
        transaction, with the first layers that were shown.
        """
        ...


class Store(Appending, Protocol):
    """The consent log. Every method raises StoreUnavailable while the log cannot be used."""

    @property
    def rollups(self) -> Rollups:
        """What the decisions and first layers add up to."""
        ...

    @property
    def retention(self) -> Retention:
        """Erasing, purging and holding records."""
        ...

    @property
    def evidence(self) -> Evidence:
        """What the log keeps to prove itself."""
        ...

    @property
    def publications(self) -> Publications:
        """What sites have served from when on."""
        ...

    def remember_notice(
        self, offer: OfferedNotice, document: Mapping[str, JsonValue], first_seen: dt.datetime
    ) -> None:
        """Keeps a notice under its site and digest; does nothing where it is kept already."""
        ...

    def notice(self, site: str, digest: str) -> StoredNotice | None:
        """A kept notice, None where there is none."""
        ...

    def latest_notices(self, site: str) -> Sequence[StoredNotice]:
        """The notices of the highest revision a site has published, first published first."""
        ...

    def offers(self) -> Sequence[OfferedNotice]:
        """What every kept notice of every site offers, without the documents."""
        ...

    def record(self, decision_id: UUID) -> ConsentRecord | None:
        """One record, None where there is none."""
        ...

    def records_of(self, consent_id: UUID) -> Sequence[ConsentRecord]:
        """Every record of one visitor's device, oldest first."""
        ...

    def page(
        self,
        chosen: Filter,
        after: Cursor | None = None,
        *,
        limit: int,
        newest_first: bool = False,
    ) -> Sequence[ConsentRecord]:
        """At most `limit` records in the log's order, beginning behind `after`."""
        ...

    def split(self, chosen: Filter, size: int) -> Iterator[Slice]:
        """The log in slices of so many records, the last one open."""
        ...

    def lean_pages(self, chosen: Filter, part: Slice = ...) -> Iterator[Sequence[LeanRow]]:
        """Records in the log's order as bare rows of `lean.LEAN`, some thousands at a time.

        One page is in memory at a time; records added meanwhile may come too.
        """
        ...

    def offer(self, notice_id: int) -> OfferedNotice:
        """What the notice of a lean row offers."""
        ...

    def client(self, client_id: int) -> Client:
        """The client of a lean row."""
        ...

    def origin(self, origin_id: int) -> str:
        """The origin of a lean row."""
        ...

    def count(self, chosen: Filter) -> int:
        """How many records there are."""
        ...

    def stats(self, chosen: Filter) -> Stats:
        """What the records add up to."""
        ...

    def spend_token(self, digest: bytes, expires_at: dt.datetime, now: dt.datetime) -> bool:
        """Whether a token is spent for the first time, by any process of this log; durable.

        digest: 20 bytes that tell it from every other. expires_at: when it is good for nothing any
        more; some minutes later the log forgets it.
        """
        ...

    def probe(self) -> None:
        """Makes a durable commit that changes nothing, to show that it can be made."""
        ...

    def size_bytes(self) -> int:
        """What the log takes in the database, with its indexes."""
        ...

    def close(self) -> None:
        """Lets go of every connection."""
        ...
