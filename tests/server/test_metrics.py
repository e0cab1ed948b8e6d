"""Figures for Prometheus: right, with units, with bounded labels, about nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx2
import pytest
from event_loop import in_loop
from kit_samples import ADDRESS, ORIGIN, USER_AGENT, dump, make_body, make_kit
from prometheus_client.parser import text_string_to_metric_families

from slagboom_server.app import build_app, measured
from slagboom_server.health import Health
from slagboom_server.metrics import Metrics
from slagboom_server.metrics_app import build_metrics, register_gauges
from slagboom_server.rate_limit import RateLimiter
from slagboom_server.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from slagboom_server.kit import Kit
    from slagboom_server.store_sql import SqlStore

URL = "/s/acme/decisions"


@pytest.fixture
def watched(policies: Path, store: SqlStore) -> Iterator[Kit]:
    metrics = Metrics()
    with Writer(store, observe=metrics.observe_commit) as writer:
        kit = make_kit(policies, store, writer)
        kit.metrics = metrics
        register_gauges(kit, store.evidence)
        yield kit


def send(kit: Kit, *requests: tuple[str, str, bytes]) -> list[Any]:
    """Answers to requests, one after the other. Each: method, path, body."""

    async def send_all() -> list[Any]:
        transport = httpx2.ASGITransport(measured(build_app(kit), kit), client=(ADDRESS, 4711))
        headers = {"Origin": ORIGIN, "User-Agent": USER_AGENT}
        async with httpx2.AsyncClient(
            transport=transport, base_url="https://kit.acme.example", headers=headers
        ) as client:
            return [
                await client.request(method, path, content=body) for method, path, body in requests
            ]

    return in_loop(send_all())


def read(kit: Kit) -> tuple[str, dict[tuple[str, ...], float]]:
    """The figures as told, and each by its name and its labels' values, by the labels' names."""

    async def ask() -> str:
        app = build_metrics(kit, Health({"log": lambda: None, "disk": lambda: "nearly full"}))
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://kit") as client:
            answer = await client.get("/metrics")
            assert answer.headers["content-type"].startswith("text/plain")
            return answer.text

    text = in_loop(ask())
    samples = [
        sample for family in text_string_to_metric_families(text) for sample in family.samples
    ]
    return text, {(sample.name, *sample.labels.values()): sample.value for sample in samples}


def test_each_decision_counts_once_by_what_became_of_it(watched: Kit) -> None:
    body = make_body(watched)
    refused = {**make_body(watched, 2), "action": "reject_all"}
    conflict = {**body, "language": "nl", "layer": "second"}
    answers = send(
        watched,
        *(("POST", URL, dump(each)) for each in (body, body, refused, conflict)),
        ("POST", URL, b"{"),
    )
    _, figures = read(watched)

    assert [answer.status_code for answer in answers] == [201, 200, 422, 409, 400]
    counted = "slagboom_decisions_total"
    assert figures[counted, "accept_all", "stored", "acme"] == 1
    assert figures[counted, "accept_all", "repeated", "acme"] == 1
    assert figures[counted, "reject_all", "rejected", "acme"] == 1
    assert figures[counted, "accept_all", "conflict", "acme"] == 1
    assert figures[counted, "unknown", "rejected", "acme"] == 1
    assert sum(value for name, value in figures.items() if name[0] == counted) == 5


def test_commits_and_requests_are_timed_in_seconds(watched: Kit) -> None:
    send(
        watched,
        *(("POST", URL, dump(make_body(watched, number))) for number in (1, 2, 3)),
        ("GET", "/s/acme/gate.js", b""),
    )
    _, figures = read(watched)

    post = "slagboom_request_seconds_count", "POST", "/s/{site}/decisions", "201"
    gate = "slagboom_request_seconds_count", "GET", "/s/{site}/gate.js", "200"
    assert (figures[post], figures[gate]) == (3, 1)
    assert figures["slagboom_commit_seconds_count",] == 3
    assert 0 < figures["slagboom_commit_seconds_sum",] < 60
    assert figures["slagboom_group_decisions_sum",] == 3
    assert figures["slagboom_queue_decisions",] == 0
    assert figures["slagboom_database_bytes",] > 4096
    assert figures["slagboom_ready", "log"] == 1
    assert figures["slagboom_ready", "disk"] == 0


def test_the_age_of_the_newest_checkpoint_is_not_known_before_there_is_one(watched: Kit) -> None:
    _, figures = read(watched)

    assert str(figures["slagboom_checkpoint_age_seconds",]) == "nan"


def test_no_request_can_make_a_new_label_or_leave_a_trace_of_itself(watched: Kit) -> None:
    send(
        watched,
        *(("GET", f"/s/acme/no-such-{number}", b"") for number in range(20)),
        *(("GET", f"/s/no-such-{number}/gate.js", b"") for number in range(20)),
        *((f"M{number}", "/nowhere", b"") for number in range(20)),
        ("POST", "/s/no-such/decisions", b"{}"),
        ("GET", "/s/acme/records/5a1ecafe-0000-4000-8000-000000000001", b""),
    )
    text, figures = read(watched)

    counts = [name for name in figures if name[0] == "slagboom_request_seconds_count"]
    assert len(counts) <= 6, counts
    for secret in ("no-such", "M1", "5a1ecafe", ADDRESS, "203.0.113", "Mozilla", "Firefox"):
        assert secret not in text


def test_every_figure_has_its_unit_in_its_name_and_says_what_it_is(watched: Kit) -> None:
    send(watched, ("POST", URL, dump(make_body(watched))))
    text, _ = read(watched)
    families = list(text_string_to_metric_families(text))

    for family in families:
        assert family.name.startswith("slagboom_")
        assert family.documentation.endswith(".")
        if family.type == "histogram":
            assert family.name.endswith(("_seconds", "_decisions"))


def test_too_many_of_one_network_are_asked_to_come_back_and_nobody_else_is(watched: Kit) -> None:
    watched.limiter = RateLimiter(2, bytes(32), lambda: 1000.0)
    bodies = [dump(make_body(watched, number)) for number in (1, 2, 3)]
    first = send(watched, *(("POST", URL, body) for body in bodies))
    notice = make_body(watched)["notice"].encode()
    shown = send(watched, *(("POST", "/s/acme/shown", notice) for _ in range(3)))
    gate = send(watched, ("GET", "/s/acme/gate.js", b""))
    _, figures = read(watched)

    assert [answer.status_code for answer in first] == [201, 201, 429]
    assert [answer.status_code for answer in shown] == [204, 204, 429]
    assert gate[0].status_code == 200
    for answer in (first[2], shown[2]):
        assert answer.headers["retry-after"] == "30"
        # Without it the page could not tell this from a broken connection.
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["content-type"] == "application/problem+json"
        assert "set-cookie" not in answer.headers
    assert figures["slagboom_rate_limited_total", "decisions", "acme"] == 1
    assert figures["slagboom_rate_limited_total", "shown", "acme"] == 1
    assert figures["slagboom_decisions_total", "unknown", "limited", "acme"] == 1
    assert figures["slagboom_rate_limit_passed",] == 0
    assert not watched.store.records_of(UUID(make_body(watched, 3)["consent_id"]))
