"""docs/high-availability.md run for real: machines die under load, nothing acknowledged is lost.

The tests share one cluster and one log; each leaves the log longer than it found it.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest
from load import Visitors, make_decision, send
from programs import wait_until
from server_process import list_records, make_body, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cluster import Cluster
    from server_process import Server

STANDBYS = "SHOW synchronous_standby_names"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def require_whole_log(node: Server, visitors: Visitors) -> None:
    """Every acknowledged decision is in the log, none is there twice, and the evidence holds."""
    stored = [record["decision_id"] for record in list_records(node)]
    verified = run("log", "verify", "--database", node.database, "--processes", 1)

    assert len(visitors.acknowledged) > 500
    assert set(visitors.acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))
    assert verified.returncode == 0, verified.stdout + verified.stderr


def require_honest_refusals(visitors: Visitors) -> None:
    """Whoever was not acknowledged was asked to come again."""
    assert {answer.status for answer in visitors.refused} <= {503}
    assert all(answer.retry_after for answer in visitors.refused)


def tell(what: str, seconds: float) -> None:
    print(f"{what}: {seconds:.1f} s without an acknowledgement")  # noqa: T201 -- what is measured


def test_the_primarys_machine_dies_then_a_kit_node_and_nothing_acknowledged_is_lost(
    cluster: Cluster, nodes: Sequence[Server]
) -> None:
    first, second = nodes
    old, _ = cluster.names_by_role()
    with Visitors(nodes, 1 << 20) as visitors:
        visitors.wait_for(300)
        died = time.monotonic()
        cluster.kill_machine(old)
        wait_until("the other is primary", lambda: cluster.primary() not in {None, old})
        visitors.wait_for(300)
        tell("PostgreSQL's primary machine lost", visitors.longest_pause(died))

        cluster.start_machine(old)
        wait_until("the old primary is a standby", cluster.is_whole)
        assert cluster.roles()[old] == "sync_standby"

        died = time.monotonic()
        first.process.kill()
        cluster.kill_machine("kit1")
        visitors.wait_for(300)
        tell("a kit machine lost", visitors.longest_pause(died))

    assert visitors.refused
    require_honest_refusals(visitors)
    require_whole_log(second, visitors)


@pytest.mark.parametrize("is_patroni_there", [True, False])
def test_postgresql_crashes_and_the_service_comes_back_by_itself(
    cluster: Cluster, nodes: Sequence[Server], *, is_patroni_there: bool
) -> None:
    primary, _ = cluster.names_by_role()
    with Visitors(nodes, (2 + 4 * is_patroni_there) << 20) as visitors:
        visitors.wait_for(300)
        died = time.monotonic()
        if not is_patroni_there:
            cluster.kill(primary, "patroni")
        cluster.kill_postgresql(primary)
        # Its system starts Patroni again at once.
        cluster.start_machine(primary)
        visitors.wait_for(300)
        what = "PostgreSQL" if is_patroni_there else "Patroni with PostgreSQL"
        tell(f"{what} crashed, the machine lives", visitors.longest_pause(died))

    require_honest_refusals(visitors)
    require_whole_log(nodes[0], visitors)


def test_without_its_standby_the_primary_goes_on_alone_and_waits_for_it_again_later(
    cluster: Cluster, nodes: Sequence[Server]
) -> None:
    primary, standby = cluster.names_by_role()
    with Visitors(nodes, 3 << 20) as visitors:
        visitors.wait_for(300)
        died = time.monotonic()
        cluster.kill_machine(standby)
        wait_until("it is alone", lambda: not cluster.ask(primary, STANDBYS))
        visitors.wait_for(300)
        tell("the standby's machine lost", visitors.longest_pause(died))
        cluster.start_machine(standby)
        wait_until("the standby is back", cluster.is_whole)
        assert cluster.ask(primary, STANDBYS) == standby

    require_honest_refusals(visitors)
    require_whole_log(nodes[0], visitors)


@pytest.fixture
def strict(cluster: Cluster) -> Iterator[None]:
    cluster.configure("synchronous_mode_strict", "true")
    yield
    cluster.mend()
    cluster.configure("synchronous_mode_strict", "false")


@pytest.mark.usefixtures("strict")
def test_where_it_is_strict_nothing_is_acknowledged_without_the_standby(
    cluster: Cluster, nodes: Sequence[Server]
) -> None:
    primary, standby = cluster.names_by_role()
    decision = make_decision(make_body(nodes[0], 1), 4 << 20)
    cluster.kill_machine(standby)
    wait_until("it knows", lambda: cluster.ask(primary, STANDBYS) == "*")

    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda node: send(node, decision, 1), [*nodes, *nodes]))
    for answer in answers:
        assert answer is not None
        assert (answer.status, answer.retry_after) == (503, "30")

    cluster.start_machine(standby)
    wait_until("the standby is back", cluster.is_whole)
    again = send(nodes[1], decision, 1)
    assert again is not None
    # What had waited is stored by now: the same decision is known.
    assert again.status == 200
    stored = [record["decision_id"] for record in list_records(nodes[0])]
    assert stored.count(decision["decision_id"]) == 1


def test_an_old_primary_without_patroni_acknowledges_nothing(
    cluster: Cluster, nodes: Sequence[Server]
) -> None:
    old, standby = cluster.names_by_role()
    acknowledged = threading.Event()

    def write_behind_everybodys_back() -> None:
        with cluster.connect(old, "postgres", "postgres") as connection:
            connection.execute("CREATE TABLE lost (decision int)")
            acknowledged.set()

    with Visitors(nodes, 5 << 20) as visitors:
        visitors.wait_for(300)
        died = time.monotonic()
        cluster.kill(old, "patroni")
        wait_until("the other is primary", lambda: cluster.primary() == standby)
        visitors.wait_for(300)
        tell("Patroni lost for good, PostgreSQL there", visitors.longest_pause(died))

        assert cluster.ask(old, "SELECT NOT pg_is_in_recovery()")
        with ThreadPoolExecutor() as pool:
            writing = pool.submit(write_behind_everybodys_back)
            wait_until(
                "its commit waits for a standby that has left",
                lambda: cluster.ask(old, WAITING),
            )
            # As docs/ha/patroni-service.conf has it: Patroni would let go of whom it finds waiting.
            cluster.kill_postgresql(old)
            cluster.start_machine(old)
            wait_until("the old primary is a standby", cluster.is_whole)
            with pytest.raises(psycopg.OperationalError):
                writing.result()
        assert not acknowledged.is_set()
        assert cluster.ask(old, "SELECT to_regclass('lost') IS NULL")

    require_honest_refusals(visitors)
    require_whole_log(nodes[0], visitors)
