"""Several processes on one port, and several servers on one log: killed, reloaded, stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from typing import TYPE_CHECKING

import pytest
from kit_samples import copy_policies, edit
from ports import find_port
from server_process import SECONDS, Visitors, list_records, make_body, run, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postgresql_server import Server as PostgresqlServer


@pytest.fixture(params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path: Path, postgresql: PostgresqlServer
) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'slagboom.db'}"
    else:
        with postgresql.database() as address:
            yield address


def exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_killed_worker_is_replaced_and_loses_nothing_it_acknowledged(
    policies: Path, tmp_path: Path, database: str
) -> None:
    with serving(policies, tmp_path, database, workers=3) as server:
        first = server.workers
        with Visitors(server) as visitors:
            for times, killed in enumerate(first, 1):
                visitors.wait_for(30)
                os.kill(killed, signal.SIGKILL)
                server.wait_for_times("a worker ended (SIGKILL); it is replaced", times)
            visitors.wait_for(30)
        second = server.workers
        code = server.stop()
        stored = {record["decision_id"] for record in list_records(server)}

    assert len(first) == len(second) == 3
    assert not set(first) & set(second)
    assert len(visitors.acknowledged) >= 120
    assert visitors.acknowledged <= stored
    assert code == 0
    assert "Traceback" not in server.said


def test_every_worker_reads_the_new_policies(policies: Path, tmp_path: Path) -> None:
    with serving(policies, tmp_path, workers=2) as server:
        edit(policies / "acme.yaml", "accept: Aanvaarden", "accept: Toestaan")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_times("policies reloaded", 2)
        gates = {server.open("/s/acme/gate.js")[1] for _ in range(20)}

    assert len(gates) == 1
    assert b"Toestaan" in gates.pop()


def test_a_worker_replaced_beside_wrong_policies_serves_those_in_force(
    policies: Path, tmp_path: Path
) -> None:
    with serving(policies, tmp_path, workers=2) as server:
        before = server.open("/s/acme/gate.js")
        edit(policies / "acme.yaml", "consent_lifetime_days: 182", "consent_lifetime_days: 999")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("the earlier ones stay in force")
        for process in server.workers:
            os.kill(process, signal.SIGKILL)
        server.wait_for_times("it is replaced", 2)
        gates = {server.open("/s/acme/gate.js") for _ in range(20)}

    assert gates == {before}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_every_worker_and_frees_the_port(
    policies: Path, tmp_path: Path, number: signal.Signals
) -> None:
    with serving(policies, tmp_path, workers=2) as server:
        workers = server.workers
        code = server.stop(number)
        with socket.create_server(("127.0.0.1", server.port)):
            left = [process for process in workers if exists(process)]

    assert code == 0
    assert len(workers) == 2
    assert left == []
    assert "Traceback" not in server.said


def test_workers_whose_parent_was_killed_stop_by_themselves(policies: Path, tmp_path: Path) -> None:
    with serving(policies, tmp_path, workers=2) as server:
        workers = server.workers
        server.process.kill()
        # Its output ends once nobody holds it any more.
        server.wait_for_end()
        give_up = time.monotonic() + SECONDS
        while any(map(exists, workers)) and time.monotonic() < give_up:
            os.sched_yield()
        left = [process for process in workers if exists(process)]

    assert left == []


def test_what_stops_the_start_is_said_once(policies: Path, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'slagboom.db'}"
    arguments = ("--database", database, "--port", find_port(), "--workers", 3)
    edit(policies / "acme.yaml", "consent_lifetime_days: 182", "consent_lifetime_days: 999")

    ended = run("serve", "--policies", policies, *arguments)

    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert f"{policies / 'acme.yaml'}:36:24 consent_lifetime_days: " in ended.stderr


def test_two_servers_with_workers_do_not_share_a_port(policies: Path, tmp_path: Path) -> None:
    with serving(policies, tmp_path, workers=2) as server:
        database = f"sqlite:///{tmp_path / 'second.db'}"
        arguments = ("--database", database, "--port", server.port, "--workers", 2)
        ended = run("serve", "--policies", policies, *arguments)

    assert ended.returncode == 2
    assert "cannot listen there" in ended.stderr


def test_a_node_knows_the_notices_another_one_published_later(
    policies: Path, tmp_path: Path, postgresql: PostgresqlServer
) -> None:
    newer = copy_policies(tmp_path / "newer")
    edit(newer / "acme.yaml", "\nrevision: 2", "\nrevision: 3")
    change = "\nchanges:\n  - {revision: 3, date: 2026-11-21, what: {nl: Nieuw., en: New.}}"
    edit(newer / "acme.yaml", "\nchanges:", change)
    with (
        postgresql.database() as address,
        serving(policies, tmp_path, address) as old,
        serving(newer, tmp_path, address) as new,
    ):
        body = {**make_body(new, 1), "revision": 3}
        foreign = {**make_body(new, 2), "revision": 3, "notice": "f" * 64}

        accepted = old.open("/s/acme/decisions", json.dumps(body).encode())
        refused = old.open("/s/acme/decisions", json.dumps(foreign).encode())
        repeated = new.open("/s/acme/decisions", json.dumps(body).encode())
        [record] = list_records(new)

    assert (accepted[0], refused[0], repeated[0]) == (201, 422, 200)
    assert (record["revision"], record["notice"]) == (3, body["notice"])


def test_while_postgresql_is_gone_visitors_are_asked_to_come_back(
    policies: Path, tmp_path: Path, own_postgresql: PostgresqlServer
) -> None:
    with serving(policies, tmp_path, own_postgresql.url()) as server:
        bodies = [json.dumps(make_body(server, number)).encode() for number in (1, 2, 3)]
        before = server.open("/s/acme/decisions", bodies[0])
        own_postgresql.stop()
        gone = server.open("/s/acme/decisions", bodies[1])
        gate = server.open("/s/acme/gate.js")
        own_postgresql.start()
        back = server.open("/s/acme/decisions", bodies[1])
        own_postgresql.kill()
        own_postgresql.start()
        after = server.open("/s/acme/decisions", bodies[2])
        code = server.stop()
        stored = list_records(server)

    assert (before[0], gone[0], gate[0], back[0], after[0]) == (201, 503, 200, 201, 201)
    assert len(stored) == 3
    assert code == 0
    assert "not-to-be-printed" not in server.said
    assert "Traceback" not in server.said
