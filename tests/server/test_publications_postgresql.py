"""Publications on a real PostgreSQL: the contract of every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contract_publications import *  # noqa: F403 -- the tests every engine must pass

from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slagboom_server.store_sql import SqlStore


@pytest.fixture
def address(postgresql_url: str) -> str:
    return postgresql_url


@pytest.fixture
def store(address: str) -> Iterator[SqlStore]:
    opened = open_store(address)
    yield opened
    opened.close()
