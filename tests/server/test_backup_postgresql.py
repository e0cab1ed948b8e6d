"""Backups of a log on PostgreSQL are one moment of it; what is restored is whole, or no log yet."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from command import make_run
from evidence_samples import MINUTE, Log, open_log, published
from log_samples import DOCUMENT, NOON, consent_id, make_record
from ports import find_port
from postgresql import find_postgresql
from postgresql_server import PASSWORD
from server_process import Visitors, make_body, serving
from server_process import run as run_process

from slagboom_banner.errors import SlagboomError
from slagboom_server.backup import back_up, restore
from slagboom_server.chain import Reason
from slagboom_server.checkpointer import CheckpointMaker
from slagboom_server.engine import open_engine, parse_url
from slagboom_server.months import Months
from slagboom_server.signing import SigningKeys
from slagboom_server.store import Filter
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from postgresql_server import Server

    Run = Callable[..., "Ended"]

KILLED = Path(__file__).with_name("kill_backup.py")


@dataclass(frozen=True)
class Ended:
    returncode: int
    stdout: str
    stderr: str

    def require_one_line(self, told: str) -> None:
        """That it is refused with one line, which says so and tells no secret."""
        assert self.returncode == 2
        assert told in self.stderr
        assert len(self.stderr.splitlines()) == 1
        assert PASSWORD not in self.stdout + self.stderr


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs `slagboom …` in this process, with the keys of `log`."""
    monkeypatch.setenv("SLAGBOOM_KEYS", str(tmp_path / "keys"))
    run_here = make_run(monkeypatch, capsys)

    def run_checked(*arguments: object) -> Ended:
        ended = Ended(*run_here(*arguments))
        assert PASSWORD not in ended.stdout + ended.stderr
        return ended

    return run_checked


@pytest.fixture
def log(postgresql_url: str, tmp_path: Path) -> Iterator[Log]:
    """A log of 300 decisions in two chains, two of them erased, 132 under checkpoint 4."""
    first = open_log(postgresql_url, tmp_path / "keys")
    first.append(100, 199)
    first.checkpoint(4)
    with closing(first.store), closing(open_store(postgresql_url)) as store:
        second = Log(postgresql_url, first.folder, store)
        second.append(200, 367)
        store.retention.erase(consent_id(7), Reason.VISITOR, NOON + 2 * MINUTE)
        store.retention.erase(consent_id(250), Reason.DPO, NOON + 3 * MINUTE)
        yield second


@pytest.fixture
def empty(postgresql: Server) -> Iterator[str]:
    """A database with nothing in it at all."""
    with postgresql.database() as url:
        yield url


def trust(log: Log) -> frozenset[bytes]:
    return SigningKeys(log.folder).public()


def make_backup(log: Log, folder: Path) -> Path:
    """A backup of what the log holds now."""
    backup = folder / "log.backup"
    back_up(log.url, backup, trust(log), watch_nothing)
    return backup


def watch_nothing(_what: str, _records: int) -> Callable[[int], None]:
    return lambda _: None


def watch_in_vain(what: str, _records: int) -> Callable[[int], None]:
    pytest.fail(f"{what}, though nothing was to begin")


def read(url: str) -> list[object]:
    """Everything a log says and that proves it."""
    with closing(open_store(url)) as store:
        chains = [(chain.uid, chain.length, chain.head) for chain in store.evidence.chains()]
        return [chains, list(store.page(Filter(), limit=100_000)), list(store.offers())]


def is_good(url: str, log: Log) -> bool:
    with closing(open_store(url)) as store:
        copy = Log(url, log.folder, store)
        return copy.verify().is_good and not copy.check_counts()


def count_tables(url: str) -> int:
    with psycopg.connect(url) as connection:
        query = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        found = connection.execute(query).fetchone()
    assert found is not None
    return int(found[0])


@pytest.mark.parametrize("engine", ["postgresql", "sqlite"])
def test_a_backup_is_one_file_that_makes_the_same_log_on_either_engine(
    run: Run, log: Log, empty: str, tmp_path: Path, engine: str
) -> None:
    backup = tmp_path / "backups" / "log.backup"
    new = empty if engine == "postgresql" else f"sqlite:///{tmp_path}/new.db"

    made = run("backup", backup, "--database", log.url)
    content = backup.read_bytes()
    restored = run("restore", backup, "--database", new)
    verified = run("log", "verify", "--counts", "--database", new)

    assert (made.returncode, made.stderr) == (0, "")
    assert "298 records and 2 erased, newest is checkpoint 4 of 2026-11-21" in made.stdout
    assert "every page and every record verified" in made.stdout
    assert f"back up {log.folder} too" in made.stdout
    assert backup.stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE KEY" not in content
    assert (restored.returncode, restored.stderr) == (0, "")
    assert "298 records and 2 erased, newest is checkpoint 4 of" in restored.stdout
    assert verified.returncode == 0, verified.stdout
    assert read(new) == read(log.url)
    # It may lie where nothing can be written.
    assert backup.read_bytes() == content
    assert [path.name for path in backup.parent.iterdir()] == ["log.backup"]
    with closing(open_store(new)) as store:
        store.append([make_record(1000, published())])
        store.retention.erase(consent_id(8), Reason.DPO, NOON + 4 * MINUTE)
    assert is_good(new, log)


def test_a_backup_of_an_sqlite_log_makes_one_on_postgresql(
    run: Run, tmp_path: Path, database_url: str, empty: str
) -> None:
    with closing(open_store(database_url)) as store:
        store.remember_notice(published(), DOCUMENT, NOON)
        store.append([make_record(number, published()) for number in range(20)])
    backup = tmp_path / "log.backup"

    made = run("backup", backup, "--database", database_url)
    restored = run("restore", backup, "--database", empty)

    assert made.returncode == restored.returncode == 0, made.stderr + restored.stderr
    assert read(empty) == read(database_url)


def test_a_backup_is_one_moment_whatever_happens_meanwhile(log: Log, tmp_path: Path) -> None:
    before = read(log.url)
    numbers = iter(range(1000, 2000))

    def watch(what: str, _records: int) -> Callable[[int], None]:
        def go_on(_done: int) -> None:
            number = next(numbers)
            log.append(number, number)
            log.store.retention.erase(consent_id(number - 900), Reason.VISITOR, NOON + 5 * MINUTE)
            CheckpointMaker(log.store.evidence, log.folder).make(NOON + 6 * MINUTE)

        if what == "Records copied":
            go_on(0)
        return go_on

    made = back_up(log.url, tmp_path / "log.backup", trust(log), watch)

    assert next(numbers) > 1002
    assert (made.records, made.erased) == (298, 2)
    assert made.last is not None
    assert made.last.number == 4
    restored = f"sqlite:///{tmp_path}/new.db"
    restore(tmp_path / "log.backup", restored, trust(log), watch_nothing)
    assert read(restored) == before
    assert is_good(restored, log)
    assert is_good(log.url, log)


def test_a_month_that_was_purged_meanwhile_is_still_in_the_backup(log: Log, tmp_path: Path) -> None:
    dropped = []
    engine = open_engine(parse_url(log.url))

    def watch(what: str, _records: int) -> Callable[[int], None]:
        if what == "Records copied":
            for number in range(400):
                log.store.retention.erase(consent_id(number), Reason.DPO, NOON + 5 * MINUTE)
            dropped.append(Months(engine).drop_empty(NOON + dt.timedelta(days=200)))
        return lambda _: None

    made = back_up(log.url, tmp_path / "log.backup", trust(log), watch)
    dropped.append(Months(engine).drop_empty(NOON + dt.timedelta(days=200)))
    engine.dispose()

    assert made.records == 298
    assert dropped == [[], ["records_2026_11", "records_2026_12"]]


def test_a_backup_of_a_served_log_holds_everything_acknowledged_before(
    run: Run, policies: Path, tmp_path: Path, postgresql_url: str, empty: str
) -> None:
    backup, keys = tmp_path / "log.backup", str(tmp_path / "keys")
    with (
        serving(policies, tmp_path, postgresql_url, workers=2, SLAGBOOM_KEYS=keys) as server,
        Visitors(server) as visitors,
    ):
        visitors.wait_for(50)
        before = set(visitors.acknowledged)
        made = run("backup", backup, "--database", postgresql_url)
        visitors.wait_for(20)
    restored = run("restore", backup, "--database", empty)
    with closing(open_store(empty)) as store:
        copy = Log(empty, tmp_path / "keys", store)
        verdict, problems = copy.verify(), copy.check_counts()
        stored = {str(each.decision_id) for each in store.page(Filter(), limit=100_000)}
    with serving(policies, tmp_path, empty, SLAGBOOM_KEYS=keys) as server:
        body = json.dumps(make_body(server, 1 << 30)).encode()
        status = server.open("/s/acme/decisions", body)[0]

    assert made.returncode == 0, made.stderr
    assert restored.returncode == 0, restored.stderr
    assert verdict.is_good, verdict.told
    assert problems == []
    assert before <= stored
    assert f"{len(stored):,} records" in made.stdout
    assert status == 201


def test_a_role_that_may_only_read_is_enough(
    run: Run, log: Log, tmp_path: Path, postgresql: Server
) -> None:
    name = log.url.rpartition("/")[2]
    postgresql.execute(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
    try:
        postgresql.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader", name)
        reader = log.url.replace("//slagboom:", "//reader:")

        made = run("backup", tmp_path / "log.backup", "--database", reader)
    finally:
        postgresql.execute("DROP OWNED BY reader", name)
        postgresql.execute("DROP ROLE reader")

    assert made.returncode == 0, made.stderr


def start_killed(*arguments: object) -> subprocess.Popen[bytes]:
    """The command, stopped after its first step."""
    process = subprocess.Popen(
        [sys.executable, str(KILLED), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"step\n"
    return process


def fill(log: Log) -> None:
    """So many decisions that they take three steps."""
    for first in range(10_000, 14_000, 1000):
        log.append(first, first + 999)


def test_a_backup_that_was_killed_is_none_and_the_next_is_whole(
    run: Run, log: Log, tmp_path: Path
) -> None:
    fill(log)
    backup = tmp_path / "log.backup"

    with start_killed("back_up", backup, log.url, log.folder) as process:
        process.kill()
    left = [path.name for path in tmp_path.glob("log.backup*")]
    half = run("restore", f"{backup}.part", "--database", f"sqlite:///{tmp_path}/half.db")
    made = run("backup", backup, "--database", log.url)

    assert "log.backup" not in left
    half.require_one_line("is not as it was signed, no copy was kept")
    assert made.returncode == 0, made.stderr
    assert "4,298 records" in made.stdout
    assert [path.name for path in tmp_path.glob("log.backup*")] == ["log.backup"]


def test_what_another_log_left_behind_is_no_part_of_a_backup(
    run: Run, log: Log, tmp_path: Path, database_url: str
) -> None:
    with closing(open_store(database_url)) as store:
        store.remember_notice(published("kresoft"), DOCUMENT, NOON)
        store.append([make_record(1, published("kresoft"))])
    back_up(database_url, tmp_path / "log.backup.part", frozenset(), watch_nothing)

    made = run("backup", tmp_path / "log.backup", "--database", log.url)
    restored = run("restore", tmp_path / "log.backup", "--database", f"sqlite:///{tmp_path}/new.db")

    assert made.returncode == restored.returncode == 0, made.stderr + restored.stderr
    assert read(f"sqlite:///{tmp_path}/new.db") == read(log.url)


def test_a_backup_whose_server_goes_away_is_one_line_and_no_file(
    run: Run, log: Log, tmp_path: Path, postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = log.url.rpartition("/")[2]

    def end_sessions(_copy: object, *_arguments: object) -> None:
        postgresql.end_sessions(name)

    monkeypatch.setattr("slagboom_server.log_copy.LogCopy._erase", end_sessions)

    ended = run("backup", tmp_path / "log.backup", "--database", log.url)

    ended.require_one_line("terminating connection due to administrator command")
    assert not list(tmp_path.glob("log.backup*"))


@pytest.mark.parametrize("fault", ["password", "port", "database"])
@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_database_that_cannot_be_reached_is_one_line_without_its_password(
    run: Run, log: Log, tmp_path: Path, command: str, fault: str
) -> None:
    backup = tmp_path / "log.backup"
    address = log.url.rpartition("/")[0]
    port = address.rpartition(":")[2]
    wrong = {
        "password": log.url.replace(PASSWORD, f"{PASSWORD}-or-other"),
        "port": log.url.replace(port, str(find_port())),
        "database": f"{address}/nothing",
    }[fault]
    if command == "restore":
        back_up(log.url, backup, trust(log), watch_nothing)

    ended = run(command, backup, "--database", wrong)

    ended.require_one_line("cannot be used")
    assert backup.exists() == (command == "restore")


def test_a_log_that_was_tampered_with_is_no_backup(
    run: Run, log: Log, tmp_path: Path, postgresql: Server
) -> None:
    name = log.url.rpartition("/")[2]
    postgresql.execute("UPDATE records SET country = 'FR' WHERE seq % 100 = 50", name)

    ended = run("backup", tmp_path / "log.backup", "--database", log.url)

    ended.require_one_line("is not as it was signed, no copy was kept")
    assert not list(tmp_path.glob("log.backup*"))


@pytest.mark.parametrize("held", ["decisions", "notices", "older"])
def test_a_database_that_holds_anything_of_a_log_is_left_alone(
    run: Run, log: Log, tmp_path: Path, postgresql: Server, held: str
) -> None:
    backup = make_backup(log, tmp_path)
    with postgresql.database(template="migrated") as other:
        name = other.rpartition("/")[2]
        with closing(open_store(other)) as store:
            store.remember_notice(published(), DOCUMENT, NOON)
            if held != "notices":
                store.append([make_record(5, published())])
        if held == "older":
            postgresql.execute("DROP TABLE erasures", name)
            postgresql.execute("UPDATE alembic_version SET version_num = '0008'", name)
        tables = count_tables(other)

        ended = run("restore", backup, "--database", other)

        number = "0 records" if held == "notices" else "1 record;"
        ended.require_one_line(f"holds a log already, of {number}")
        assert "give an empty database" in ended.stderr
        # At once: nobody has to wait for the backup to be read first.
        with pytest.raises(SlagboomError, match="holds a log already"):
            restore(backup, other, trust(log), watch_in_vain)
        assert count_tables(other) == tables
        if held == "decisions":
            assert len(read(other)[1]) == 1  # type: ignore[arg-type] # the decisions
    run("restore", backup, "--database", log.url).require_one_line("holds a log already")
    assert is_good(log.url, log)


def test_a_migrated_database_without_anything_in_it_is_empty(
    run: Run, log: Log, tmp_path: Path, postgresql: Server
) -> None:
    backup = make_backup(log, tmp_path)
    with postgresql.database(template="migrated") as other:
        restored = run("restore", backup, "--database", other)

        assert restored.returncode == 0, restored.stderr
        assert read(other) == read(log.url)


def test_an_interrupted_restore_is_no_log_for_anybody_until_it_has_come_to_its_end(
    run: Run, log: Log, tmp_path: Path, empty: str, policies: Path
) -> None:
    fill(log)
    backup = make_backup(log, tmp_path)

    with start_killed("restore", backup, empty, log.folder) as process:
        meanwhile = run("restore", backup, "--database", empty)
        process.kill()
    refused = [
        run("log", "list", "--database", empty),
        run("log", "verify", "--database", empty),
        run("log", "copy", log.url, empty),
        run("log", "copy", empty, f"sqlite:///{tmp_path}/copy.db"),
        run("migrate", "--database", empty),
        run("backup", tmp_path / "other.backup", "--database", empty),
    ]
    served = run_process("serve", "--policies", policies, "--port", 1, "--database", empty)
    with psycopg.connect(empty) as connection:
        half = connection.execute("SELECT count(*) FROM records").fetchone()
    restored = run("restore", backup, "--database", empty)

    meanwhile.require_one_line("another restore is at work there")
    for each in [*refused, Ended(served.returncode, served.stdout, served.stderr)]:
        assert each.returncode == 2
        assert "holds a part of a log" in each.stderr.splitlines()[-1]
        assert PASSWORD not in each.stderr
    assert half is not None
    assert 0 < half[0] < 4298
    assert restored.returncode == 0, restored.stderr
    assert "4,298 records" in restored.stdout
    assert read(empty) == read(log.url)
    assert is_good(empty, log)
    run("restore", backup, "--database", empty).require_one_line("holds a log already")


def test_an_interrupted_restore_takes_no_other_log(
    run: Run, log: Log, tmp_path: Path, empty: str, database_url: str
) -> None:
    fill(log)
    backup, other = make_backup(log, tmp_path), tmp_path / "other.backup"
    with closing(open_store(database_url)) as store:
        store.remember_notice(published(), DOCUMENT, NOON)
        store.append([make_record(1, published())])
    back_up(database_url, other, frozenset(), watch_nothing)
    with start_killed("restore", backup, empty, log.folder) as process:
        process.kill()

    run("restore", other, "--database", empty).require_one_line("holds another log")
    run("log", "list", "--database", empty).require_one_line("holds a part of a log")


def test_a_backup_that_was_tampered_with_never_touches_the_database(
    run: Run, log: Log, tmp_path: Path, empty: str
) -> None:
    backup = make_backup(log, tmp_path)
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute("UPDATE records SET country = 'FR' WHERE seq % 100 = 50")
        connection.commit()

    run("restore", backup, "--database", empty).require_one_line("is not as it was signed")
    assert count_tables(empty) == 0


@pytest.mark.parametrize("content", ["a letter, and no database\n" * 500, ""])
def test_what_is_no_backup_never_touches_the_database(
    run: Run, tmp_path: Path, empty: str, content: str
) -> None:
    backup = tmp_path / "log.backup"
    backup.write_text(content, "utf-8")

    told = "not a database" if content else "is of another version"
    run("restore", backup, "--database", empty).require_one_line(told)
    assert count_tables(empty) == 0


def test_a_backup_of_another_version_says_how_to_bring_it_to_postgresql(
    run: Run, log: Log, tmp_path: Path, empty: str
) -> None:
    backup = make_backup(log, tmp_path)
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0008'")
        connection.commit()

    run("restore", backup, "--database", empty).require_one_line("is of another version; `slagboom")
    assert count_tables(empty) == 0


def test_what_is_not_whole_in_the_database_stays_closed(
    run: Run, log: Log, tmp_path: Path, empty: str, postgresql: Server
) -> None:
    backup = make_backup(log, tmp_path)
    shown = []

    def watch(what: str, _records: int) -> Callable[[int], None]:
        shown.append(what)
        if shown == ["Records verified", "Records copied", "Records verified"]:
            postgresql.execute("DELETE FROM records WHERE seq = 20", empty.rpartition("/")[2])
        return lambda _: None

    with pytest.raises(SlagboomError, match="it stays closed, give an empty database") as error:
        restore(backup, empty, trust(log), watch)

    assert PASSWORD not in str(error.value)
    run("log", "list", "--database", empty).require_one_line("holds a part of a log")


def test_a_restored_log_is_never_taken_for_the_whole_one(
    run: Run, log: Log, tmp_path: Path, empty: str
) -> None:
    backup = make_backup(log, tmp_path)
    log.append(500, 509)
    log.checkpoint(10)

    restored = run("restore", backup, "--database", empty)
    verified = run("log", "verify", "--database", empty)

    assert restored.returncode == 0, restored.stderr
    assert verified.returncode == 1
    assert "an older copy of the database was put in its place" in verified.stdout


def test_pg_dump_and_pg_restore_bring_back_a_log_that_verifies(
    run: Run, log: Log, tmp_path: Path, empty: str
) -> None:
    dump = tmp_path / "log.dump"
    programs = find_postgresql()
    assert programs is not None
    for command in (
        [programs / "pg_dump", "--format=custom", f"--file={dump}", log.url],
        [programs / "pg_restore", "--exit-on-error", "--no-owner", f"--dbname={empty}", dump],
    ):
        subprocess.run(command, check=True, timeout=60)
    verified = run("log", "verify", "--database", empty)

    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "300 records" in verified.stdout
