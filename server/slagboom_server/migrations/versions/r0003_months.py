"""Months as partitions on PostgreSQL; nothing changes for SQLite.

An engine that speaks PostgreSQL's language and has no partitions keeps one plain table.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from collections.abc import Iterator

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_UNSUPPORTED: Final = {"0A000", "42601"}


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.LargeBinary(16), nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("decision_id", name="decisions_pkey"),
    )
    op.execute("INSERT INTO decisions SELECT decision_id, received_at FROM records")
    if _can_partition(connection):
        _partition(connection)


def _can_partition(connection: sa.Connection) -> bool:
    try:
        with connection.begin_nested():
            op.execute("CREATE TABLE partitioned (id BIGINT) PARTITION BY RANGE (id)")
            op.execute("DROP TABLE partitioned")
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in _UNSUPPORTED:
            return False
        raise
    return True


def _partition(connection: sa.Connection) -> None:
    # Their names are needed by the new table. Foreign keys do not come back: each record would
    # lock the few names it refers to, for which several writers would have to share locks.
    for name in ("site_id", "notice_id", "client_id", "origin_id"):
        op.drop_constraint(f"records_{name}_fkey", "records")
    op.drop_constraint("records_pkey", "records")
    op.drop_constraint("records_decision_id_key", "records")
    for name in ("consent_id", "site_id_received_at_seq", "received_at_seq"):
        op.drop_index(f"records_{name}", "records")
    op.rename_table("records", "records_0002")
    op.execute("CREATE TABLE records (LIKE records_0002) PARTITION BY RANGE (received_at)")
    op.execute("ALTER TABLE records ADD CONSTRAINT records_pkey PRIMARY KEY (seq, received_at)")
    op.create_index("records_consent_id", "records", ["consent_id"])
    op.create_index("records_site_id_received_at_seq", "records", ["site_id", "received_at", "seq"])
    op.create_index("records_received_at_seq", "records", ["received_at", "seq"])
    op.execute("CREATE TABLE records_other PARTITION OF records DEFAULT")
    for name, first, end in _months(connection):
        op.execute(f"CREATE TABLE {name} PARTITION OF records FOR VALUES FROM ({first}) TO ({end})")
    op.execute("INSERT INTO records SELECT * FROM records_0002")
    op.drop_table("records_0002")


def _months(connection: sa.Connection) -> Iterator[tuple[str, int, int]]:
    """Name and bounds of every month in which records were received."""
    time = "to_timestamp(received_at / 1000.0) AT TIME ZONE 'UTC'"
    query = f"SELECT DISTINCT date_trunc('month', {time}) FROM records_0002 ORDER BY 1"  # noqa: S608
    for found in connection.scalars(sa.text(query)).all():
        month = found.replace(tzinfo=dt.UTC)
        following = (month + dt.timedelta(days=31)).replace(day=1)
        first, end = int(month.timestamp()) * 1000, int(following.timestamp()) * 1000
        yield f"records_{month:%Y_%m}", first, end
