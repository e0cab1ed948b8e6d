"""Identifiers of decisions as UUIDs in the table that tells which are there; PostgreSQL alone."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE decisions ALTER COLUMN decision_id TYPE uuid"
            " USING CAST(encode(decision_id, 'hex') AS uuid)"
        )
