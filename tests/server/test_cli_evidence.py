"""The evidence as an officer, an auditor and an operator meet it."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from evidence_samples import MINUTE, Log, open_log, published
from log_samples import NOON, decision_id, make_record
from publication_samples import fill
from sqlalchemy import delete, text, update
from typer.testing import CliRunner

from slagboom_banner.errors import SlagboomError
from slagboom_server import cli_verify, verify_tasks
from slagboom_server.checkpoint import read_checkpoint
from slagboom_server.checkpointer import CheckpointMaker
from slagboom_server.cli import app
from slagboom_server.publication import digest
from slagboom_server.schema import publications, records
from slagboom_server.signing import SigningKeys
from slagboom_server.verify import Verification

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def log(database_url: str, tmp_path: Path) -> Iterator[Log]:
    opened = open_log(database_url, tmp_path / "slagboom-keys")
    yield opened
    opened.store.close()


def run(log: Log, *arguments: str) -> tuple[int, str]:
    """Exit code and output of a command on this log."""
    result = CliRunner().invoke(app, [*arguments, "--database", log.url], catch_exceptions=False)
    return result.exit_code, result.stdout


def database_file(log: Log) -> str:
    return log.url.removeprefix("sqlite:///")


def test_a_whole_log_is_code_0_and_says_what_it_read(log: Log) -> None:
    code, said = run(log, "log", "verify")

    assert code == 0
    assert "Nothing altered" in said
    assert "32 records (0 erased) in 1 chain, 3 checkpoints" in said
    assert "Newest is checkpoint 3 of 2026-11-21T12:03:00Z; 2 records came after it" in said


def test_an_altered_record_is_code_1_and_is_named(log: Log) -> None:
    log.tamper(update(records).where(records.c.seq == 15).values(action=2, choices=0, services=0))

    code, said = run(log, "log", "verify")

    assert code == 1
    assert "record 15: altered, or exchanged with another" in said
    assert f"decision {decision_id(15)}, received 2026-11-21T12:00:15.000Z" in said
    assert "NOT as it was signed" in said


def test_altered_counts_are_code_1_and_found_only_where_they_are_asked_for(log: Log) -> None:
    assert run(log, "log", "verify", "--counts")[0] == 0
    log.tamper(text("UPDATE daily_counts SET accepted = accepted + 1000"))

    assert run(log, "log", "verify")[0] == 0
    code, said = run(log, "log", "verify", "--counts")

    assert code == 1
    assert "counts of dsoft on 2026-11-21, all decisions: accepted says 1,032" in said
    assert "NOT as it was signed" in said


def test_an_offer_that_was_altered_is_one_clear_line_for_who_reads_the_log(log: Log) -> None:
    log.tamper(text("UPDATE notices SET offer = '{'"))

    for command in ("list", "export"):
        with pytest.raises(SlagboomError, match="of a notice of dsoft was altered; see"):
            run(log, "log", command)
    code, said = run(log, "log", "verify")
    assert code == 1
    assert "notice number 1 was altered: its offer is none" in said


def test_records_without_a_checkpoint_that_should_be_there_are_code_3(log: Log) -> None:
    log.store.append([make_record(50, published(), NOON + 20 * MINUTE)])

    code, said = run(log, "log", "verify")

    assert code == 3
    assert "NOT covered by any checkpoint: 3 records, received 2026-11-21T12:00:31.000Z" in said


def test_a_publication_whose_author_was_changed_is_code_1_and_is_named(log: Log) -> None:
    fill(log)
    code, said = run(log, "log", "verify")
    assert code == 0
    assert "4 publications of policies, 0 after that checkpoint" in said
    [_, second, _] = log.store.publications.all("dsoft")
    forged = second.text.replace("Ben", "Ann")
    same = publications.c.number == 2
    log.tamper(
        update(publications).where(same).values(text=forged, digest=bytes.fromhex(digest(forged)))
    )

    code, said = run(log, "log", "verify")

    assert code == 1
    assert "publication 3 of dsoft does not follow from the one before it" in said
    assert said.endswith("read\n")


def test_a_missing_database_is_one_clear_line(tmp_path: Path) -> None:
    command = ["log", "verify", "--database", f"sqlite:///{tmp_path}/none.db"]

    with pytest.raises(SlagboomError, match="no such database"):
        CliRunner().invoke(app, command, catch_exceptions=False)


def test_two_processes_find_what_one_finds(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_tasks, "STRETCH", 3)
    monkeypatch.setattr(verify_tasks, "_BATCH", 2)
    log.tamper(delete(records).where(records.c.seq.between(9, 13)))
    log.tamper(update(records).where(records.c.seq == 25).values(choices=0))

    one = run(log, "log", "verify", "--processes", "1")
    two = run(log, "log", "verify", "--processes", "2")

    assert one == two
    assert one[0] == 1
    assert "record 25: altered" in one[1]
    # The gap lies across several stretches, each of which tells its part.
    assert "record 9: missing" in one[1]
    assert "record 13: missing" in one[1]


def test_an_exported_checkpoint_reveals_a_cut_and_forgotten_tail(log: Log, tmp_path: Path) -> None:
    kept = tmp_path / "notary.txt"
    assert run(log, "log", "checkpoint", "export", "--output", str(kept)) == (0, "")
    with closing(sqlite3.connect(database_file(log))) as database:
        database.execute("DELETE FROM records WHERE seq > 20")
        database.execute("DELETE FROM checkpoints WHERE number = 3")
        database.execute(
            "UPDATE chains SET length = 20, head = (SELECT hash FROM records WHERE seq = 20)"
        )
        database.commit()
    shutil.rmtree(log.folder)
    SigningKeys(log.folder).first()

    code, said = run(log, "log", "verify", "--checkpoint", str(kept))

    assert code == 1
    assert "notary.txt" in said


def test_a_restored_older_database_is_found_and_stays_found(log: Log, tmp_path: Path) -> None:
    file = database_file(log)
    backup = tmp_path / "backup.db"
    with closing(sqlite3.connect(file)) as database, closing(sqlite3.connect(backup)) as copy:
        database.backup(copy)
    log.append(33, 40)
    log.checkpoint(4)
    log.store.close()
    with closing(sqlite3.connect(backup)) as copy, closing(sqlite3.connect(file)) as database:
        copy.backup(database)

    code, said = run(log, "log", "verify")
    assert code == 1
    assert "checkpoint 4 of 2026-11-21T12:04:00Z, kept in " in said
    assert "an older copy of the database was put in its place" in said
    assert "ends at 32; checkpoint 4 has signed 40 records: 8 were cut off" in said

    # The kit goes on with what it has: new decisions, new checkpoints.
    log.append(50, 70)
    for minute in (5, 6):
        CheckpointMaker(log.store.evidence, log.folder).make(NOON + minute * MINUTE)
    code, said = run(log, "log", "verify")
    assert code == 1
    assert "was replaced, or an older copy of the database was put in its place" in said


def test_a_verification_can_be_taken_up_again(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_tasks, "STRETCH", 5)
    monkeypatch.setattr(verify_tasks, "_BATCH", 1)
    monkeypatch.setattr(cli_verify, "_SAVE_SECONDS", 0.0)
    collect = Verification._collect  # noqa: SLF001 -- interrupted in the midst of it

    def stop(self: Verification, verdict: object, results: object, advance: object) -> None:
        def interrupted(count: int) -> None:
            advance(count)  # type: ignore[operator]
            if self.done and next(iter(self.done.values()))[0] == 20:
                raise KeyboardInterrupt

        collect(self, verdict, results, interrupted)  # type: ignore[arg-type]

    monkeypatch.setattr(Verification, "_collect", stop)
    with pytest.raises(SlagboomError, match="go on with --resume"):
        run(log, "log", "verify")
    monkeypatch.setattr(Verification, "_collect", collect)

    code, said = run(log, "log", "verify", "--resume")

    assert code == 0
    assert "12 records since then" in said


def test_only_what_came_after_the_newest_copy(log: Log) -> None:
    code, said = run(log, "log", "verify", "--since-checkpoint")

    assert code == 0
    assert "2 records since then" in said


def test_without_a_copy_there_is_nothing_to_start_after(log: Log) -> None:
    shutil.rmtree(log.folder)

    with pytest.raises(SlagboomError, match="name one by --checkpoint"):
        run(log, "log", "verify", "--since-checkpoint")


def test_a_checkpoint_is_printed_with_what_it_means(log: Log) -> None:
    code, said = run(log, "log", "checkpoint", "print", "--number", "2")

    assert code == 0
    assert said.startswith("Checkpoint 2 of 2026-11-21T12:02:00Z of the consent log ")
    assert "20 decisions in 1 chain stood in the log then." in said
    assert read_checkpoint(said[said.index("Slagboom checkpoint 1") :]).is_signed()


def test_an_unknown_checkpoint_is_one_clear_line(log: Log) -> None:
    with pytest.raises(SlagboomError, match="does not have checkpoint 9"):
        run(log, "log", "checkpoint", "export", "--number", "9")


@pytest.mark.parametrize("content", [b"a shopping list", b"\xff\xfe", b""])
def test_a_file_that_is_no_checkpoint_is_one_clear_line(
    log: Log, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "list.txt"
    file.write_bytes(content)

    with pytest.raises(SlagboomError, match=r"list\.txt: is no checkpoint"):
        run(log, "log", "verify", "--checkpoint", str(file))


def test_a_new_key_is_named_by_the_old_one_and_signs_from_then_on(log: Log) -> None:
    [first] = SigningKeys(log.folder).public()

    code, said = run(log, "key", "rotate")
    assert code == 0
    log.append(33, 34)
    after = log.checkpoint(60 * 24 * 365 * 5)
    listed = run(log, "key", "list")[1]

    assert after.key != first
    assert after.key.hex() in said
    assert f"{after.key.hex()}  signs now" in listed
    assert f"{first.hex()}  does not sign" in listed
    assert run(log, "log", "verify")[0] == 0


def test_after_a_rotation_the_first_public_key_alone_vouches_for_all(log: Log) -> None:
    first = SigningKeys(log.folder).public()
    run(log, "key", "rotate")
    log.append(33, 34)
    log.checkpoint(60 * 24 * 365 * 5)

    verification = Verification(log.url, {})
    verdict = verification.check_frame(first, [])
    verification.close()

    assert verdict.is_good


def test_private_keys_are_for_their_owner_alone_and_not_in_the_database(log: Log) -> None:
    run(log, "key", "rotate")
    keys = sorted(log.folder.glob("*.key"))

    assert len(keys) == 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in keys} == {0o600}
    with closing(sqlite3.connect(database_file(log))) as database:
        assert "PRIVATE" not in "\n".join(database.iterdump())


def test_without_its_key_no_checkpoint_is_made_and_none_is_lost(log: Log, tmp_path: Path) -> None:
    log.append(33, 34)

    with pytest.raises(SlagboomError, match="is not in the folder of keys"):
        CheckpointMaker(log.store.evidence, tmp_path / "elsewhere").make(NOON + 9 * MINUTE)

    assert log.checkpoint(9).number == 4


def test_no_news_makes_no_checkpoint(log: Log) -> None:
    maker = CheckpointMaker(log.store.evidence, log.folder)
    assert maker.make(NOON + 9 * MINUTE) is not None

    assert maker.make(NOON + 10 * MINUTE) is None
    log.append(33, 33)
    assert maker.make(NOON + 9 * MINUTE, min_age_seconds=30) is None


def test_an_empty_log_has_nothing_to_sign(database_url: str, tmp_path: Path) -> None:
    from slagboom_server.store_sql import open_store  # noqa: PLC0415 -- without samples

    store = open_store(database_url)
    assert CheckpointMaker(store.evidence, tmp_path).make(NOON) is None
    store.close()
