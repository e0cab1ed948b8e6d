"""Which tokens of a hand-over are spent, known to every process of a log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "spent_tokens",
        sa.Column("digest", sa.LargeBinary(20), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="spent_tokens_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_index("spent_tokens_expires_at", "spent_tokens", ["expires_at"])
