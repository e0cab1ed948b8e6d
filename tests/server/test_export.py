from __future__ import annotations

import csv
import dataclasses
import io
import json
from typing import TYPE_CHECKING

import pytest
from log_samples import DOCUMENT, NOON, decision_id, make_offer, make_record

from slagboom_server.export import (
    CSV_COLUMNS,
    FORMATS,
    JSON_COLUMNS,
    Format,
    defuse,
    describe_record,
    flatten_record,
    read_pages,
    write_records,
)
from slagboom_server.record import Flag
from slagboom_server.store import Cursor, Filter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from slagboom_server.record import ConsentRecord
    from slagboom_server.store_sql import SqlStore


def written(records: Iterable[ConsentRecord], format_: Format) -> str:
    out = io.StringIO(newline="")
    write_records(records, format_, out)
    return out.getvalue()


def test_every_field_of_a_record_is_described() -> None:
    record = make_record()

    assert set(describe_record(record)) == set(record.__dataclass_fields__)
    assert tuple(describe_record(record)) == JSON_COLUMNS


def test_times_are_utc_and_end_in_z() -> None:
    described = describe_record(make_record())

    assert described["received_at"] == "2026-11-21T12:00:00.000Z"
    assert described["valid_until"] == "2027-05-22T12:00:00.000Z"


def test_csv_names_what_was_granted_and_what_was_refused() -> None:
    record = make_record(1, granted={"statistics", "google-analytics"})
    flagged = dataclasses.replace(record, flags=(Flag.CLOCK_AHEAD, Flag.GPC_DIFFERS))

    [row] = csv.DictReader(io.StringIO(written([flagged], "csv"), newline=""))

    assert tuple(row) == CSV_COLUMNS
    assert row["purposes_granted"] == "statistics"
    assert row["purposes_refused"] == "marketing"
    assert row["services_granted"] == "google-analytics"
    assert row["services_refused"] == "leadinfo"
    assert row["anonymise_ip"] == "false"
    assert row["granted"] == "google-analytics"
    assert row["previous"] == ""
    assert row["flags"] == "clock_ahead gpc_differs"
    assert row["decision_id"] == str(decision_id(1))


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+32", "'+32"),
        ("-1", "'-1"),
        ("@SUM", "'@SUM"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
def test_a_cell_never_begins_a_formula(cell: str, safe: str) -> None:
    assert defuse(cell) == safe


def test_no_cell_of_a_record_can_be_a_formula() -> None:
    record = dataclasses.replace(make_record(), origin="=cmd|'/C calc'!A0", browser="@x")

    row = flatten_record(record)

    assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_and_json_lines_hold_the_same_objects(count: int) -> None:
    records = [make_record(n) for n in range(count)]
    expected = [describe_record(record) for record in records]

    assert json.loads(written(records, "json")) == expected
    assert [json.loads(line) for line in written(records, "jsonl").splitlines()] == expected


def test_csv_of_nothing_is_its_header() -> None:
    assert written([], "csv") == ",".join(CSV_COLUMNS) + "\r\n"


def test_pages_bring_every_record_in_order(store: SqlStore) -> None:
    offer = make_offer()
    store.remember_notice(offer, DOCUMENT, NOON)
    store.append([make_record(n, offer) for n in range(2001)])

    pages = list(read_pages(store, Filter()))

    assert [len(page) for page in pages] == [1000, 1000, 1]
    numbers = [record.decision_id.int & 0xFFFF for page in pages for record in page]
    assert numbers == list(range(2001))


@pytest.mark.parametrize("format_", FORMATS)
def test_a_page_is_read_only_when_the_one_before_is_written(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, format_: Format
) -> None:
    class CountedLines(io.StringIO):
        def write(self, text: str) -> int:
            lines.append(text)
            return len(text)

        def writelines(self, texts: Iterable[str]) -> None:
            for text in texts:
                self.write(text)

    lines: list[str] = []
    written_before: list[int] = []
    read_page = store.page

    def read_and_note(chosen: Filter, after: Cursor | None, *, limit: int) -> object:
        written_before.append(len(lines))
        return read_page(chosen, after, limit=limit)

    offer = make_offer()
    store.remember_notice(offer, DOCUMENT, NOON)
    store.append([make_record(n, offer) for n in range(2001)])
    monkeypatch.setattr(store, "page", read_and_note)

    pages = read_pages(store, Filter())
    write_records((record for page in pages for record in page), format_, CountedLines())

    _, second, third = written_before
    assert second >= 1000
    assert third >= 2000
