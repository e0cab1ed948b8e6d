from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from slagboom_banner.errors import SlagboomError
from slagboom_server.engine import reading
from slagboom_server.migration import migrate, open_current
from slagboom_server.schema import metadata

if TYPE_CHECKING:
    from pathlib import Path


def set_revision(file: Path, revision: str | None) -> None:
    with sqlite3.connect(file) as database:
        database.execute("DELETE FROM alembic_version")
        if revision is not None:
            database.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
    database.close()


def test_the_migrated_schema_is_the_one_the_code_uses(database_url: str) -> None:
    engine = open_current(database_url)

    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
        statement = "SELECT group_concat(sql) FROM sqlite_master"
        created = str(connection.exec_driver_sql(statement).scalar())
    engine.dispose()
    assert differences == []
    # The comparison above does not see this one.
    assert "AUTOINCREMENT" in created


def test_migrating_makes_the_file_and_its_folder_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'var' / 'log' / 'slagboom.db'}"

    assert migrate(url) is True
    assert migrate(url) is False


def test_several_processes_may_migrate_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'slagboom.db'}"

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(migrate, [url] * 4))

    assert sorted(done) == [False, False, False, True]


@pytest.mark.parametrize("use", [migrate, open_current])
def test_a_newer_database_is_one_clear_line(tmp_path: Path, use: object) -> None:
    assert callable(use)
    file = tmp_path / "slagboom.db"
    migrate(f"sqlite:///{file}")
    set_revision(file, "9999")

    with pytest.raises(SlagboomError) as error:
        use(f"sqlite:///{file}")

    assert "was written by a newer Slagboom (schema 9999, this one knows 0001)" in str(error.value)
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
