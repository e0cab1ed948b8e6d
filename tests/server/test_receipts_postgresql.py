"""Receipts of a log on a real PostgreSQL: the contract of every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contract_receipts import *  # noqa: F403 -- the tests every engine must pass
from receipt_samples import ReceiptLog, open_receipt_log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def log(postgresql_url: str, tmp_path: Path) -> Iterator[ReceiptLog]:
    opened = open_receipt_log(postgresql_url, tmp_path / "keys")
    yield opened
    opened.store.close()


@pytest.fixture
def log_url(postgresql_url: str) -> str:
    return postgresql_url
