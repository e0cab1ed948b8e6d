"""What an operator asks of the database itself: can it be written now, and how large is it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Connection

_SIZES: Final = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
    "postgresql": "SELECT pg_database_size(current_database())",
}


def write_nothing(connection: Connection) -> None:
    """Writes what stands there already. Only a commit shows whether there is room for one."""
    # The one row that every log has, and that no decision waits for.
    connection.execute(text("UPDATE alembic_version SET version_num = version_num"))


def size_bytes(connection: Connection) -> int:
    """The database with its indexes, and on PostgreSQL all of its tables."""
    size: int = connection.scalar(text(_SIZES[connection.dialect.name])) or 0
    return size
