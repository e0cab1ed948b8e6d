"""The consent log on a real PostgreSQL: the contract of every engine, and what is its own."""

from __future__ import annotations

import pytest
from contract_store import *  # noqa: F403 -- the tests every engine must pass


@pytest.fixture
def database_url(postgresql_url: str) -> str:
    return postgresql_url
