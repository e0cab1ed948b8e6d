"""Lean rows as lines of CSV, as fast as a bare loop: what repeats is written out once.

The lines are those that `export.flatten_record` and the csv module make of the same records.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from slagboom_server.export import CSV_COLUMNS, format_cell, names_with
from slagboom_server.record import granted_services
from slagboom_server.row import (
    ACTION_OF,
    LAYER_OF,
    REGIME_OF,
    flags_from_bits,
    from_bits,
    from_ms,
    service_ids,
    unpack_network,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TextIO

    from slagboom_server.lean import LeanRow, Lookup

_MINUTE_MS: Final = 60_000
_DAY_MINUTES: Final = 1440
_MINUTES: Final = tuple(f"T{minute // 60:02}:{minute % 60:02}" for minute in range(_DAY_MINUTES))
_SECONDS: Final = tuple(f":{ms // 1000:02}.{ms % 1000:03}Z" for ms in range(_MINUTE_MS))
"""The parts of a time after the day, by the minute of the day and the millisecond of the minute."""

_MOST: Final = 50_000
"""Texts of one kind in memory, a few megabytes."""

_REPEATED: Final = slice(8, 17)
_SENDER: Final = slice(17, 20)


class _Memory(dict[Any, str]):
    """Texts by key, made where one is missing; forgets all when there are too many."""

    def __init__(self, make: Callable[[Any], str]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: object) -> str:
        if len(self) >= _MOST:
            self.clear()
        text = self[key] = self._make(key)
        return text


class CsvLines:
    """Makes lines of the columns `export.CSV_COLUMNS`."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._days = _Memory(_format_day)
        self._networks = _Memory(lambda packed: format_cell(unpack_network(packed)))
        self._repeated = _Memory(self._format_repeated)
        self._senders = _Memory(self._format_sender)

    def write(self, rows: Iterable[LeanRow]) -> list[str]:
        """One line for each row, with its end. rows: of `lean.LEAN`."""
        days, networks = self._days, self._networks
        repeated, senders = self._repeated, self._senders
        lines = []
        for row in rows:
            a, b = row[1].hex(), row[2].hex()
            previous = "" if row[3] is None else str(UUID(bytes=row[3]))
            minute1, ms1 = divmod(row[4], _MINUTE_MS)
            minute2, ms2 = divmod(row[5], _MINUTE_MS)
            minute3, ms3 = divmod(row[6], _MINUTE_MS)
            lines.append(
                f"{row[0]},"
                # A UUID's own text takes three times as long.
                f"{a[:8]}-{a[8:12]}-{a[12:16]}-{a[16:20]}-{a[20:]},"
                f"{b[:8]}-{b[8:12]}-{b[12:16]}-{b[16:20]}-{b[20:]},"
                f"{previous},"
                f"{days[minute1 // _DAY_MINUTES]}{_MINUTES[minute1 % _DAY_MINUTES]}{_SECONDS[ms1]},"
                f"{days[minute2 // _DAY_MINUTES]}{_MINUTES[minute2 % _DAY_MINUTES]}{_SECONDS[ms2]},"
                f"{days[minute3 // _DAY_MINUTES]}{_MINUTES[minute3 % _DAY_MINUTES]}{_SECONDS[ms3]},"
                f"{repeated[row[_REPEATED]]},{networks[row[7]]},{senders[row[_SENDER]]}\r\n"
            )
        return lines

    def _format_repeated(self, key: tuple[Any, ...]) -> str:
        notice_id, layer, action, choices, services, anonymise_ip, gpc, regime, country = key
        offer = self._lookup.offer(notice_id)
        asked = from_bits(choices, offer.purposes)
        used = from_bits(services, service_ids(offer))
        return _join(
            [
                *(offer.site, offer.revision, offer.digest, offer.language),
                *(LAYER_OF[layer].value, ACTION_OF[action].value),
                *(names_with(asked, is_granted=True), names_with(asked, is_granted=False)),
                *(names_with(used, is_granted=True), names_with(used, is_granted=False)),
                bool(anonymise_ip),
                granted_services(offer, used, anonymise_ip=bool(anonymise_ip)),
                *(bool(gpc), REGIME_OF[regime].value, country),
            ]
        )

    def _format_sender(self, key: tuple[Any, ...]) -> str:
        client_id, origin_id, flags = key
        client = self._lookup.client(client_id)
        origin = None if origin_id is None else self._lookup.origin(origin_id)
        raised = flags_from_bits(flags)
        return _join([client.browser, client.system, client.device.value, origin, raised])


def write_csv(pages: Iterable[Sequence[LeanRow]], lookup: Lookup, out: TextIO) -> None:
    """Writes a table with its heading. out: opened with `newline=""`; CSV ends its own lines."""
    lines = CsvLines(lookup)
    out.write(",".join(CSV_COLUMNS) + "\r\n")
    for page in pages:
        out.writelines(lines.write(page))


def _format_day(day: int) -> str:
    return from_ms(day * _DAY_MINUTES * _MINUTE_MS).date().isoformat()


def _join(cells: Sequence[object]) -> str:
    """Cells as they stand within a line."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([format_cell(cell) for cell in cells])
    return line.getvalue()
