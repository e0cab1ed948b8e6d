"""Lean rows as JSON: the objects `export.describe_record` makes of the records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from slagboom_server.lean_lines import Frame, LeanLines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TextIO

    from slagboom_server.lean import LeanRow, Lookup

_FRAME: Final = Frame(
    seq='{"seq": ',
    decision=', "decision_id": "',
    consent='", "consent_id": "',
    previous='", "previous": ',
    received=', "received_at": "',
    given='", "given_at": "',
    valid='", "valid_until": "',
    repeated='", ',
    network=', "ip": ',
    sender=", ",
    end="}\n",
    nothing="null",
    quote='"',
)


def make_json_lines(lookup: Lookup) -> LeanLines:
    """What makes lines of one object each."""
    return LeanLines(_FRAME, lookup, _write_members, _write_members)


def write_json_lines(pages: Iterable[Sequence[LeanRow]], lookup: Lookup, out: TextIO) -> None:
    """Writes one object on each line."""
    lines = make_json_lines(lookup)
    for page in pages:
        out.writelines(lines.write(page))


def write_json(pages: Iterable[Sequence[LeanRow]], lookup: Lookup, out: TextIO) -> None:
    """Writes one array."""
    frame = _FRAME._replace(seq=',\n{"seq": ', end="}")
    lines = LeanLines(frame, lookup, _write_members, _write_members)
    out.write("[")
    is_first = True
    for page in pages:
        text = "".join(lines.write(page))
        out.write(text.removeprefix(",") if is_first else text)
        is_first = False
    out.write("\n]\n")


def _write_members(fields: Mapping[str, Any]) -> str:
    """Members as they stand within an object."""
    return _to_text(fields)[1:-1]


def _to_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
