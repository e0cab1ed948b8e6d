"""Publications on a real PostgreSQL: the contract of every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contract_publications import *  # noqa: F403 -- the tests every engine must pass
from contract_signed_publications import *  # noqa: F403 -- as above
from evidence_samples import Log

if TYPE_CHECKING:
    from pathlib import Path

    from slagboom_server.store_sql import SqlStore


@pytest.fixture
def database_url(postgresql_url: str) -> str:
    return postgresql_url


@pytest.fixture
def log(store: SqlStore, postgresql_url: str, tmp_path: Path) -> Log:
    return Log(postgresql_url, tmp_path / "keys", store)
