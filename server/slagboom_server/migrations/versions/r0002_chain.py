"""The hash chain, checkpoints, and tombstones for what is erased.

Records that were kept before become the first chain, in the order of their numbers.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from alembic import op

from slagboom_server.chain import begin_chain, link
from slagboom_server.leaf import CANONICAL, SALT_BYTES, digest_context, digest_record

if TYPE_CHECKING:
    from collections.abc import Iterator

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SEQ: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_IDS: Final = ("site_id", "notice_id", "client_id", "origin_id")
_DEVICES: Final = {1: "phone", 2: "tablet", 3: "computer", 4: "bot", 5: "other"}
_BATCH: Final = 2000


def upgrade() -> None:
    connection = op.get_bind()
    _create_evidence()
    for index in ("consent_id", "site_id_received_at_seq", "received_at_seq"):
        op.drop_index(f"records_{index}", "records")
    op.rename_table("records", "records_0001")
    if connection.dialect.name == "postgresql":
        # Their indexes hold names that the new table needs.
        op.drop_constraint("records_pkey", "records_0001")
        op.drop_constraint("records_decision_id_key", "records_0001")
    _create_records()
    _seal(connection)
    op.drop_table("records_0001")
    op.create_index("records_consent_id", "records", ["consent_id"])
    op.create_index("records_site_id_received_at_seq", "records", ["site_id", "received_at", "seq"])
    op.create_index("records_received_at_seq", "records", ["received_at", "seq"])


def _create_evidence() -> None:
    op.create_table(
        "tombstones",
        sa.Column("seq", _SEQ, nullable=False, autoincrement=False),
        sa.Column("leaf", sa.LargeBinary(32), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("erased_at", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="tombstones_pkey"),
    )
    op.create_table(
        "chains",
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("uid", sa.LargeBinary(16), nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("length", sa.BigInteger, nullable=False),
        sa.Column("head", sa.LargeBinary(32), nullable=False),
        sa.Column("writer", sa.LargeBinary(16)),
        sa.Column("used_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name="chains_pkey"),
        sa.UniqueConstraint("uid", name="chains_uid_key"),
    )
    op.create_table(
        "checkpoints",
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="checkpoints_pkey"),
    )
    op.create_table(
        "timestamps",
        sa.Column("checkpoint", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("stamped_at", sa.BigInteger, nullable=False),
        sa.Column("authority", sa.String(500), nullable=False),
        sa.Column("token", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("checkpoint", name="timestamps_pkey"),
        sa.ForeignKeyConstraint(
            ["checkpoint"], ["checkpoints.number"], name="timestamps_checkpoint_fkey"
        ),
    )


def _create_records() -> None:
    op.create_table(
        "records",
        sa.Column("seq", _SEQ, nullable=False, autoincrement=False),
        sa.Column("site_id", sa.Integer, nullable=False),
        sa.Column("notice_id", sa.Integer, nullable=False),
        sa.Column("client_id", sa.Integer, nullable=False),
        sa.Column("origin_id", sa.Integer),
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
        sa.Column("flags", sa.SmallInteger, nullable=False),
        sa.Column("salt", sa.LargeBinary(16), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="records_pkey"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="records_site_id_fkey"),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name="records_notice_id_fkey"),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="records_client_id_fkey"),
        sa.ForeignKeyConstraint(["origin_id"], ["origins.id"], name="records_origin_id_fkey"),
        sa.UniqueConstraint("decision_id", name="records_decision_id_key"),
    )


def _seal(connection: sa.Connection) -> None:
    columns = [*_IDS, *CANONICAL]
    table = sa.table("records", *(sa.column(name) for name in ("seq", *columns, "salt", "hash")))
    contexts: dict[Any, bytes] = {}
    chain = begin_chain(0, secrets.token_bytes(16), time.time_ns() // 1_000_000)
    head, length, used_at = chain.head, 0, chain.started_at
    for rows in _read_batches(connection, columns):
        sealed = []
        for row in rows:
            _, *values = row
            ids = tuple(values[: len(_IDS)])
            if ids not in contexts:
                contexts[ids] = digest_context(_read_names(connection, ids))
            salt = secrets.token_bytes(SALT_BYTES)
            head = link(head, digest_record(salt, values[len(_IDS) :], contexts[ids]))
            length += 1
            content = dict(zip(columns, values, strict=True))
            sealed.append({"seq": length, **content, "salt": salt, "hash": head})
        connection.execute(sa.insert(table), sealed)
    if not length:
        return
    begun = {
        "number": 0,
        "uid": chain.uid,
        "started_at": chain.started_at,
        "length": length,
        "head": head,
        "used_at": used_at,
    }
    connection.execute(sa.insert(sa.table("chains", *map(sa.column, begun))).values(begun))


def _read_batches(connection: sa.Connection, columns: list[str]) -> Iterator[Any]:
    """The rows of the first release, in the order they came."""
    old = sa.table("records_0001", *(sa.column(name) for name in ("seq", *columns)))
    last = -1
    while rows := connection.execute(
        sa.select(old).where(old.c.seq > last).order_by(old.c.seq).limit(_BATCH)
    ).all():
        yield rows
        last = rows[-1].seq


def _read_names(connection: sa.Connection, ids: tuple[int | None, ...]) -> list[str]:
    """What the ids stand for, as `digest_context` wants it."""
    site, notice, client, origin = ids
    name = connection.execute(
        sa.text("SELECT name FROM sites WHERE id = :id"), {"id": site}
    ).scalar_one()
    digest, revision, language, offer = connection.execute(
        sa.text("SELECT digest, revision, language, offer FROM notices WHERE id = :id"),
        {"id": notice},
    ).one()
    browser, system, device = connection.execute(
        sa.text("SELECT browser, system, device FROM clients WHERE id = :id"), {"id": client}
    ).one()
    page = connection.execute(
        sa.text("SELECT origin FROM origins WHERE id = :id"), {"id": origin}
    ).scalar()
    words = (browser, system, _DEVICES[device], page or "")
    return [name, digest.hex(), str(revision), language, offer, *words]
