"""What docs/evidence.md says can be done without this program is done here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from evidence_samples import Log, open_log
from log_samples import NOON, consent_id
from sqlalchemy import delete, insert, text, update

from slagboom_server.chain import Reason
from slagboom_server.schema import records, tombstones

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = Path(__file__).parents[2] / "docs" / "evidence.md"


@pytest.fixture
def log(database_url: str, tmp_path: Path) -> Iterator[Log]:
    opened = open_log(database_url, tmp_path / "keys")
    yield opened
    opened.store.close()


def check(log: Log, tmp_path: Path) -> str:
    """What the program printed in the documentation says of this log."""
    [program] = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    file, copy = tmp_path / "check.py", tmp_path / "checkpoint.txt"
    file.write_text(program, "utf-8")
    copy.write_text(log.copies()[-1].text, "utf-8")
    database = log.url.removeprefix("sqlite:///")
    # Isolated: neither this project nor any package of its environment can be imported.
    command = [sys.executable, "-I", "-S", str(file), database, str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_a_log_is_verified_by_thirty_lines_of_python(log: Log, tmp_path: Path) -> None:
    assert check(log, tmp_path) == "checkpoint agrees\nwhole\n"

    for number in (7, 3):
        log.store.retention.erase(consent_id(number), Reason.VISITOR, NOON)
    log.checkpoint(5)
    log.store.retention.erase(consent_id(8), Reason.VISITOR, NOON)

    assert check(log, tmp_path) == "checkpoint agrees\nerasures agree\nwhole\n"


def test_the_same_lines_find_a_removal_disguised_as_an_erasure(log: Log, tmp_path: Path) -> None:
    [sealed] = log.store.evidence.sealed(7, 7)
    tombstone = {"seq": 7, "leaf": sealed.leaf, "hash": sealed.hash, "erased_at": 1, "reason": 1}
    log.tamper(insert(tombstones).values(tombstone), delete(records).where(records.c.seq == 7))

    assert "tombstone of 7 was made by no erasure" in check(log, tmp_path)
    log.tamper(update(tombstones).values(number=1))
    assert "do not lead to the last link" in check(log, tmp_path)


def test_the_same_lines_find_an_altered_tombstone(log: Log, tmp_path: Path) -> None:
    log.store.retention.erase(consent_id(7), Reason.VISITOR, NOON)
    log.checkpoint(5)
    log.tamper(update(tombstones).values(reason=3))
    log.count_erasures()

    assert "erasures DISAGREE" in check(log, tmp_path)


def test_the_same_lines_find_an_altered_record(log: Log, tmp_path: Path) -> None:
    log.tamper(update(records).where(records.c.seq == 15).values(choices=0))

    assert "is broken at 15" in check(log, tmp_path)


def test_the_same_lines_find_a_byte_moved_to_the_next_column(log: Log, tmp_path: Path) -> None:
    moved = {
        "decision_id": text("CAST(decision_id || substr(consent_id, 1, 1) AS BLOB)"),
        "consent_id": text("substr(consent_id, 2)"),
    }
    log.tamper(update(records).where(records.c.seq == 15).values(moved))

    assert "record number 15 does not have the lengths" in check(log, tmp_path)


def test_the_same_lines_find_a_chain_written_anew(log: Log, tmp_path: Path) -> None:
    log.tamper(update(records).where(records.c.seq == 15).values(choices=0))
    log.rewrite()

    assert "checkpoint DISAGREES" in check(log, tmp_path)
