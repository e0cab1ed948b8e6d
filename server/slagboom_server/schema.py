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
    # SQLite numbers a table's rows itself only for a column of exactly this type.
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("notice_id", ForeignKey("notices.id"), nullable=False),
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
    Column("client_id", ForeignKey("clients.id"), nullable=False),
    Column("origin_id", ForeignKey("origins.id")),
    Column("flags", SmallInteger, nullable=False),
    UniqueConstraint("decision_id"),
    Index(None, "consent_id"),
    Index(None, "site_id", "received_at", "seq"),
    Index(None, "received_at", "seq"),
    # A purged tail must not hand its numbers to later records.
    sqlite_autoincrement=True,
)
