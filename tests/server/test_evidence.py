from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contract_evidence import *  # noqa: F403 -- the attacks every engine must show
from evidence_samples import Log, open_log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def log(database_url: str, tmp_path: Path) -> Iterator[Log]:
    opened = open_log(database_url, tmp_path / "keys")
    yield opened
    opened.store.close()
