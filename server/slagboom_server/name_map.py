"""The ids of one database's names in another database, where each name may have another id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, insert, select, update

from slagboom_banner.errors import SlagboomError
from slagboom_server.altered import name_altered
from slagboom_server.errors import LogAltered
from slagboom_server.names import Names
from slagboom_server.row import CONTEXT_IDS
from slagboom_server.schema import clients, notices, origins, records, sites

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN: Final = tuple(
    column for column in notices.c if column.name not in {"id", "site_id", "digest"}
)
_PLACES: Final = tuple((records.c.keys().index(name), name) for name in CONTEXT_IDS)


class NameMap:
    """From the ids of `source` to those of `target`, made there where a name is new."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, int], int] = {}
        self._names = {
            "site_id": (Names(sites), Names(sites)),
            "client_id": (Names(clients), Names(clients)),
            "origin_id": (Names(origins), Names(origins)),
        }

    def translate_rows(
        self, source: Connection, target: Connection, rows: Iterable[tuple[Any, ...]]
    ) -> list[tuple[Any, ...]]:
        """Rows of records as the target keeps them; their notices must have been copied."""
        translated = []
        for row in rows:
            values = list(row)
            try:
                for place, column in _PLACES:
                    if values[place] is not None:
                        values[place] = self.translate(source, target, column, values[place])
            except LogAltered as error:
                raise name_altered(values[0]) from error
            translated.append(tuple(values))
        return translated

    def copy_notices(self, source: Connection, target: Connection, *, may_replace: bool) -> None:
        """Copies every notice the target lacks, word for word, for the records' leaves cover them.

        may_replace: where the target has one in other words, no record of it refers to it yet.
        """
        for row in source.execute(select(notices).order_by(notices.c.id)):
            site_id = self.translate(source, target, "site_id", row.site_id)
            same = (notices.c.site_id == site_id, notices.c.digest == row.digest)
            kept = target.execute(select(notices).where(*same)).first()
            shown = {column.name: getattr(row, column.name) for column in _SHOWN}
            if kept is None:
                values = {"site_id": site_id, "digest": row.digest, **shown}
                number = target.scalars(
                    insert(notices).values(values).returning(notices.c.id)
                ).one()
            else:
                number = kept.id
                if kept.offer != row.offer and not may_replace:
                    message = f"notice {row.digest.hex()} is kept in other words in the target"
                    raise SlagboomError(message)
                if may_replace:
                    target.execute(update(notices).where(notices.c.id == number).values(shown))
            self._ids["notice_id", row.id] = number

    def translate(self, source: Connection, target: Connection, column: str, number: int) -> int:
        """The target's id for an id of the source. column: as it is called in records.

        Raises LogAltered where it stands for nothing in the source.
        """
        found = self._ids.get((column, number))
        if found is None:
            try:
                there, here = self._names[column]
                name = there.name(source, number)
            except KeyError as error:
                message = (
                    f"the source was altered: a row names a {column} that is none; "
                    "run `slagboom log verify`"
                )
                raise LogAltered(message) from error
            found = here.make_id(target, *name)
            self._ids[column, number] = found
        return found
