"""A log whose cells hold what the kit never wrote: every reader says so in one line."""

from __future__ import annotations

import datetime as dt
import json
import pickle
import re
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from kit_samples import ADDRESS, ORIGIN, USER_AGENT, dump, make_body
from log_samples import DOCUMENT, NOON, consent_id, decision_id, make_offer, make_record
from starlette.testclient import TestClient

from slagboom_server.altered import name_altered
from slagboom_server.app import build_app
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from command import Run

    from slagboom_server.kit import Kit

NAMED = "slagboom: record 2 was altered and cannot be read; run `slagboom log verify`"
SECOND = dt.timedelta(seconds=1)
FROM_SITE = {"Origin": ORIGIN, "User-Agent": USER_AGENT}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Path:
    """A log with three decisions of three visitors."""
    file = tmp_path_factory.mktemp("filled") / "slagboom.db"
    shutil.copy(migrated_file, file)
    with closing(open_store(f"sqlite:///{file}")) as store:
        store.remember_notice(make_offer(), DOCUMENT, NOON)
        store.append([make_record(n, received_at=NOON + n * SECOND) for n in (1, 2, 3)])
    return file


@pytest.fixture
def file(filled: Path, tmp_path: Path, database_url: str) -> Path:
    """That log as a file of its own, which `slagboom` asks."""
    own = tmp_path / "slagboom.db"
    assert database_url.endswith(str(own))
    shutil.copy(filled, own)
    return own


def tamper(file: Path, statement: str) -> None:
    """What somebody with the database does, past the kit and its foreign keys."""
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute(f"UPDATE {statement}").rowcount > 0
        connection.commit()


CELLS = [
    ("decision_id", "zeroblob(17)"),
    ("decision_id", "'0123456789abcdef'"),
    ("consent_id", "zeroblob(15)"),
    ("consent_id", "16"),
    ("previous", "'0123456789abcdef'"),
    ("received_at", "'1795262402000 or so'"),
    ("received_at", "1795262402000.5"),
    ("given_at", "x'00'"),
    ("valid_until", "9223372036854775807"),
    ("action", "99"),
    ("layer", "'first'"),
    ("choices", "-1"),
    ("choices", "'all'"),
    ("services", "4"),
    ("anonymise_ip", "'yes'"),
    ("gpc", "7"),
    ("regime", "0"),
    ("country", "x'4e4c'"),
    ("country", "'Belgium'"),
    ("ip", "zeroblob(16)"),
    ("ip", "'198'"),
    ("flags", "1024"),
    ("notice_id", "77"),
    ("client_id", "'x'"),
    ("origin_id", "77"),
]
COUNTED = {"received_at", "action", "choices", "services", "notice_id"}
"""What `log stats` reads of a record."""


@pytest.mark.parametrize(("column", "value"), CELLS)
def test_a_cell_nobody_could_have_written_names_its_record(
    file: Path, slagboom: Run, column: str, value: str
) -> None:
    tamper(file, f"records SET {column} = {value} WHERE seq = 2")
    readers: list[tuple[object, ...]] = [("list",)]
    if column != "decision_id":
        readers += [("show", decision_id(2)), ("receipt", decision_id(2))]
    for shape in ("csv", "json", "parquet"):
        out = file.with_name(f"log.{shape}")
        readers.append(("export", "--no-manifest", "--format", shape, "--output", out))
    if column in COUNTED:
        readers.append(("stats",))

    for reader in readers:
        code, out, err = slagboom("log", *reader)

        assert (code, err.count("\n")) == (2, 1), (reader, out, err)
        assert err.startswith(NAMED), reader
        assert not out, reader
    assert not [*file.parent.glob("log.*")], "a part of an export looks like all of it"
    if column not in COUNTED:
        assert json.loads(slagboom("log", "stats", "--format", "json")[1])["decisions"] == 3


def test_what_was_not_altered_is_still_read(file: Path, slagboom: Run) -> None:
    tamper(file, "records SET action = 99, ip = '198' WHERE seq = 2")

    assert slagboom("log", "show", decision_id(1))[0] == 0
    code, out, err = slagboom("log", "export", "--until", (NOON + 2 * SECOND).isoformat())
    assert (code, out.count("\r\n"), err) == (0, 2, "")
    assert str(decision_id(1)) in out


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("decision_id", "'0123456789abcdef'"),
        ("received_at", "'x'"),
        ("choices", "-1"),
        ("country", "x'ff'"),
        ("notice_id", "77"),
        ("client_id", "77"),
        ("salt", "'x'"),
        ("hash", "'x'"),
    ],
)
def test_an_altered_record_can_be_erased(
    file: Path, slagboom: Run, column: str, value: str
) -> None:
    # Beside another one of the same visitor, to which it may not compare.
    tamper(file, "records SET consent_id = (SELECT consent_id FROM records WHERE seq = 2)")
    tamper(file, f"records SET {column} = {value} WHERE seq = 2")

    code, out, _ = slagboom("log", "erase", "--consent-id", consent_id(2))

    assert (code, out) == (0, "3 records erased\n")
    assert json.loads(slagboom("log", "stats", "--format", "json")[1])["decisions"] == 0


RECORD = r"record [13] was altered"
OFFER = "the offer of a notice of dsoft was altered"
NAMES = {
    "clients SET browser = x'ff'": RECORD,
    "clients SET device = 77": RECORD,
    "clients SET system = CAST(x'ff' AS TEXT)": "a text in it is not UTF-8",
    "origins SET origin = x'ff'": RECORD,
    "sites SET name = x'ff'": "the offer of a notice of .* was altered",
    "notices SET language = x'ff'": OFFER,
    "notices SET revision = 'first'": OFFER,
    "notices SET digest = 'abc'": OFFER,
    "notices SET offer = '[]'": OFFER,
    "notices SET offer = json_set(offer, '$.purposes', 'all')": OFFER,
    "notices SET offer = json_set(offer, '$.services[0][2]', 'no')": OFFER,
    "notices SET offer = json_set(offer, '$.ip', 'all')": OFFER,
    "notices SET offer = json_set(offer, '$.consent_lifetime_days', '9')": OFFER,
    "notices SET offer = replace(offer, 'marketing', '\\ud800')": OFFER,
}


@pytest.mark.parametrize("statement", NAMES)
def test_an_altered_name_is_one_line_for_every_reader(
    file: Path, slagboom: Run, statement: str
) -> None:
    tamper(file, statement)

    for reader in (("list",), ("export",), ("export", "--format", "jsonl")):
        code, out, err = slagboom("log", *reader)

        assert (code, err.count("\n")) == (2, 1), (reader, out, err)
        assert re.search(NAMES[statement], err), reader
        assert "`slagboom log verify`" in err
        assert str(decision_id(1)) not in out


@pytest.mark.parametrize("document", ["[]", "{", '{"texts": "\\ud800"}'])
def test_a_notice_whose_words_are_none_is_one_line(
    file: Path, slagboom: Run, document: str
) -> None:
    tamper(file, f"notices SET document = '{document}'")

    for command in ("show", "receipt"):
        code, out, err = slagboom("log", command, decision_id(2))
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert f"notice {make_offer().digest} of dsoft was altered; see" in err


def test_an_unreadable_hold_keeps_everything(file: Path, slagboom: Run) -> None:
    slagboom("hold", "add", "--reason", "case 7", "--consent-id", consent_id(1))
    for column, value in (("filter", "'{'"), ("made_at", "'x'"), ("reason", "x'ff'")):
        tamper(file, f"holds SET {column} = {value}")

        for command in (("log", "erase", "--consent-id", consent_id(2)), ("hold", "list")):
            code, out, err = slagboom(*command)
            assert (code, out, err.count("\n")) == (2, "", 1)
            assert "legal hold 1 was altered" in err
    assert json.loads(slagboom("log", "stats", "--format", "json")[1])["decisions"] == 3


@pytest.mark.parametrize("change", ["day = 'x'", "site_id = 77", "purpose = x'ff'"])
def test_altered_counts_are_one_line(file: Path, slagboom: Run, change: str) -> None:
    tamper(file, f"daily_counts SET {change} WHERE purpose = 'marketing'")

    code, out, err = slagboom("log", "stats", "--by", "site,day,purpose")

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "the kept counts were altered; `slagboom log verify --counts` tells where" in err


def test_a_copy_names_the_record_it_cannot_take(file: Path, slagboom: Run) -> None:
    for column, value in (("received_at", "'x'"), ("notice_id", "77"), ("client_id", "77")):
        tamper(file, f"records SET {column} = {value} WHERE seq = 2")
        target = f"sqlite:///{file.with_name(column)}.db"

        code, out, err = slagboom("log", "copy", f"sqlite:///{file}", target)

        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "record 2 was altered" in err


@pytest.mark.parametrize(
    "change",
    [
        "uid = 'x'",
        "started_at = 'x'",
        "length = 'x'",
        "number = -1",
        "head = x'00'",
        "used_at = 'x'",
    ],
)
def test_a_copy_tells_of_an_altered_chain_and_begins_none(
    file: Path, slagboom: Run, change: str
) -> None:
    tamper(file, f"chains SET {change}")
    target = file.with_name("target.db")

    code, out, err = slagboom("log", "copy", f"sqlite:///{file}", f"sqlite:///{target}")

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "slagboom: the source cannot be copied: chain " in err
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("SELECT count(*) FROM chains").fetchone() == (0,)


@pytest.fixture
def client(kit: Kit) -> TestClient:
    return TestClient(build_app(kit), base_url="https://kit.acme.example", client=(ADDRESS, 4711))


@pytest.mark.parametrize("change", ["choices = 1024", "country = x'4e4c'", "notice_id = 77"])
def test_a_visitor_gets_a_problem_and_the_operator_the_number(
    kit: Kit, client: TestClient, tmp_path: Path, caplog: pytest.LogCaptureFixture, change: str
) -> None:
    sent = make_body(kit)
    assert client.post("/s/acme/decisions", content=dump(sent), headers=FROM_SITE).is_success
    tamper(tmp_path / "slagboom.db", f"records SET {change}")
    path = f"/s/acme/records/{sent['consent_id']}"

    answer = client.get(path, headers=FROM_SITE)

    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert sent["decision_id"] not in answer.text
    assert any("record 1 was altered" in each.getMessage() for each in caplog.records)
    assert client.delete(path, headers=FROM_SITE).json() == {"erased": 1}


@pytest.mark.parametrize(
    "change",
    [
        "salt = 'x' WHERE seq = 2",
        "hash = 'x' WHERE seq = 1",
        "given_at = given_at + 1 WHERE seq = 2",
        "hash = zeroblob(32) WHERE seq = 2",
    ],
)
def test_what_only_the_chain_covers_gets_no_receipt(
    kit: Kit, client: TestClient, tmp_path: Path, caplog: pytest.LogCaptureFixture, change: str
) -> None:
    for number in (1, 2):
        sent = make_body(kit, number)
        assert client.post("/s/acme/decisions", content=dump(sent), headers=FROM_SITE).is_success
    path = f"/s/acme/records/{sent['consent_id']}"
    assert len(client.get(path).json()["receipts"]) == 1
    tamper(tmp_path / "slagboom.db", f"records SET {change}")

    answer = client.get(path).json()

    assert [each["decision_id"] for each in answer["records"]] == [sent["decision_id"]]
    assert answer["receipts"] == []
    assert any("record 2 has no receipt: it" in each.getMessage() for each in caplog.records)


def test_a_process_of_an_export_can_tell_another_one() -> None:
    error = pickle.loads(pickle.dumps(name_altered(7)))  # noqa: S301 -- our own bytes

    assert str(error) == str(name_altered(7))
