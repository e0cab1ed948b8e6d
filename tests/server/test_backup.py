"""Backups are whole, proven and never in anybody's way; so is what is restored from them."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from command import make_run
from evidence_samples import published
from log_samples import DOCUMENT, NOON, make_record
from server_process import Visitors, serving

from slagboom_server.backup import back_up, restore
from slagboom_server.checkpointer import CheckpointMaker
from slagboom_server.errors import StoreUnavailable
from slagboom_server.signing import SigningKeys
from slagboom_server.store import Filter
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from slagboom_server.store_sql import SqlStore

    Run = Callable[..., "Ended"]


@dataclass(frozen=True)
class Ended:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `slagboom …` in this process."""
    run_here = make_run(monkeypatch, capsys)
    return lambda *arguments: Ended(*run_here(*arguments))


@pytest.fixture
def filled(store: SqlStore, tmp_path: Path) -> SqlStore:
    """A log of 300 decisions, 200 of them under a checkpoint."""
    offer = published()
    store.remember_notice(offer, DOCUMENT, NOON)
    store.append([make_record(number, offer) for number in range(200)])
    CheckpointMaker(store.evidence, tmp_path / "slagboom-keys").make(NOON)
    store.append([make_record(number, offer) for number in range(200, 300)])
    return store


def watch_nothing(_what: str, _records: int) -> Callable[[int], None]:
    return lambda _: None


def file_of(database_url: str) -> Path:
    return Path(database_url.removeprefix("sqlite:///"))


@pytest.mark.usefixtures("filled")
def test_a_backup_is_one_private_file_and_makes_the_same_log(
    run: Run, database_url: str, tmp_path: Path
) -> None:
    backup, other = tmp_path / "backups" / "log.backup", tmp_path / "other" / "log.db"
    keys = tmp_path / "slagboom-keys"

    made = run("backup", backup, "--database", database_url)
    restored = run("restore", backup, "--database", f"sqlite:///{other}", "--keys", keys)
    verified = run("log", "verify", "--database", f"sqlite:///{other}", "--keys", keys)

    assert (made.returncode, made.stderr) == (0, "")
    assert "300 records and 0 erased, newest is checkpoint 1" in made.stdout
    assert f"back up {keys} too" in made.stdout
    assert [path.name for path in backup.parent.iterdir()] == ["log.backup"]
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert b"PRIVATE KEY" not in backup.read_bytes()
    assert (restored.returncode, restored.stderr) == (0, "")
    assert "300 records" in restored.stdout
    assert verified.returncode == 0, verified.stdout
    with closing(open_store(database_url)) as old, closing(open_store(f"sqlite:///{other}")) as new:
        assert new.evidence.chains() == old.evidence.chains()
        new.append([make_record(1000, published())])


@pytest.mark.usefixtures("filled")
def test_a_backup_can_be_asked_and_is_left_as_it_is(
    run: Run, database_url: str, tmp_path: Path
) -> None:
    backup, keys = tmp_path / "backups" / "log.backup", tmp_path / "slagboom-keys"
    run("backup", backup, "--database", database_url)
    content, url = backup.read_bytes(), f"sqlite:///{backup}?mode=ro"

    verified = run("log", "verify", "--counts", "--database", url, "--keys", keys)
    with (
        closing(open_store(url)) as store,
        pytest.raises(StoreUnavailable, match="readonly database"),
    ):
        store.append([make_record(1000, published())])

    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "300 records" in verified.stdout
    assert backup.read_bytes() == content
    assert [path.name for path in backup.parent.iterdir()] == ["log.backup"]


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_nothing_is_overwritten(run: Run, database_url: str, tmp_path: Path, suffix: str) -> None:
    backup = tmp_path / "log.backup"
    shutil.copy(file_of(database_url), backup)
    there = tmp_path / f"there.db{suffix}"
    there.write_text("somebody's", "utf-8")

    ended = [
        run("backup", tmp_path / "there.db", "--database", database_url),
        run("restore", backup, "--database", f"sqlite:///{tmp_path / 'there.db'}"),
    ]

    for each in ended:
        assert each.returncode == 2
        assert f"{there}: is there already; move it away" in each.stderr
        assert len(each.stderr.splitlines()) == 1
    assert there.read_text("utf-8") == "somebody's"
    assert not list(tmp_path.glob("*.part*"))


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE records SET country = 'FR' WHERE seq % 100 = 50", "3 places are wrong"),
        ("UPDATE checkpoints SET digest = zeroblob(32)", "was altered: its digest is another"),
        ("DELETE FROM records WHERE seq = (SELECT max(seq) FROM records)", "1 places are wrong"),
    ],
)
@pytest.mark.usefixtures("filled")
def test_what_was_tampered_with_is_no_backup(
    run: Run, database_url: str, tmp_path: Path, statement: str, told: str
) -> None:
    backup = tmp_path / "log.backup"
    run("backup", backup, "--database", database_url)
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute(statement)
        connection.commit()
    keys = tmp_path / "slagboom-keys"

    ended = run("restore", backup, "--database", f"sqlite:///{tmp_path}/new.db", "--keys", keys)

    assert ended.returncode == 2
    assert "is not as it was signed, no copy was kept" in ended.stderr
    assert told in ended.stderr
    assert not (tmp_path / "new.db").exists()


def test_a_backup_without_its_keys_says_that_they_are_missing(
    run: Run, filled: SqlStore, database_url: str, tmp_path: Path
) -> None:
    filled.close()
    empty = tmp_path / "no-keys"
    empty.mkdir()
    public = tmp_path / "public"
    public.mkdir()
    for file in (tmp_path / "slagboom-keys").glob("*.pub"):
        shutil.copy(file, public)

    nobody = run(
        "restore",
        file_of(database_url),
        "--database",
        f"sqlite:///{tmp_path}/a.db",
        "--keys",
        empty,
    )
    readers = run(
        "restore",
        file_of(database_url),
        "--database",
        f"sqlite:///{tmp_path}/a.db",
        "--keys",
        public,
    )

    assert nobody.returncode == 2
    assert "a key nobody here vouches for" in nobody.stderr
    assert readers.returncode == 0, readers.stderr
    assert "bring it there before the server starts" in readers.stdout


def test_a_corrupt_page_is_no_backup(
    run: Run, filled: SqlStore, database_url: str, tmp_path: Path
) -> None:
    filled.close()
    file = file_of(database_url)
    content = bytearray(file.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = bytes(4096)
    file.write_bytes(content)

    ended = run("backup", tmp_path / "log.backup", "--database", database_url)

    assert ended.returncode == 2
    assert "cannot be copied" in ended.stderr or "is corrupt" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "log.backup").exists()


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_file_that_is_not_there_is_one_line(run: Run, tmp_path: Path, command: str) -> None:
    file = tmp_path / "nothing"

    ended = run(command, file, "--database", f"sqlite:///{tmp_path / 'no.db'}")

    assert ended.returncode == 2
    assert "no such" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_backup_of_a_log_under_load_holds_everything_acknowledged_before(
    policies: Path, tmp_path: Path
) -> None:
    backup, restored = tmp_path / "log.backup", tmp_path / "restored.db"
    trusted = SigningKeys(tmp_path / "slagboom-keys").public()
    with serving(policies, tmp_path) as server, Visitors(server) as visitors:
        visitors.wait_for(50)
        before = set(visitors.acknowledged)
        made = back_up(server.database, backup, trusted, watch_nothing)
        visitors.wait_for(20)
    again = restore(backup, f"sqlite:///{restored}", trusted, watch_nothing)
    with closing(open_store(f"sqlite:///{restored}")) as store:
        stored = {str(each.decision_id) for each in store.page(Filter(), limit=100_000)}

    assert before <= stored
    assert made.records == again.records == len(stored)


@pytest.mark.usefixtures("filled")
def test_an_older_backup_is_brought_up_to_date_and_an_older_log_is_not(
    run: Run, database_url: str, tmp_path: Path
) -> None:
    backup, new = tmp_path / "log.backup", f"sqlite:///{tmp_path}/new.db"
    keys = tmp_path / "slagboom-keys"
    run("backup", backup, "--database", database_url)
    shutil.copy(backup, tmp_path / "older.db")
    downgrade(backup)
    downgrade(tmp_path / "older.db")

    refused = run("backup", tmp_path / "b", "--database", f"sqlite:///{tmp_path}/older.db")
    restored = run("restore", backup, "--database", new, "--keys", keys)
    verified = run("log", "verify", "--database", new, "--keys", keys)

    assert refused.returncode == 2
    assert "older.db: has an older schema; run `slagboom migrate` first" in refused.stderr
    assert not list(tmp_path.glob("b*"))
    assert restored.returncode == 0, restored.stderr
    assert verified.returncode == 0, verified.stdout


def downgrade(file: Path) -> None:
    """Makes a log what it was before the newest revision of the schema."""
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(
            "DROP TABLE erasures; DROP INDEX tombstones_number;"
            "ALTER TABLE tombstones DROP COLUMN number;"
            "UPDATE alembic_version SET version_num = '0008'"
        )


@pytest.mark.usefixtures("filled")
def test_what_a_killed_backup_left_behind_is_no_part_of_the_next(
    run: Run, database_url: str, tmp_path: Path
) -> None:
    backup = tmp_path / "log.backup"
    with closing(sqlite3.connect(tmp_path / "log.backup.part")) as killed:
        killed.executescript("PRAGMA journal_mode = WAL; CREATE TABLE left_behind (id)")
        for suffix in ("", "-wal", "-shm"):
            shutil.copy(f"{tmp_path}/log.backup.part{suffix}", f"{tmp_path}/kept{suffix}")
    for suffix in ("", "-wal", "-shm"):
        shutil.move(f"{tmp_path}/kept{suffix}", f"{tmp_path}/log.backup.part{suffix}")

    made = run("backup", backup, "--database", database_url)

    assert made.returncode == 0, made.stderr
    assert not list(tmp_path.glob("*.part*"))
    with closing(sqlite3.connect(backup)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert "records" in tables
    assert "left_behind" not in tables


@pytest.mark.usefixtures("filled")
def test_of_two_backups_to_one_file_the_second_is_refused_and_the_first_goes_on(
    run: Run, database_url: str, tmp_path: Path
) -> None:
    backup = tmp_path / "log.backup"

    def watch(_what: str, _records: int) -> Callable[[int], None]:
        second.append(run("backup", backup, "--database", database_url))
        return lambda _: None

    second: list[Ended] = []
    trusted = SigningKeys(tmp_path / "slagboom-keys").public()
    made = back_up(database_url, backup, trusted, watch)

    assert [each.returncode for each in second] == [2]
    assert "another process is making it" in second[0].stderr
    assert made.records == 300
    assert backup.exists()
    assert not list(tmp_path.glob("*.part*"))
