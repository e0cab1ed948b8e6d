"""Roll-ups: what decisions add up to, counted as they are stored.

Records that were kept before are counted here, each in the chain it stands in.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from collections.abc import Mapping

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_DAY_MS: Final = 86_400_000
_CHAIN: Final = 1 << 36
_BATCH: Final = 1000
_COUNTERS: Final = (
    "shown",
    "accepted",
    "refused",
    "chosen",
    "withdrawn",
    "signalled",
    "expired",
    "granted",
)
_DAILY: Final = ("site_id", "day", "purpose", "chain")
_DETAILED: Final = (
    "site_id",
    "day",
    "purpose",
    "revision",
    "language",
    "country",
    "device",
    "chain",
)
_KINDS: Final[dict[str, sa.types.TypeEngine[Any]]] = {
    "purpose": sa.String(40),
    "language": sa.String(3),
    "country": sa.String(2),
    "device": sa.SmallInteger(),
}
Totals = dict[tuple[object, ...], list[int]]


def upgrade() -> None:
    _create("daily_counts", _DAILY)
    _create("detailed_counts", _DETAILED)
    connection = op.get_bind()
    daily: Totals = defaultdict(lambda: [0] * len(_COUNTERS))
    detailed: Totals = defaultdict(lambda: [0] * len(_COUNTERS))
    _count(connection, daily, detailed)
    _write(connection, "daily_counts", _DAILY, daily)
    _write(connection, "detailed_counts", _DETAILED, detailed)


def _create(name: str, key: tuple[str, ...]) -> None:
    op.create_table(
        name,
        *(
            sa.Column(part, _KINDS.get(part, sa.Integer()), nullable=False, autoincrement=False)
            for part in key
        ),
        *(sa.Column(counter, sa.BigInteger(), nullable=False) for counter in _COUNTERS),
        sa.PrimaryKeyConstraint(*key, name=f"{name}_pkey"),
        sqlite_with_rowid=False,
    )


def _count(connection: sa.Connection, daily: Totals, detailed: Totals) -> None:
    notices = {
        row.id: (row.revision, row.language, json.loads(row.offer)["purposes"])
        for row in connection.execute(sa.text("SELECT id, revision, language, offer FROM notices"))
    }
    kinds = connection.execute(
        sa.text(
            f"SELECT seq / {_CHAIN} AS chain, site_id, received_at / {_DAY_MS} AS day, notice_id,"  # noqa: S608 -- our own numbers
            " COALESCE(country, '') AS country, device, action, choices, count(*) AS times"
            " FROM records JOIN clients ON clients.id = client_id"
            " GROUP BY 1, 2, 3, 4, 5, 6, 7, 8"
        )
    )
    for row in kinds:
        release, language, purposes = notices[row.notice_id]
        granted = {"": row.choices != 0}
        granted.update((name, bool(row.choices >> bit & 1)) for bit, name in enumerate(purposes))
        for purpose, is_granted in granted.items():
            short = (row.site_id, row.day, purpose, row.chain)
            long = (*short[:3], release, language, row.country, row.device, row.chain)
            for counters in (daily[short], detailed[long]):
                counters[row.action] += row.times
                counters[-1] += row.times * is_granted


def _write(
    connection: sa.Connection,
    name: str,
    key: tuple[str, ...],
    totals: Mapping[tuple[object, ...], list[int]],
) -> None:
    columns = (*key, *_COUNTERS)
    table = sa.table(name, *(sa.column(column) for column in columns))
    rows = [
        dict(zip(columns, (*place, *counted), strict=True)) for place, counted in totals.items()
    ]
    for first in range(0, len(rows), _BATCH):
        connection.execute(sa.insert(table), rows[first : first + _BATCH])
