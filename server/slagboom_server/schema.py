"""The tables of the consent log, kept small: names once, answers as bits, times as numbers.

Sites, notices, origins and clients stand in tables of their own, so a record is a row of short
integers and three identifiers of 16 bytes. Times are milliseconds since 1970 UTC. `choices` and
`services` hold one bit for each purpose and service, the lowest for the first one of the notice.
The numbers of closed sets are fixed here for good: extend them, never renumber.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from slagboom_banner.model import Action, Layer
from slagboom_banner.regime import Regime
from slagboom_server.anonymise import Device
from slagboom_server.chain import Reason
from slagboom_server.record import Flag

ACTIONS: Final = {
    Action.ACCEPT_ALL: 1,
    Action.REJECT_ALL: 2,
    Action.SAVE: 3,
    Action.WITHDRAW: 4,
    Action.GPC: 5,
    Action.EXPIRE: 6,
}
LAYERS: Final = {Layer.FIRST: 1, Layer.SECOND: 2, Layer.PLACEHOLDER: 3, Layer.API: 4}
REGIMES: Final = {Regime.OPT_IN: 1, Regime.OPT_OUT: 2, Regime.NOTICE_ONLY: 3}
DEVICES: Final = {
    Device.PHONE: 1,
    Device.TABLET: 2,
    Device.COMPUTER: 3,
    Device.BOT: 4,
    Device.OTHER: 5,
}
FLAGS: Final = {
    Flag.CLOCK_AHEAD: 1,
    Flag.CLOCK_BEHIND: 2,
    Flag.EARLIER_NOTICE: 4,
    Flag.GPC_DIFFERS: 8,
    Flag.FULL_IP_WITHHELD: 16,
}

REASONS: Final = {Reason.VISITOR: 1, Reason.DPO: 2, Reason.PURGE: 3}

SEQ: Final = BigInteger().with_variant(Integer, "sqlite")
"""SQLite keeps a number of exactly this type as the row's own, without an index beside it."""

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)

sites = Table(
    "sites",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(40), nullable=False, unique=True),
)

notices = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("language", String(3), nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("offer", Text, nullable=False),
    Column("document", Text, nullable=False),
    UniqueConstraint("site_id", "digest"),
)

origins = Table(
    "origins",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("origin", String(300), nullable=False, unique=True),
)

clients = Table(
    "clients",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("browser", String(40), nullable=False),
    Column("system", String(40), nullable=False),
    Column("device", SmallInteger, nullable=False),
    UniqueConstraint("browser", "system", "device"),
)

records = Table(
    "records",
    metadata,
    # `chain.to_seq`: the number of the chain and the position in it, given by the writer.
    Column("seq", SEQ, primary_key=True, autoincrement=False),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("notice_id", ForeignKey("notices.id"), nullable=False),
    Column("client_id", ForeignKey("clients.id"), nullable=False),
    Column("origin_id", ForeignKey("origins.id")),
    Column("received_at", BigInteger, nullable=False),
    Column("given_at", BigInteger, nullable=False),
    Column("valid_until", BigInteger, nullable=False),
    Column("decision_id", LargeBinary(16), nullable=False),
    Column("consent_id", LargeBinary(16), nullable=False),
    Column("previous", LargeBinary(16)),
    Column("action", SmallInteger, nullable=False),
    Column("layer", SmallInteger, nullable=False),
    Column("choices", BigInteger, nullable=False),
    Column("services", BigInteger, nullable=False),
    Column("anonymise_ip", Boolean, nullable=False),
    Column("gpc", Boolean, nullable=False),
    Column("regime", SmallInteger, nullable=False),
    Column("country", String(2)),
    Column("ip", LargeBinary(6)),
    Column("flags", SmallInteger, nullable=False),
    Column("salt", LargeBinary(16), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    UniqueConstraint("decision_id"),
    Index(None, "consent_id"),  # on SQLite in parts: `visitor_index`
    Index(None, "site_id", "received_at", "seq"),
    Index(None, "received_at", "seq"),
)
"""Records are inserted and deleted, never updated; what deletes one leaves its tombstone."""

tombstones = Table(
    "tombstones",
    metadata,
    Column("seq", SEQ, primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("erased_at", BigInteger, nullable=False),
    Column("reason", SmallInteger, nullable=False),
    Column("number", BigInteger),
    Index(None, "number", unique=True),
)
"""What stays of a record that was erased: enough for its chain to verify, nothing personal.

number: from 1 in the order of erasing, over all chains; see `erasures.py`."""

erasures = Table(
    "erasures",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("length", BigInteger, nullable=False),
    Column("head", LargeBinary(32), nullable=False),
)
"""One row: how many tombstones there are, and the link of the newest, for a checkpoint to sign."""

chains = Table(
    "chains",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("uid", LargeBinary(16), nullable=False, unique=True),
    Column("started_at", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("head", LargeBinary(32), nullable=False),
    Column("writer", LargeBinary(16)),
    Column("used_at", BigInteger, nullable=False),
)
"""writer: the process that appends now, where processes have chains of their own. used_at: when
the newest record was received."""

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("made_at", BigInteger, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("text", Text, nullable=False),
)

COUNTERS: Final = (
    "shown",
    "accepted",
    "refused",
    "chosen",
    "withdrawn",
    "signalled",
    "expired",
    "granted",
)
"""`shown` counts first layers, the next six decisions by action, `granted` those that allow the
purpose, or any purpose in the rows for all of them."""


def _counters() -> list[Column[int]]:
    return [Column(counter, BigInteger, nullable=False) for counter in COUNTERS]


daily_counts = Table(
    "daily_counts",
    metadata,
    Column("site_id", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("purpose", String(40), primary_key=True),
    Column("chain", Integer, primary_key=True, autoincrement=False),
    *_counters(),
    sqlite_with_rowid=False,
)
"""What the decisions add up to, erased ones included. day: since 1970. purpose: empty for the
decisions as a whole. chain: that of the process that counted, so that no two wait for one row."""

detailed_counts = Table(
    "detailed_counts",
    metadata,
    Column("site_id", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("purpose", String(40), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("language", String(3), primary_key=True),
    Column("country", String(2), primary_key=True),
    Column("device", SmallInteger, primary_key=True, autoincrement=False),
    Column("chain", Integer, primary_key=True, autoincrement=False),
    *_counters(),
    sqlite_with_rowid=False,
)
"""The same by more dimensions, so that a year by day and purpose stays short. country: empty where
it is not known."""

holds = Table(
    "holds",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("filter", Text, nullable=False),
    Column("reason", String(500), nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("released_at", BigInteger),
)
"""Legal holds. filter: which records, as JSON. A released one stays, to show what was kept when."""

publications = Table(
    "publications",
    metadata,
    Column("site_id", ForeignKey("sites.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
    Column("published_at", BigInteger, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("text", Text, nullable=False),
)
"""What a site served from when on, as canonical JSON; number counts from 1 for each site."""

contents = Table(
    "contents",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("text", Text, nullable=False),
)
"""The texts publications name, by their SHA-256; kept for good."""

timestamps = Table(
    "timestamps",
    metadata,
    Column("checkpoint", ForeignKey("checkpoints.number"), primary_key=True),
    Column("stamped_at", BigInteger, nullable=False),
    Column("authority", String(500), nullable=False),
    Column("token", LargeBinary, nullable=False),
)
"""RFC 3161 answers over a checkpoint's digest, DER. stamped_at: by the authority's clock."""

spent_tokens = Table(
    "spent_tokens",
    metadata,
    Column("digest", LargeBinary(20), primary_key=True),
    Column("expires_at", BigInteger, nullable=False),
    Index(None, "expires_at"),
    sqlite_with_rowid=False,
)
"""Tokens of a hand-over that were redeemed: nothing of the visitor, and only for some minutes."""
