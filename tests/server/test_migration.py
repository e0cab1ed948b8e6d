from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from evidence_samples import Log, open_log
from log_samples import DOCUMENT, NOON, consent_id, make_offer, make_record
from sqlalchemy import MetaData, insert, text

import slagboom_server
from slagboom_banner.errors import SlagboomError
from slagboom_server.chain import Reason
from slagboom_server.context import Context
from slagboom_server.engine import open_engine, parse_url, reading, writing
from slagboom_server.entry import to_values
from slagboom_server.leaf import CANONICAL
from slagboom_server.migration import NEWEST, migrate, open_current
from slagboom_server.names import write_offer
from slagboom_server.rollup import Dimension
from slagboom_server.row import CONTEXT_IDS, service_ids, to_ms
from slagboom_server.schema import metadata
from slagboom_server.store import Filter, Repeated, Stored
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from postgresql_server import Server


def set_revision(file: Path, revision: str | None) -> None:
    with sqlite3.connect(file) as database:
        database.execute("DELETE FROM alembic_version")
        if revision is not None:
            database.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
    database.close()


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_the_migrated_schema_is_the_one_the_code_uses(database_url: str) -> None:
    engine = open_current(database_url)

    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
    engine.dispose()
    told = [f"{change[0]} {getattr(change[1], 'name', None)}" for change in differences]
    # It is there, by an expression, which cannot be read back: `test_store_sql` shows its use.
    assert told == ["add_index records_consent_id"]


def test_the_newest_revision_is_the_end_of_the_scripts() -> None:
    folder = Path(slagboom_server.__file__).parent / "migrations"

    assert ScriptDirectory(str(folder)).get_current_head() == NEWEST


def test_a_start_on_a_current_database_loads_no_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    migrate(url)
    code = (
        "import sys\n"
        "from slagboom_server.migration import migrate\n"
        "import slagboom_server.cli, slagboom_server.serving\n"
        f"assert not migrate({url!r})\n"
        "assert 'alembic' not in sys.modules\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert not ended.returncode, ended.stderr


def test_migrating_makes_the_file_and_its_folder_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'var' / 'log' / 'slagboom.db'}"

    assert migrate(url) is True
    assert migrate(url) is False


def test_several_processes_may_migrate_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'slagboom.db'}"

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(migrate, [url] * 4))

    assert sorted(done) == [False, False, False, True]


def test_of_two_who_open_a_new_file_at_once_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "slagboom.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        # SQLite lets nobody wait for this who is about to change how the file is written.
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr("slagboom_server.retry.time.sleep", lambda _: other.execute("COMMIT"))

        assert migrate(f"sqlite:///{file}") is True

        assert not other.in_transaction


@pytest.mark.parametrize("use", [migrate, open_current])
def test_a_newer_database_is_one_clear_line(tmp_path: Path, use: object) -> None:
    assert callable(use)
    file = tmp_path / "slagboom.db"
    migrate(f"sqlite:///{file}")
    set_revision(file, "9999")

    with pytest.raises(SlagboomError) as error:
        use(f"sqlite:///{file}")

    assert re.search(r"a newer Slagboom \(schema 9999, this one knows \d{4}\)", str(error.value))
    assert "\n" not in str(error.value)


def test_an_older_database_asks_for_migration(tmp_path: Path) -> None:
    file = tmp_path / "slagboom.db"
    migrate(f"sqlite:///{file}")
    set_revision(file, None)

    with pytest.raises(SlagboomError, match="run `slagboom migrate` first"):
        open_current(f"sqlite:///{file}")


def test_a_missing_database_is_not_made_by_asking(tmp_path: Path) -> None:
    file = tmp_path / "none.db"

    with pytest.raises(SlagboomError, match=r"none\.db: no such database"):
        open_current(f"sqlite:///{file}")

    assert not file.exists()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite://", "keeps nothing; name a file"),
        ("sqlite:///:memory:", "keeps nothing; name a file"),
        ("slagboom.db", "is no database address"),
        ("nosuchdb://host/log", "no driver is installed for 'nosuchdb'"),
        ("sqlite:////proc/nowhere/slagboom.db", "cannot make the database"),
    ],
)
def test_an_address_that_cannot_work_is_one_clear_line(url: str, reason: str) -> None:
    with pytest.raises(SlagboomError) as error:
        migrate(url)

    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "slagboom.db"
    file.write_text("a letter, and certainly not a database\n" * 100)

    with pytest.raises(SlagboomError, match="file is not a database") as error:
        open_current(f"sqlite:///{file}")

    assert "\n" not in str(error.value)


def test_the_migrated_schema_on_postgresql_differs_by_its_months_and_indexes_alone(
    postgresql_url: str,
) -> None:
    engine = open_current(postgresql_url)

    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
    engine.dispose()
    told = sorted(f"{change[0]} {getattr(change[1], 'name', None)}" for change in differences)
    assert [change for change in told if "records_other" not in change] == [
        # Uniqueness over all months stands in `decisions`.
        "add_constraint records_decision_id_key",
        "add_fk records_client_id_fkey",
        "add_fk records_notice_id_fkey",
        "add_fk records_origin_id_fkey",
        "add_fk records_site_id_fkey",
        # Those of the same millisecond are sorted when they are read.
        "add_index records_received_at_seq",
        "add_index records_site_id_received_at_seq",
        "remove_index records_received_at",
        "remove_index records_site_id_received_at",
        "remove_table decisions",
    ]


NAMES = """
    INSERT INTO sites (id, name) VALUES (1, 'dsoft');
    INSERT INTO clients (id, browser, system, device) VALUES (1, 'Firefox', 'Linux', 3);
    INSERT INTO origins (id, origin) VALUES (1, 'https://www.dsoft.be');
"""
MOMENTS = [NOON - dt.timedelta(days=40), NOON, NOON + dt.timedelta(days=40)]


def fill_first_release(url: str) -> None:
    """A log as the first release kept it: one notice, and three decisions in three months."""
    engine = open_engine(parse_url(url))
    offer = make_offer()
    config = Config()
    scripts = Path(slagboom_server.__file__).parent / "migrations"
    config.set_main_option("script_location", str(scripts))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in NAMES.strip().split(";")[:-1]:
            connection.exec_driver_sql(statement)
        tables = MetaData()
        tables.reflect(connection, only=["notices", "records"])
        notice = {
            "site_id": 1,
            "digest": bytes.fromhex(offer.digest),
            "revision": 1,
            "language": "nl",
            "first_seen": to_ms(NOON),
            "offer": write_offer(offer),
            "document": json.dumps(DOCUMENT),
        }
        connection.execute(insert(tables.tables["notices"]).values(notice))
        for number, received_at in enumerate(MOMENTS, 1):
            record = make_record(number, offer, received_at)
            ids = {"site_id": 1, "notice_id": 1, "client_id": 1, "origin_id": 1}
            context = Context((1, 1, 1, 1), b"", offer.purposes, service_ids(offer))
            row = dict(zip((*CONTEXT_IDS, *CANONICAL), to_values(record, context), strict=True))
            connection.execute(insert(tables.tables["records"]).values({**row, **ids}))
    engine.dispose()


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_what_was_erased_before_erasures_were_signed_is_no_fault(
    engine: str, tmp_path: Path, postgresql: Server
) -> None:
    with postgresql.database() as address:
        url = address if engine == "postgresql" else f"sqlite:///{tmp_path / 'slagboom.db'}"
        migrate(url)
        log = open_log(url, tmp_path / "keys")
        for number in (9, 3, 31):
            log.store.retention.erase(consent_id(number), Reason.VISITOR, NOON)
        log.store.close()
        log.tamper(
            text("DROP TABLE erasures"),
            text("DROP INDEX tombstones_number"),
            text("ALTER TABLE tombstones DROP COLUMN number"),
            text("UPDATE alembic_version SET version_num = '0008'"),
        )

        migrate(url)

        log.store = open_store(url)
        assert log.verify(*log.copies()).is_good
        log.store.retention.erase(consent_id(5), Reason.DPO, NOON)
        made = log.checkpoint(5)
        verdict = log.verify(*log.copies())
        log.tamper(text("UPDATE tombstones SET reason = 3 WHERE seq = 9"))
        altered = log.verify()
        log.store.close()
    assert made.erased is not None
    assert made.erased.length == 4
    assert verdict.is_good
    assert "erasures 1 to 4 are not those that checkpoint 4" in altered.problems[0]


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_log_of_the_first_release_is_all_there(
    engine: str, tmp_path: Path, postgresql: Server
) -> None:
    with postgresql.database() as address:
        url = address if engine == "postgresql" else f"sqlite:///{tmp_path / 'slagboom.db'}"
        (tmp_path / "slagboom.db").touch()
        fill_first_release(url)

        migrate(url)

        store = open_store(url)
        kept = store.page(Filter(), limit=10)
        found = store.records_of(consent_id(2))
        counted = store.rollups.read((Dimension.DAY, Dimension.PURPOSE, Dimension.DEVICE))
        [again, new] = store.append([make_record(1), make_record(4)])
        verdict = Log(url, tmp_path / "keys", store).verify()
        store.close()
    made = [make_record(number, received_at=time) for number, time in enumerate(MOMENTS, 1)]
    assert kept == [dataclasses.replace(record, seq=n) for n, record in enumerate(made, 1)]
    assert found == [kept[1]]
    assert again == Repeated(1)
    assert new == Stored(4)
    days = [time.date().isoformat() for time in MOMENTS]
    assert [(*line.place, line.accepted, line.granted) for line in counted] == [
        (day, purpose, "computer", 1, 1) for day in days for purpose in ("marketing", "statistics")
    ]
    assert (verdict.records, verdict.faults) == (4, 0)
