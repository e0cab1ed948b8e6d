"""Publications on SQLite: the contract of every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contract_publications import *  # noqa: F403 -- the tests every engine must pass
from contract_signed_publications import *  # noqa: F403 -- as above
from evidence_samples import Log
from publication_samples import FIRST

from slagboom_server.log_copy import LogCopy
from slagboom_server.migration import migrate, open_current
from slagboom_server.publication import digest
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from slagboom_server.store_sql import SqlStore


@pytest.fixture
def store(database_url: str) -> Iterator[SqlStore]:
    opened = open_store(database_url)
    yield opened
    opened.close()


@pytest.fixture
def log(store: SqlStore, database_url: str, tmp_path: Path) -> Log:
    return Log(database_url, tmp_path / "keys", store)


def test_a_copy_of_the_log_brings_its_publications_along(
    published: SqlStore, log: Log, tmp_path: Path
) -> None:
    copied = f"sqlite:///{tmp_path / 'copy.db'}"
    migrate(copied)
    source, target = open_current(log.url), open_current(copied)
    copy = LogCopy(source, target)
    copy.run(copy.plan(), lambda _: None)
    source.dispose()
    target.dispose()

    again = open_store(copied)
    assert again.publications.all() == published.publications.all()
    for text in FIRST.texts:
        assert again.publications.read(digest(text)) == text
    assert Log(copied, log.folder, again).verify(*log.copies()).is_good
    again.close()
