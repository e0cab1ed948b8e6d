"""Legal holds, which keep records from being erased and purged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "holds",
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("filter", sa.Text, nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("released_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("number", name="holds_pkey"),
    )
