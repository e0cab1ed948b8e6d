"""The evidence on a real PostgreSQL: every attack, and chains of several writers."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from contract_evidence import *  # noqa: F403 -- the attacks every engine must show
from evidence_samples import Log, open_log, published
from log_samples import NOON, decision_id, make_record
from sqlalchemy import text

from slagboom_server.csv_lines import write_csv
from slagboom_server.errors import LogAltered
from slagboom_server.store import Filter
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def log(postgresql_url: str, tmp_path: Path) -> Iterator[Log]:
    opened = open_log(postgresql_url, tmp_path / "keys")
    yield opened
    opened.store.close()


def test_each_writer_has_a_chain_of_its_own_and_leaves_it_to_the_next(log: Log) -> None:
    second = open_store(log.url)
    second.append([make_record(40, published(), NOON)])
    assert [chain.length for chain in log.store.evidence.chains()] == [32, 1]

    second.close()
    third = open_store(log.url)
    third.append([make_record(41, published(), NOON)])
    log.append(42, 42)
    third.close()

    assert [chain.length for chain in log.store.evidence.chains()] == [33, 2]
    log.checkpoint(9)
    verdict = log.verify(*log.copies())
    assert verdict.is_good
    assert verdict.records == 35


def test_a_decision_stored_twice_is_found_though_its_entry_was_removed(log: Log) -> None:
    log.tamper(text(f"DELETE FROM decisions WHERE decision_id = '{decision_id(15)}'"))  # noqa: S608
    [problem] = log.verify().problems
    assert f"record number 15 (decision {decision_id(15)})" in problem

    log.append(15, 15)
    same_time = log.verify().problems
    assert [problem] != same_time
    assert f"decision {decision_id(15).hex} is there 2 times" in same_time[-1]


@pytest.mark.parametrize(
    "change", ["action = 99", "consent_id = '\\x00'", "ip = '\\x0102'", "flags = -1"]
)
def test_a_cell_nobody_could_have_written_names_its_record(log: Log, change: str) -> None:
    log.tamper(text(f"UPDATE records SET {change} WHERE seq = 15"))  # noqa: S608 -- our own

    with pytest.raises(LogAltered, match=r"^record 15 was altered and cannot be read; run"):
        log.store.page(Filter(), limit=50)
    with pytest.raises(LogAltered, match=r"^record 15 was altered and cannot be read; run"):
        write_csv(log.store.lean_pages(Filter()), log.store, io.StringIO())
    assert log.store.record(decision_id(14)) is not None


def test_a_decision_without_its_record_is_found(log: Log) -> None:
    log.tamper(text(f"INSERT INTO decisions VALUES ('{decision_id(99)}', 1)"))  # noqa: S608

    [problem] = log.verify().problems

    assert f"decision {decision_id(99)} is known as stored, and no record has it" in problem


def test_a_writer_that_was_silent_for_long_loses_its_chain_and_harms_none(log: Log) -> None:
    later = NOON.replace(hour=23)
    second = open_store(log.url)
    second.append([make_record(50, published(), later)])
    assert [chain.length for chain in log.store.evidence.chains()] == [33]

    log.store.append([make_record(51, published(), later)])

    assert [chain.length for chain in log.store.evidence.chains()] == [33, 1]
    assert log.verify().is_good
    second.close()
