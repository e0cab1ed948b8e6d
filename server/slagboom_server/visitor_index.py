"""How a visitor's records are found among millions.

Consent numbers are random: in one index over all of them each new decision changes a page of its
own, which at ten million takes a quarter of all speed. So the index of an SQLite file is cut into
parts of 2¹⁸ records; only the newest is written, and a visitor is looked up in each. On PostgreSQL
every month has an index of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import text

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Select

# From each part to that of the next record there is, for chains leave gaps. UNION ends even where
# somebody gave a record the highest number there can be, behind which the shift begins anew.
_PARTS: Final = (
    "WITH RECURSIVE parts (part) AS (SELECT min(seq) >> 18 FROM main.records UNION"
    " SELECT (SELECT min(seq) >> 18 FROM main.records WHERE seq >= (part + 1) << 18) FROM parts)"
    " SELECT part FROM parts WHERE part IS NOT NULL"
)

# SQLite knows nothing of how large the log is, and would take any other index as well.
IN_PARTS: Final = (
    f"main.records INDEXED BY records_consent_id WHERE seq >> 18 IN ({_PARTS}) AND consent_id ="
)
"""In an SQLite file, the rows of the one `consent_id` that follows."""

_ROWS: Final = text(f"SELECT * FROM {IN_PARTS} :visitor")  # noqa: S608 -- our own names


def use_index(
    query: Select[*tuple[Any, ...]], consent_id: UUID, dialect: str
) -> Select[*tuple[Any, ...]]:
    """Has a query of one visitor's records find them through the index."""
    if dialect != "sqlite":
        return query
    # What the query calls the table is then those rows alone.
    rows = _ROWS.bindparams(visitor=consent_id.bytes).columns().cte("records")
    return query.add_cte(rows)
