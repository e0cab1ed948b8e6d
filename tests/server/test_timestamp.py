from __future__ import annotations

import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest
from evidence_samples import Log, open_log
from sqlalchemy import update
from timestamp_authority import Authority, running
from typer.testing import CliRunner

from slagboom_banner.errors import SlagboomError
from slagboom_server import timestamp
from slagboom_server.cli import app
from slagboom_server.schema import timestamps
from slagboom_server.timestamp import find_fault, read_roots, request_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with running(tmp_path_factory.mktemp("authority")) as started:
        yield started


@pytest.fixture
def log(database_url: str, tmp_path: Path) -> Iterator[Log]:
    opened = open_log(database_url, tmp_path / "slagboom-keys")
    yield opened
    opened.store.close()


def test_an_authority_stamps_a_checkpoint_and_no_other(authority: Authority, log: Log) -> None:
    [checkpoint] = log.copies()
    roots = read_roots(authority.root)

    stamp = request_timestamp(authority.url, checkpoint)

    assert find_fault(stamp, checkpoint, roots) is None
    log.append(33, 34)
    assert find_fault(stamp, log.checkpoint(9), roots) == "is over another text"


def test_openssl_believes_the_stamp_without_our_program(
    authority: Authority, log: Log, tmp_path: Path
) -> None:
    [checkpoint] = log.copies()
    (tmp_path / "checkpoint.txt").write_text(checkpoint.text)
    (tmp_path / "stamp.tsr").write_bytes(request_timestamp(authority.url, checkpoint).token)
    command = ["openssl", "ts", "-verify", "-data", "checkpoint.txt", "-in", "stamp.tsr"]

    done = subprocess.run(
        [*command, "-CAfile", str(authority.root)], cwd=tmp_path, capture_output=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_a_stamp_by_somebody_else_is_not_believed(
    authority: Authority, log: Log, tmp_path: Path
) -> None:
    [checkpoint] = log.copies()
    (tmp_path / "other").mkdir()
    with running(tmp_path / "other") as other:
        stamp = request_timestamp(other.url, checkpoint)

    fault = find_fault(stamp, checkpoint, read_roots(authority.root))

    assert fault is not None
    assert "not signed by an authority that is believed" in fault


def test_log_verify_checks_the_stamps(authority: Authority, log: Log) -> None:
    [checkpoint] = log.copies()
    log.store.evidence.add_timestamp(request_timestamp(authority.url, checkpoint))
    command = ["log", "verify", "--database", log.url, "--timestamp-ca", str(authority.root)]

    good = CliRunner().invoke(app, command, catch_exceptions=False)
    log.tamper(update(timestamps).values(stamped_at=timestamps.c.stamped_at - 60_000))
    bad = CliRunner().invoke(app, command, catch_exceptions=False)

    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert "time-stamps: 1\n" in good.stdout
    assert "the time-stamp of checkpoint 3 of 2026-11-21T12:03:00Z says another time" in bad.stdout


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://authority.example", "is no address of a time-stamping authority"),
        ("http://127.0.0.1:1/", "gave no time-stamp"),
    ],
)
def test_an_authority_that_cannot_be_reached_is_one_clear_line(
    log: Log, url: str, reason: str
) -> None:
    with pytest.raises(SlagboomError, match=reason) as error:
        request_timestamp(url, log.copies()[0])

    assert "\n" not in str(error.value)


@pytest.mark.parametrize("drips_body", [False, True])
def test_an_answer_that_never_ends_is_given_up_by_one_deadline(
    authority: Authority, log: Log, monkeypatch: pytest.MonkeyPatch, *, drips_body: bool
) -> None:
    monkeypatch.setattr(timestamp, "_TIMEOUT_SECONDS", 0.5)
    authority.drips, authority.drips_body = threading.Event(), drips_body
    begun = time.monotonic()
    try:
        with pytest.raises(SlagboomError, match="gave no time-stamp within 0") as error:
            request_timestamp(authority.url, log.copies()[0])
    finally:
        authority.drips.set()
        authority.drips = None

    assert time.monotonic() - begun < 30, "it was not the socket's own timeout that ended it"
    assert "\n" not in str(error.value)


def test_an_answer_that_is_no_stamp_is_one_clear_line(authority: Authority, log: Log) -> None:
    authority.answer = b"<html>out of order</html>"
    try:
        with pytest.raises(SlagboomError, match="something that is no time-stamp"):
            request_timestamp(authority.url, log.copies()[0])
    finally:
        authority.answer = None
