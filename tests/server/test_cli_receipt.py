"""Receipts as a visitor, an officer and a doubter meet them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from log_samples import decision_id
from receipt_samples import ReceiptLog, open_receipt_log

from slagboom_server.signing import SigningKeys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from command import Run


@pytest.fixture
def log(database_url: str, tmp_path: Path) -> Iterator[ReceiptLog]:
    opened = open_receipt_log(database_url, tmp_path / "slagboom-keys")
    yield opened
    opened.store.close()


def public_key(log: ReceiptLog) -> str:
    [key] = SigningKeys(log.folder).public()
    return key.hex()


def test_a_receipt_is_written_and_verifies_without_the_log(
    log: ReceiptLog, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "receipt.json"
    written = run("receipt", decision_id(5), "--output", file)
    monkeypatch.setenv("SLAGBOOM_DATABASE", f"sqlite:///{tmp_path}/none.db")

    code, out, err = run("verify", "--receipt", file)

    assert written == (0, "", "")
    assert (code, err) == (0, "")
    assert f"Receipt of decision {decision_id(5)}\n" in out
    assert "accept_all at 2026-11-21T12:00:00.000Z on acme" in out
    assert "purposes granted: statistics contact; refused: none" in out
    assert "stands in the log that checkpoint 2 of 2026-11-21T12:02:00Z has signed" in out
    assert f"signed by the key {public_key(log)}" in out
    assert "compare it with the one the controller publishes" in out


def test_a_key_may_be_given_as_hex_or_as_a_file(log: ReceiptLog, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "receipt.json"
    run("receipt", decision_id(5), "--output", file)
    [pub] = log.folder.glob("*.pub")

    for key in (public_key(log), public_key(log).upper(), pub):
        code, out, err = run("verify", "--receipt", file, "--key", key)

        assert (code, err) == (0, "")
        assert "As it was signed, by that key: which was given" in out


def test_another_key_is_code_1(run: Run, tmp_path: Path, log: ReceiptLog) -> None:
    file = tmp_path / "receipt.json"
    run("receipt", decision_id(5), "--output", file)

    code, out, _ = run("verify", "--receipt", file, "--key", "00" * 32)

    assert code == 1
    assert f"signed by the key {public_key(log)}, which is not the one given" in out
    assert "NOT as it was signed" in out


@pytest.mark.usefixtures("log")
def test_an_altered_receipt_is_code_1_and_says_where(run: Run, tmp_path: Path) -> None:
    _, written, _ = run("receipt", decision_id(10))
    file = tmp_path / "receipt.json"
    file.write_text(written.replace("dpv:ConsentRefused", "dpv:ConsentGiven"), "utf-8")

    code, out, _ = run("verify", "--receipt", file)

    assert code == 1
    assert "/dpv:hasRecordOfActivity/dpv:hasProcess/1: was altered" in out
    assert "/dpv:hasRecordOfActivity/dpv:hasProcess/0" not in out
    assert "the consent status of purpose:contact is not the recorded one" in out
    assert "NOT as it was signed" in out


@pytest.mark.usefixtures("log")
def test_a_download_with_several_receipts_is_checked_whole(run: Run, tmp_path: Path) -> None:
    receipts = [json.loads(run("receipt", decision_id(n))[1]) for n in (1, 10)]
    file = tmp_path / "download.json"
    file.write_text(json.dumps({"controller": "Acme nv", "receipts": receipts}), "utf-8")

    code, out, _ = run("verify", "--receipt", file)

    assert code == 0
    assert out.count("Receipt of decision") == 2
    assert "not yet tied to a checkpoint: no checkpoint covers this record yet" in out


@pytest.mark.usefixtures("log")
def test_a_decision_that_is_not_there_is_code_1(run: Run) -> None:
    code, out, err = run("receipt", decision_id(99))

    assert (code, out) == (1, "")
    assert err == f"slagboom: {decision_id(99)}: no such decision in this log\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("no JSON", "is no receipt: it holds no JSON"),
        ("[" * 100_000, "is no receipt: it holds no JSON"),
        ("[]", "holds no receipt"),
        ("7", "holds no receipt"),
        ('{"receipts": []}', "holds no receipt"),
        ('{"receipts": [1]}', "holds no receipt"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_is_no_receipt_is_code_2_in_one_line(
    run: Run, tmp_path: Path, content: str | None, said: str
) -> None:
    file = tmp_path / "receipt.json"
    if content is not None:
        file.write_text(content, "utf-8")

    code, out, err = run("verify", "--receipt", file)

    assert (code, out) == (2, "")
    assert err.startswith(f"slagboom: {file}: {said}")
    assert err.count("\n") == 1


def test_an_object_that_is_no_receipt_is_code_1(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "receipt.json"
    file.write_text("{}", "utf-8")

    code, out, _ = run("verify", "--receipt", file)

    assert code == 1
    assert "this is no receipt of a Slagboom log" in out


def test_a_lost_signing_key_is_code_2_in_one_line(log: ReceiptLog, run: Run) -> None:
    for file in log.folder.glob("*.key"):
        file.unlink()

    code, _, err = run("receipt", decision_id(5))

    assert code == 2
    assert "no receipt can be signed: the key" in err
    assert err.count("\n") == 1
