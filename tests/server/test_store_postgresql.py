"""The consent log on a real PostgreSQL: the contract of every engine, and what is its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contract_store import *  # noqa: F403 -- the tests every engine must pass

from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slagboom_server.store_sql import SqlStore


@pytest.fixture
def store(postgresql_url: str) -> Iterator[SqlStore]:
    opened = open_store(postgresql_url)
    yield opened
    opened.close()
