"""Purging beside a server that stores, and purging that is killed: the log stays whole."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import signal
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from contract_retention import check_chains, check_sums
from log_samples import DOCUMENT, make_offer, make_record
from server_process import SECONDS, Visitors, list_records, run, serving

from slagboom_server.migration import migrate
from slagboom_server.store import Filter
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from postgresql_server import Server as Postgresql

LONG_AGO = dt.datetime(2015, 5, 5, tzinfo=dt.UTC)
KILLER = Path(__file__).with_name("kill_purger.py")


def fill(url: str, records: int) -> None:
    """A site's decisions of many years ago."""
    migrate(url)
    document = {**DOCUMENT, "revision": 1}
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    offer = make_offer("acme", digest=hashlib.sha256(text.encode()).hexdigest())
    with closing(open_store(url)) as store:
        store.remember_notice(offer, document, LONG_AGO)
        for first in range(0, records, 500):
            store.append(
                [
                    make_record(n, offer, LONG_AGO + dt.timedelta(minutes=n))
                    for n in range(first, min(first + 500, records))
                ]
            )


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_purge_that_is_killed_leaves_a_whole_log_and_is_taken_up_again(
    engine: str, tmp_path: Path, postgresql: Postgresql
) -> None:
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path / 'slagboom.db'}"
        if engine == "postgresql":
            url = stack.enter_context(postgresql.database())
        fill(url, 2000)
        purger = subprocess.Popen(
            [sys.executable, str(KILLER), url], stdout=subprocess.PIPE, text=True
        )
        assert purger.stdout is not None
        with purger.stdout:
            for _ in range(3):
                assert purger.stdout.readline() == "step\n"
            purger.send_signal(signal.SIGKILL)
            assert "end" not in purger.stdout.read()
        purger.wait(SECONDS)

        with closing(open_store(url)) as store:
            left = store.count(Filter())
            assert 0 < left <= 1400
            assert check_chains(store) == 2000 - left
            check_sums(store)
        ended = subprocess.run(
            [sys.executable, str(KILLER), url], capture_output=True, timeout=SECONDS, check=True
        )
        assert ended.stdout.endswith(b"end\n")
        with closing(open_store(url)) as store:
            assert store.count(Filter()) == 0
            assert check_chains(store) == 2000
            check_sums(store)


def test_a_log_is_purged_while_it_stores_and_still_verifies(policies: Path, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'slagboom.db'}"
    fill(database, 1500)
    with serving(policies, tmp_path, database) as server:
        with Visitors(server) as visitors:
            report = run(
                *("log", "purge", "--database", database, "--policies", policies),
                # The visitors of this test were here long ago, and now are none yet.
                *("--site", "acme", "--format", "json", "--clock-is-right"),
            )
            visitors.wait_for(30)
        verified = run("log", "verify", "--database", database)
        stored = {record["decision_id"] for record in list_records(server)}

    assert report.returncode == 0, report.stderr
    assert json.loads(report.stdout)[0]["records"] == 1500
    assert stored == visitors.acknowledged
    assert verified.returncode == 0, verified.stdout
    assert "(1,500 erased)" in verified.stdout
    with closing(open_store(database)) as store:
        assert check_chains(store) == 1500
        check_sums(store)
