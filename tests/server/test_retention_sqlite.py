"""Erasing, purging, holding and counting in an SQLite file."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from contract_retention import *  # noqa: F403 -- the tests every engine must pass
from contract_retention import DSOFT, WITHOUT_REST
from log_samples import DOCUMENT, NOON, consent_id, make_record

from slagboom_server.chain import Reason
from slagboom_server.retention import purge_sites

if TYPE_CHECKING:
    from slagboom_server.store_sql import SqlStore


def test_what_was_erased_cannot_be_read_from_the_file(store: SqlStore, database_url: str) -> None:
    store.remember_notice(DSOFT, DOCUMENT, NOON)
    store.append([make_record(n, DSOFT) for n in range(50)])
    file = Path(database_url.removeprefix("sqlite:///"))

    store.retention.erase(consent_id(7), Reason.VISITOR, NOON)
    store.close()

    sqlite3.connect(file).execute("PRAGMA wal_checkpoint(TRUNCATE)").connection.close()
    content = file.read_bytes()
    assert consent_id(8).bytes in content
    assert consent_id(7).bytes not in content


def test_a_record_that_was_tampered_with_can_be_purged_and_is_still_told_on(
    store: SqlStore, database_url: str
) -> None:
    store.remember_notice(DSOFT, DOCUMENT, NOON)
    store.append([make_record(n, DSOFT) for n in range(1, 4)])
    database = sqlite3.connect(database_url.removeprefix("sqlite:///"))
    with database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        database.execute("UPDATE records SET action = 70000 WHERE seq = 2")
    database.close()

    [done] = purge_sites(store.retention, {"dsoft": 1}, NOON.replace(year=2040), WITHOUT_REST)

    assert done.records == 3
    first, second, third = store.evidence.sealed(1, 3)
    assert second.is_erased
    assert second.leaf == bytes(32)
    assert first.leaf != third.leaf
