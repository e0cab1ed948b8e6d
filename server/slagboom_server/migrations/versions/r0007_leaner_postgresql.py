"""Less on the disk for each decision on PostgreSQL; nothing changes for SQLite.

The table that tells which decisions are there has their identifiers as UUIDs. The indexes by time
leave `seq` out: few records share a millisecond, and those are sorted when they are read.
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(
        "ALTER TABLE decisions ALTER COLUMN decision_id TYPE uuid"
        " USING CAST(encode(decision_id, 'hex') AS uuid)"
    )
    for columns in (["site_id", "received_at"], ["received_at"]):
        name = "_".join(["records", *columns])
        op.create_index(name, "records", columns)
        op.drop_index(f"{name}_seq", "records")
