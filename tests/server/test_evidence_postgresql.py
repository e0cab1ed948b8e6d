"""The evidence on a real PostgreSQL: every attack, and chains of several writers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contract_evidence import *  # noqa: F403 -- the attacks every engine must show
from evidence_samples import Log, open_log, published
from log_samples import NOON, make_record

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


def test_a_writer_that_was_silent_for_long_loses_its_chain_and_harms_none(log: Log) -> None:
    later = NOON.replace(hour=23)
    second = open_store(log.url)
    second.append([make_record(50, published(), later)])
    assert [chain.length for chain in log.store.evidence.chains()] == [33]

    log.store.append([make_record(51, published(), later)])

    assert [chain.length for chain in log.store.evidence.chains()] == [33, 1]
    assert log.verify().is_good
    second.close()
