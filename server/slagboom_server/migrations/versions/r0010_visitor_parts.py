"""SQLite's index by visitor in parts, of which only the newest is written.

It is made anew, in some seconds for a million records.
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    op.drop_index("records_consent_id", "records")
    op.execute("CREATE INDEX records_consent_id ON records (seq >> 18, consent_id)")
