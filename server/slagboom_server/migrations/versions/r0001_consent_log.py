"""The consent log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sites",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="sites_pkey"),
        sa.UniqueConstraint("name", name="sites_name_key"),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("site_id", sa.Integer, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("language", sa.String(3), nullable=False),
        sa.Column("first_seen", sa.BigInteger, nullable=False),
        sa.Column("offer", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="notices_pkey"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="notices_site_id_fkey"),
        sa.UniqueConstraint("site_id", "digest", name="notices_site_id_digest_key"),
    )
    op.create_table(
        "origins",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("origin", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("id", name="origins_pkey"),
        sa.UniqueConstraint("origin", name="origins_origin_key"),
    )
    op.create_table(
        "clients",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("browser", sa.String(40), nullable=False),
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("device", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="clients_pkey"),
        sa.UniqueConstraint(
            "browser", "system", "device", name="clients_browser_system_device_key"
        ),
    )
    op.create_table(
        "records",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("site_id", sa.Integer, nullable=False),
        sa.Column("notice_id", sa.Integer, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("given_at", sa.BigInteger, nullable=False),
        sa.Column("valid_until", sa.BigInteger, nullable=False),
        sa.Column("decision_id", sa.LargeBinary(16), nullable=False),
        sa.Column("consent_id", sa.LargeBinary(16), nullable=False),
        sa.Column("previous", sa.LargeBinary(16)),
        sa.Column("action", sa.SmallInteger, nullable=False),
        sa.Column("layer", sa.SmallInteger, nullable=False),
        sa.Column("choices", sa.BigInteger, nullable=False),
        sa.Column("services", sa.BigInteger, nullable=False),
        sa.Column("anonymise_ip", sa.Boolean, nullable=False),
        sa.Column("gpc", sa.Boolean, nullable=False),
        sa.Column("regime", sa.SmallInteger, nullable=False),
        sa.Column("country", sa.String(2)),
        sa.Column("ip", sa.LargeBinary(6)),
        sa.Column("client_id", sa.Integer, nullable=False),
        sa.Column("origin_id", sa.Integer),
        sa.Column("flags", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="records_pkey"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="records_site_id_fkey"),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="records_notice_id_fkey"),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="records_client_id_fkey"),
        sa.ForeignKeyConstraint(["origin_id"], ["origins.id"], name="records_origin_id_fkey"),
        sa.UniqueConstraint("decision_id", name="records_decision_id_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("records_consent_id", "records", ["consent_id"])
    op.create_index("records_site_id_received_at_seq", "records", ["site_id", "received_at", "seq"])
    op.create_index("records_received_at_seq", "records", ["received_at", "seq"])
