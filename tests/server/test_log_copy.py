"""The log moved between databases: all of it, at any time, and never onto another one."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from evidence_samples import Log, open_log
from log_samples import DOCUMENT, NOON, consent_id, decision_id, make_offer, make_record
from server_process import Visitors, run, serving
from sqlalchemy import delete, insert, select

from slagboom_banner.errors import SlagboomError
from slagboom_server.chain import Reason
from slagboom_server.engine import open_engine, parse_url, reading, writing
from slagboom_server.held import release_decisions
from slagboom_server.log_copy import WHOLE, LogCopy
from slagboom_server.migration import migrate
from slagboom_server.schema import (
    chains,
    checkpoints,
    daily_counts,
    detailed_counts,
    erasures,
    holds,
    metadata,
    records,
    sites,
    spent_tokens,
    timestamps,
    tombstones,
)
from slagboom_server.store import Filter
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from postgresql_server import Server
    from sqlalchemy import Connection, Engine

COPIER = Path(__file__).with_name("kill_copier.py")
OFFERS = [make_offer("dsoft", 1), make_offer("kresoft", 2, language="fr")]


@pytest.fixture
def database(tmp_path: Path, postgresql: Server) -> Iterator[Callable[[str], str]]:
    """Makes an empty, migrated database of an engine; gives its address."""
    with ExitStack() as stack:

        def make(engine: str) -> str:
            if engine == "postgresql":
                url: str = stack.enter_context(postgresql.database())
            else:
                url = f"sqlite:///{tmp_path / f'{len(list(tmp_path.iterdir()))}.db'}"
            migrate(url)
            return url

        yield make


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = open_engine(parse_url(url))
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def changing(url: str) -> Iterator[Connection]:
    with opened(url) as engine, writing(engine) as connection:
        yield connection


def fill(url: str, *numbers: int, languages: int = 2) -> None:
    """Decisions of two sites; each call is another process, with a chain of its own if it can."""
    with closing(open_store(url)) as store:
        for offer in OFFERS[:languages]:
            store.remember_notice(offer, DOCUMENT, NOON)
        for start in range(0, len(numbers), 500):
            part = numbers[start : start + 500]
            store.append([make_record(n, OFFERS[n % languages]) for n in part])


def erase(url: str, number: int) -> None:
    """As the rights of a visitor do; here with any leaf."""
    with changing(url) as connection:
        key = decision_id(number).bytes
        row = connection.execute(select(records).where(records.c.decision_id == key)).one()
        gone = {"seq": row.seq, "leaf": b"l" * 32, "hash": row.hash, "erased_at": 1, "reason": 1}
        connection.execute(insert(tombstones).values(gone))
        connection.execute(delete(records).where(records.c.seq == row.seq))
        release_decisions(connection, [key])


def copy(source: str, target: str) -> int:
    """How many records one run copies."""
    steps: list[int] = []
    with opened(source) as here, opened(target) as there:
        work = LogCopy(here, there)
        plan = work.plan()
        work.run(plan, steps.append)
    assert sum(steps) == plan.missing
    return plan.missing


def count(url: str) -> int:
    """How long the first chain is."""
    with opened(url) as engine, reading(engine) as connection:
        return connection.scalar(select(chains.c.length)) or 0


def content(url: str) -> dict[str, Any]:
    """Everything a log says and everything that proves it, whatever the ids are."""
    with closing(open_store(url)) as store:
        kept = list(store.page(Filter(), limit=100_000))
        shown = {(o.site, o.digest): store.notice(o.site, o.digest) for o in store.offers()}
    evidence = {}
    with opened(url) as engine, reading(engine) as connection:
        sealed = select(records.c.seq, records.c.salt, records.c.hash)
        evidence["sealed"] = connection.execute(sealed.order_by(records.c.seq)).all()
        lengths = (chains.c.number, chains.c.uid, chains.c.started_at, chains.c.length)
        evidence["chains"] = connection.execute(select(*lengths, chains.c.head)).all()
        for table in (tombstones, erasures, checkpoints, timestamps, holds, spent_tokens):
            evidence[table.name] = connection.execute(select(table)).all()
        for table in (daily_counts, detailed_counts):
            counts = [column for column in table.c if column.name != "site_id"]
            by_site = select(sites.c.name, *counts).join(sites, sites.c.id == table.c.site_id)
            evidence[table.name] = connection.execute(by_site).all()
    return {"records": kept, "notices": shown} | {n: set(rows) for n, rows in evidence.items()}


@pytest.mark.parametrize(
    ("here", "there"),
    [("sqlite", "postgresql"), ("postgresql", "sqlite"), ("sqlite", "sqlite")],
)
def test_a_copy_says_and_proves_the_same(
    database: Callable[[str], str], here: str, there: str
) -> None:
    source, target = database(here), database(there)
    fill(source, *range(30))
    fill(source, *range(30, 40))
    erase(source, 7)
    with changing(source) as connection:
        checkpoint = {"number": 1, "made_at": 5, "digest": b"d" * 32, "text": "signed"}
        connection.execute(insert(checkpoints).values(checkpoint))
        stamp = {"checkpoint": 1, "stamped_at": 6, "authority": "https://tsa", "token": b"t"}
        connection.execute(insert(timestamps).values(stamp))
        hold = {"number": 1, "filter": "{}", "reason": "a case in court", "made_at": 7}
        connection.execute(insert(holds).values(hold))
        spent = {"digest": bytes(20), "expires_at": 8}
        connection.execute(insert(spent_tokens).values(spent))

    copied = copy(source, target)

    assert copied == 40
    assert content(target) == content(source)
    assert copy(source, target) == 0


def test_every_table_of_the_schema_is_copied() -> None:
    named = {"sites", "notices", "origins", "clients"}
    grown = {"records", "tombstones", "chains", "checkpoints", "timestamps"}

    assert set(metadata.tables) == named | grown | {table.name for table in WHOLE}


def test_a_copy_goes_there_and_back(database: Callable[[str], str]) -> None:
    first, middle, last = database("sqlite"), database("postgresql"), database("sqlite")
    fill(first, *range(25))

    copy(first, middle)
    fill(middle, *range(25, 45))
    copy(middle, last)

    assert content(last) == content(middle)
    assert len(content(last)["records"]) == 45


def test_a_second_run_brings_what_was_stored_and_erased_since(
    database: Callable[[str], str],
) -> None:
    source, target = database("sqlite"), database("postgresql")
    fill(source, *range(20), languages=1)
    copy(source, target)
    fill(source, *range(20, 30))
    erase(source, 3)
    erase(source, 25)

    copied = copy(source, target)

    assert copied == 10
    assert content(target) == content(source)


def test_a_copy_can_be_served_and_then_takes_no_more(database: Callable[[str], str]) -> None:
    source, target = database("sqlite"), database("postgresql")
    fill(source, *range(10))
    copy(source, target)

    fill(target, 3, 99)

    assert len(content(target)["records"]) == 11
    with pytest.raises(SlagboomError, match="has records that the source has not") as error:
        copy(source, target)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("there", ["sqlite", "postgresql"])
def test_a_target_with_another_log_is_left_alone(
    database: Callable[[str], str], there: str
) -> None:
    source, target = database("sqlite"), database(there)
    fill(source, *range(10))
    fill(target, *range(50, 55))
    before = content(target)

    with pytest.raises(SlagboomError, match="holds another log; give an empty database"):
        copy(source, target)

    assert content(target) == before


@pytest.mark.parametrize(("here", "there"), [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_a_copy_proves_what_was_erased_before_it_and_between_its_runs(
    database: Callable[[str], str], tmp_path: Path, here: str, there: str
) -> None:
    source, target = database(here), database(there)
    log = open_log(source, tmp_path / "keys")
    log.store.retention.erase(consent_id(7), Reason.VISITOR, NOON)
    log.checkpoint(5)
    copy(source, target)
    log.store.retention.erase(consent_id(9), Reason.DPO, NOON)
    log.store.retention.erase(consent_id(3), Reason.DPO, NOON)
    log.checkpoint(6)
    copy(source, target)
    kept = log.copies()
    log.store.close()

    with closing(open_store(target)) as store:
        moved = Log(target, log.folder, store)
        assert moved.verify(*kept).is_good
        store.retention.erase(consent_id(4), Reason.DPO, NOON)
        moved.checkpoint(7)
        assert moved.verify(*moved.copies()).is_good


def test_a_source_that_lacks_a_record_is_not_copied_as_if_it_did_not(
    database: Callable[[str], str],
) -> None:
    source, target = database("sqlite"), database("sqlite")
    fill(source, *range(10))
    with changing(source) as connection:
        connection.execute(delete(records).where(records.c.seq == 5))

    with pytest.raises(SlagboomError, match="lacks a record between positions 1 and 10"):
        copy(source, target)


@pytest.mark.parametrize(("here", "there"), [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_a_copy_that_was_killed_goes_on_where_it_stopped(
    database: Callable[[str], str], here: str, there: str
) -> None:
    source, target = database(here), database(there)
    # Three steps.
    fill(source, *range(5_000))

    command = [sys.executable, COPIER, source, target]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.kill()
    length = count(target)
    ended = run("log", "copy", source, target)

    assert said == b"step\n"
    assert 0 < length < 5_000
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == f"{5_000 - length:,} records copied\n"
    assert content(target) == content(source)


def test_a_log_moves_while_it_is_served(
    policies: Path, tmp_path: Path, database: Callable[[str], str]
) -> None:
    target = database("postgresql")
    with serving(policies, tmp_path) as server:
        with Visitors(server, lanes=2) as visitors:
            visitors.wait_for(20)
            first = run("log", "copy", server.database, target)
            visitors.wait_for(5)
        server.stop()
        second = run("log", "copy", server.database, target)
        kept = content(target)
        keys = ("--keys", tmp_path / "slagboom-keys")
        verified = run("log", "verify", "--database", target, *keys)

        assert verified.returncode == 0, verified.stdout + verified.stderr
        assert first.returncode == second.returncode == 0, first.stderr + second.stderr
        assert kept == content(server.database)
    assert visitors.acknowledged <= {str(record.decision_id) for record in kept["records"]}


def test_the_command_says_what_is_wrong_in_one_line(database: Callable[[str], str]) -> None:
    source, target = database("sqlite"), database("sqlite")
    fill(source, 1)
    fill(target, 2)

    ended = run("log", "copy", source, target)

    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert "holds another log" in ended.stderr
