"""Lean rows as CSV: the lines `export.flatten_record` and the csv module make of the records."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

from slagboom_server.export import CSV_COLUMNS, format_cell, names_with
from slagboom_server.lean_lines import Frame, LeanLines
from slagboom_server.record import granted_services
from slagboom_server.row import (
    ACTION_OF,
    LAYER_OF,
    REGIME_OF,
    flags_from_bits,
    from_bits,
    service_ids,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

    from slagboom_server.lean import LeanRow, Lookup

_FRAME: Final = Frame._make(("", *[","] * 9, "\r\n", "", ""))


def write_csv(pages: Iterable[Sequence[LeanRow]], lookup: Lookup, out: TextIO) -> None:
    """Writes a table with its heading. out: opened with `newline=""`; CSV ends its own lines."""
    cells = _Cells(lookup)
    lines = LeanLines(_FRAME, cells.repeated, cells.sender, format_cell)
    out.write(",".join(CSV_COLUMNS) + "\r\n")
    for page in pages:
        out.writelines(lines.write(page))


class _Cells:
    """Cells of what repeats, as they stand within a line."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    def repeated(self, key: tuple[Any, ...]) -> str:
        """From site to country."""
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

    def sender(self, key: tuple[Any, ...]) -> str:
        """From browser to flags."""
        client_id, origin_id, flags = key
        client = self._lookup.client(client_id)
        origin = None if origin_id is None else self._lookup.origin(origin_id)
        raised = flags_from_bits(flags)
        return _join([client.browser, client.system, client.device.value, origin, raised])


def _join(cells: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([format_cell(cell) for cell in cells])
    return line.getvalue()
