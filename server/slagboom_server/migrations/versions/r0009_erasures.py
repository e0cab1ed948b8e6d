"""The order of erasures, which checkpoints sign from now on.

Tombstones that are there already come first, in the order of their times.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_FORM: Final = struct.Struct(">c32sq32sqB")
_BATCH: Final = 5000
_HASH: Final = 32


def upgrade() -> None:
    op.add_column("tombstones", sa.Column("number", sa.BigInteger))
    op.execute(
        "UPDATE tombstones SET number = ordered.number FROM"
        " (SELECT seq, row_number() OVER (ORDER BY erased_at, seq) AS number FROM tombstones)"
        " AS ordered WHERE ordered.seq = tombstones.seq"
    )
    op.create_index("tombstones_number", "tombstones", ["number"], unique=True)
    erasures = op.create_table(
        "erasures",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("length", sa.BigInteger, nullable=False),
        sa.Column("head", sa.LargeBinary(_HASH), nullable=False),
        sa.PrimaryKeyConstraint("id", name="erasures_pkey"),
    )
    length, head = _link(op.get_bind())
    op.execute(sa.insert(erasures).values(id=1, length=length, head=head))


def _link(connection: sa.Connection) -> tuple[int, bytes]:
    """How many tombstones there are, and the link of the last one."""
    names = ("number", "seq", "hash", "erased_at", "reason")
    columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in names]
    query = sa.select(*columns).select_from(sa.table("tombstones", *columns)).order_by(columns[0])
    length, head = 0, sha256(b"slagboom erasures 1").digest()
    while rows := connection.execute(query.where(columns[0] > length).limit(_BATCH)).all():
        for number, seq, stored, erased_at, reason in map(tuple, rows):
            is_hash = isinstance(stored, bytes) and len(stored) == _HASH
            known = stored if is_hash else bytes(_HASH)
            head = sha256(_FORM.pack(b"\x02", head, seq, known, erased_at, reason)).digest()
            length = number
    return length, head
