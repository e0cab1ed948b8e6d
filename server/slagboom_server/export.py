"""Records in the shapes people take away: JSON objects and CSV rows, streamed.

CSV follows RFC 4180 in UTF-8. A cell that a spreadsheet would run as a formula (it begins with
`=`, `+`, `-`, `@`, a tab or a line break) gets an apostrophe in front (OWASP, CSV Injection).
"""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Final, Literal

from slagboom_server.store import Cursor

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import TextIO

    from pydantic import JsonValue

    from slagboom_server.record import ConsentRecord
    from slagboom_server.store import Filter, Store

Format = Literal["csv", "json", "jsonl"]
FORMATS: Final[tuple[Format, ...]] = ("csv", "json", "jsonl")

_PAGE: Final = 1000
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def format_time(time: dt.datetime) -> str:
    """ISO 8601 in UTC with milliseconds, ending in Z. time: UTC."""
    return time.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def describe_record(record: ConsentRecord) -> dict[str, JsonValue]:
    """A record as a JSON object; the names are those of the data model."""
    return {
        "seq": record.seq,
        "decision_id": str(record.decision_id),
        "consent_id": str(record.consent_id),
        "previous": None if record.previous is None else str(record.previous),
        "received_at": format_time(record.received_at),
        "given_at": format_time(record.given_at),
        "valid_until": format_time(record.valid_until),
        "site": record.site,
        "revision": record.revision,
        "notice": record.notice,
        "language": record.language,
        "layer": record.layer.value,
        "action": record.action.value,
        "choices": dict(record.choices),
        "services": dict(record.services),
        "anonymise_ip": record.anonymise_ip,
        "granted": list(record.granted),
        "gpc": record.gpc,
        "regime": record.regime.value,
        "country": record.country,
        "ip": record.ip,
        "browser": record.browser,
        "system": record.system,
        "device": record.device.value,
        "origin": record.origin,
        "flags": [flag.value for flag in record.flags],
    }


_HEAD: Final = (
    "seq",
    "decision_id",
    "consent_id",
    "previous",
    "received_at",
    "given_at",
    "valid_until",
    "site",
    "revision",
    "notice",
    "language",
    "layer",
    "action",
)
_TAIL: Final = (
    "anonymise_ip",
    "granted",
    "gpc",
    "regime",
    "country",
    "ip",
    "browser",
    "system",
    "device",
    "origin",
    "flags",
)

JSON_COLUMNS: Final = (*_HEAD, "choices", "services", *_TAIL)
"""The names in each object of `describe_record`."""

CSV_COLUMNS: Final = (
    *_HEAD,
    "purposes_granted",
    "purposes_refused",
    "services_granted",
    "services_refused",
    *_TAIL,
)
"""The columns of a CSV export. Several names in one cell are separated by a space."""


def flatten_record(record: ConsentRecord) -> list[str]:
    """A record as the cells of `CSV_COLUMNS`."""
    described: dict[str, object] = {
        **describe_record(record),
        **split_answers(record.choices, record.services),
        "flags": record.flags,
    }
    return [format_cell(described[column]) for column in CSV_COLUMNS]


def split_answers(
    choices: Mapping[str, bool], services: Mapping[str, bool]
) -> dict[str, list[str]]:
    """The answers as a table has them: names in the notice's order, by column."""
    return {
        "purposes_granted": names_with(choices, is_granted=True),
        "purposes_refused": names_with(choices, is_granted=False),
        "services_granted": names_with(services, is_granted=True),
        "services_refused": names_with(services, is_granted=False),
    }


def names_with(answers: Mapping[str, bool], *, is_granted: bool) -> list[str]:
    """The names that have this answer, in the notice's order."""
    return [name for name, answer in answers.items() if answer is is_granted]


def format_cell(value: object) -> str:
    """A value as the text of a CSV cell; several names are separated by a space."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return defuse(" ".join(value))
    return defuse(str(value))


def defuse(cell: str) -> str:
    """The cell, an apostrophe in front where a spreadsheet would take it for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def read_pages(store: Store, chosen: Filter) -> Iterator[Sequence[ConsentRecord]]:
    """All records of a filter, oldest first, one page in memory at a time."""
    after: Cursor | None = None
    while page := store.page(chosen, after, limit=_PAGE):
        yield page
        last = page[-1]
        if last.seq is None or len(page) < _PAGE:
            return
        after = Cursor(last.received_at, last.seq)


def write_records(records: Iterable[ConsentRecord], format_: Format, out: TextIO) -> None:
    """Writes records as they come. out: opened with `newline=""`, because CSV ends its own lines.

    json is one array, jsonl one object on each line.
    """
    if format_ == "csv":
        lines = csv.writer(out)
        lines.writerow(CSV_COLUMNS)
        lines.writerows(flatten_record(record) for record in records)
        return
    described = (json.dumps(describe_record(record), ensure_ascii=False) for record in records)
    if format_ == "jsonl":
        out.writelines(f"{line}\n" for line in described)
        return
    out.write("[")
    out.writelines(("\n" if number == 0 else ",\n") + line for number, line in enumerate(described))
    out.write("\n]\n")
