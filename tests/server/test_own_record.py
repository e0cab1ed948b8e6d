"""A visitor erases their own records, and a browser counts a first layer without saying who."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from kit_samples import ADDRESS, NOON, ORIGIN, OTHER_ORIGIN, USER_AGENT, dump, make_body
from starlette.testclient import TestClient

from slagboom_server.app import build_app
from slagboom_server.rate_limit import RateLimiter
from slagboom_server.rollup import Dimension
from slagboom_server.store import Filter

if TYPE_CHECKING:
    from slagboom_server.kit import Kit

FROM_SITE = {"Origin": ORIGIN, "User-Agent": USER_AGENT}


@pytest.fixture
def client(kit: Kit) -> TestClient:
    return TestClient(build_app(kit), base_url="https://kit.acme.example", client=(ADDRESS, 4711))


@pytest.fixture
def body(kit: Kit, client: TestClient) -> dict[str, Any]:
    """A decision that is in the log."""
    sent = make_body(kit)
    assert client.post("/s/acme/decisions", content=dump(sent), headers=FROM_SITE).is_success
    return sent


def test_a_visitor_erases_their_own_records(
    kit: Kit, client: TestClient, body: dict[str, Any]
) -> None:
    other = make_body(kit, 2)
    client.post("/s/acme/decisions", content=dump(other), headers=FROM_SITE)
    path = f"/s/acme/records/{body['consent_id']}"

    erased = client.delete(path, headers=FROM_SITE)

    assert (erased.status_code, erased.json()) == (200, {"erased": 1})
    assert erased.headers["cache-control"] == "no-store"
    assert "set-cookie" not in erased.headers
    assert client.get(path, headers=FROM_SITE).status_code == 404
    assert client.delete(path, headers=FROM_SITE).status_code == 404
    assert client.get(f"/s/acme/records/{other['consent_id']}").status_code == 200


def test_one_site_erases_nothing_of_another(
    kit: Kit, client: TestClient, body: dict[str, Any]
) -> None:
    path = f"/s/other/records/{body['consent_id']}"

    assert client.delete(path, headers={"Origin": OTHER_ORIGIN}).status_code == 404

    assert kit.store.count(Filter()) == 1


@pytest.mark.parametrize(
    ("path", "origin", "status"),
    [
        ("/s/acme/records/5a1ecafe-0000-4000-8000-000000000099", ORIGIN, 404),
        ("/s/acme/records/no-number", ORIGIN, 404),
        ("/s/acme/records/5a1ecafe-0000-4000-8000-000000000001", OTHER_ORIGIN, 403),
        ("/s/acme/records/5a1ecafe-0000-4000-8000-000000000001", "null", 403),
        ("/s/nowhere/records/5a1ecafe-0000-4000-8000-000000000001", ORIGIN, 404),
    ],
)
@pytest.mark.usefixtures("body")
def test_what_cannot_be_erased_is_a_problem(
    kit: Kit, client: TestClient, path: str, origin: str, status: int
) -> None:
    answer = client.delete(path, headers={"Origin": origin})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert kit.store.count(Filter()) == 1


def test_a_held_record_stays_and_the_visitor_is_not_told_why(
    kit: Kit, client: TestClient, body: dict[str, Any]
) -> None:
    kit.store.retention.add_hold(Filter(site="acme"), "fraud, case 2026/17", NOON)

    answer = client.delete(f"/s/acme/records/{body['consent_id']}", headers=FROM_SITE)

    assert answer.status_code == 409
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    for detail in ("fraud", "2026/17", "hold"):
        assert detail not in answer.text
    assert kit.store.count(Filter()) == 1


def test_a_page_on_another_host_may_ask_to_erase(client: TestClient) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "DELETE"}

    allowed = client.options("/s/acme/records/any", headers=asked)
    refused = client.options("/s/acme/records/any", headers={**asked, "Origin": OTHER_ORIGIN})

    assert allowed.status_code == 204
    assert "DELETE" in allowed.headers["access-control-allow-methods"]
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers


def test_a_network_reads_and_erases_records_only_so_often_and_is_told_when_again(
    kit: Kit, client: TestClient, body: dict[str, Any]
) -> None:
    kit.limiter = RateLimiter(20, bytes(32), lambda: 0.0)
    path = f"/s/acme/records/{body['consent_id']}"

    read = client.get(path, headers=FROM_SITE)
    guessed = client.delete("/s/acme/records/no-number", headers=FROM_SITE)
    refused = [client.request(method, path, headers=FROM_SITE) for method in ("GET", "DELETE")]
    other = make_body(kit, 2)
    decided = client.post("/s/acme/decisions", content=dump(other), headers=FROM_SITE)

    assert (read.status_code, guessed.status_code) == (200, 404)
    for answer in refused:
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "30"
        assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert decided.status_code == 201
    assert kit.store.count(Filter()) == 2, "nothing was erased"
    figures = kit.metrics.tell().decode()
    assert 'slagboom_rate_limited_total{kind="records",site="acme"} 2.0' in figures


def test_a_full_table_keeps_nobody_from_their_record(
    kit: Kit, client: TestClient, body: dict[str, Any]
) -> None:
    kit.limiter = RateLimiter(1, bytes(32), lambda: 0.0, max_networks=0)

    for _ in range(3):
        assert client.get(f"/s/acme/records/{body['consent_id']}").status_code == 200
    assert kit.limiter.let_pass == 3


def test_a_network_reads_notices_only_so_often(kit: Kit, client: TestClient) -> None:
    kit.limiter = RateLimiter(2, bytes(32), lambda: 0.0)

    answers = [client.get(f"/s/acme/notices/{digest_of(kit)}") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["access-control-allow-origin"] == "*"


def digest_of(kit: Kit) -> str:
    return kit.sites["acme"].bundle.notices["nl"].digest


def test_a_first_layer_is_counted_and_nothing_is_set(kit: Kit, client: TestClient) -> None:
    cookie = "slagboom=anything"
    for _ in range(3):
        answer = client.post(
            "/s/acme/shown",
            content=digest_of(kit),
            headers={**FROM_SITE, "Cookie": cookie, "Content-Type": "text/plain"},
        )
        assert (answer.status_code, answer.content) == (204, b"")
        assert "set-cookie" not in answer.headers
    kit.writer.close()

    lines = kit.store.rollups.read(tuple(Dimension))
    assert {(*line.place, line.shown, line.decisions) for line in lines} == {
        ("acme", "2026-11-21", purpose, 2, "nl", "", "computer", 3, 0)
        for purpose in ("statistics", "contact")
    }
    assert kit.store.count(Filter()) == 0


@pytest.mark.parametrize(
    ("content", "origin", "status"),
    [
        ("f" * 64, ORIGIN, 422),
        ("", ORIGIN, 422),
        ("ä" * 64, ORIGIN, 422),
        ("A" * 9000, ORIGIN, 413),
        (None, OTHER_ORIGIN, 403),
    ],
)
def test_what_no_gate_sends_is_not_counted(
    kit: Kit, client: TestClient, content: str | None, origin: str, status: int
) -> None:
    sent = (digest_of(kit) if content is None else content).encode()

    answer = client.post("/s/acme/shown", content=sent, headers={"Origin": origin})

    assert answer.status_code == status
    kit.writer.close()
    assert kit.store.rollups.read(()) == []
