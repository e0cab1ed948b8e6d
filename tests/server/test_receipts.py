"""Receipts of a log on SQLite: the contract of every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contract_receipts import *  # noqa: F403 -- the tests every engine must pass
from receipt_samples import ReceiptLog, open_receipt_log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def log(database_url: str, tmp_path: Path) -> Iterator[ReceiptLog]:
    opened = open_receipt_log(database_url, tmp_path / "keys")
    yield opened
    opened.store.close()


@pytest.fixture
def log_url(database_url: str) -> str:
    return database_url
