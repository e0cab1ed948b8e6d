"""HTTP for visitors: the scripts in their encodings, their own record, the notices once shown."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import brotli
import pytest
from kit_samples import (
    ADDRESS,
    NOON,
    ORIGIN,
    OTHER_ORIGIN,
    USER_AGENT,
    dump,
    edit,
    make_body,
    make_cookie,
    make_kit,
)
from starlette.testclient import TestClient

from slagboom_server.app import build_app
from slagboom_server.checkpointer import CheckpointMaker
from slagboom_server.receipt_check import check_receipt
from slagboom_server.receipts import Receipts
from slagboom_server.writer import Writer

if TYPE_CHECKING:
    from pathlib import Path

    from slagboom_server.kit import Kit

GATE = "/s/acme/gate.js"


def get(kit: Kit, path: str, **headers: str) -> Any:
    """The answer, its body as it came over the wire."""
    client = TestClient(build_app(kit), base_url="https://kit.acme.example", client=(ADDRESS, 4711))
    sent = {"Accept-Encoding": "identity", "User-Agent": USER_AGENT, **headers}
    with client.stream("GET", path, headers=sent) as answer:
        answer.raw_body = b"".join(answer.iter_raw())
    return answer


def check_problem(answer: Any, status: int) -> None:
    problem = json.loads(answer.raw_body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem.keys() == {"type", "title", "status", "detail"}
    assert problem["status"] == status
    assert problem["detail"]
    assert answer.headers["cache-control"] == "no-store"
    for private in (ADDRESS, "Mozilla", "private-mark"):
        assert private not in answer.raw_body.decode() + str(answer.headers)


def check_security(answer: Any) -> None:
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; frame-ancestors 'none'"
    )
    assert "server" not in answer.headers


def open_encoding(answer: Any) -> bytes:
    encoding = answer.headers.get("content-encoding", "identity")
    openers: dict[str, Any] = {"br": brotli.decompress, "gzip": gzip.decompress, "identity": bytes}
    opened: bytes = openers[encoding](answer.raw_body)
    return opened


def list_parts(kit: Kit, site: str = "acme") -> list[str]:
    return list(kit.sites[site].bundle.parts)


def test_the_gate_is_a_script_for_any_page(kit: Kit) -> None:
    answer = get(kit, GATE)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["cache-control"] == ("private, max-age=300, stale-while-revalidate=86400")
    assert "set-cookie" not in answer.headers
    # Readable from everywhere, as the parts are; but not with cookies.
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    check_security(answer)


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("GZIP", "gzip"),
        ("br;q=0.1, gzip;q=1", "br"),
        ("br;q=0, gzip", "gzip"),
        ("br; q=0.000, gzip;q=0", "identity"),
        ("brotli, x-gzip", "identity"),
        ("", "identity"),
    ],
)
def test_a_script_comes_in_an_encoding_the_browser_takes(
    kit: Kit, accepted: str, sent: str
) -> None:
    for path in (GATE, f"/s/acme/{list_parts(kit)[0]}"):
        plain = get(kit, path)
        answer = get(kit, path, **{"Accept-Encoding": accepted})

        assert answer.headers.get("content-encoding", "identity") == sent
        assert "Accept-Encoding" in answer.headers["vary"]
        assert open_encoding(answer) == plain.raw_body
        assert int(answer.headers["content-length"]) == len(answer.raw_body)


def test_an_unchanged_script_is_not_sent_again(kit: Kit) -> None:
    for path in (GATE, f"/s/acme/{list_parts(kit)[0]}"):
        first = get(kit, path, **{"Accept-Encoding": "br"})
        again = get(kit, path, **{"If-None-Match": f'"other", {first.headers["etag"]}'})
        other = get(kit, path, **{"If-None-Match": '"other"'})

        assert (again.status_code, again.raw_body) == (304, b"")
        for name in ("etag", "cache-control", "vary"):
            assert again.headers[name] == first.headers[name]
        assert other.status_code == 200


def test_one_tag_for_all_encodings_is_a_weak_one(kit: Kit) -> None:
    tags = {
        get(kit, GATE, **{"Accept-Encoding": name}).headers["etag"]
        for name in ("br", "gzip", "identity")
    }

    (tag,) = tags
    assert tag.startswith('W/"')


def test_a_changed_gate_has_another_tag(kit: Kit, policies: Path) -> None:
    before = get(kit, GATE).headers["etag"]
    edit(policies / "acme.yaml", "accept: Aanvaarden", "accept: Toestaan")
    kit.read()
    answer = get(kit, GATE, **{"If-None-Match": before})

    assert answer.status_code == 200
    assert answer.headers["etag"] != before


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("en-GB,en;q=0.9,nl;q=0.8", "en"),
        ("fr-FR, EN;q=0.5", "en"),
        ("nl-BE", "nl"),
        ("fr", "nl"),
        ("", "nl"),
        ("*", "nl"),
        ("xx" * 5000, "nl"),
    ],
)
def test_a_visitor_without_a_choice_gets_the_first_layer_with_the_gate(
    kit: Kit, wanted: str, language: str
) -> None:
    answer = get(kit, GATE, **{"Accept-Language": wanted})

    assert answer.raw_body == kit.sites["acme"].bundle.asking_gates[language]
    assert {"Accept-Language", "Cookie"} <= set(answer.headers["vary"].split(", "))


def test_a_visitor_with_a_choice_in_force_gets_the_gate_alone(kit: Kit) -> None:
    cookie = make_cookie(kit, make_body(kit))
    answer = get(kit, GATE, Cookie=f"_ga=1; slagboom={cookie}")

    assert answer.raw_body == kit.sites["acme"].bundle.gate


@pytest.mark.parametrize(
    "spoil",
    [
        lambda cookie: cookie[:-1],
        lambda cookie: cookie.replace(".11.", ".10."),
        lambda _: "1.2.3",
        lambda _: "",
        lambda _: "x" * 3000,
    ],
)
def test_a_broken_choice_is_asked_again(kit: Kit, spoil: Any) -> None:
    cookie = spoil(make_cookie(kit, make_body(kit)))
    answer = get(kit, GATE, Cookie=f"slagboom={cookie}")

    assert answer.raw_body == kit.sites["acme"].bundle.asking_gates["nl"]


def test_another_sites_choice_and_an_expired_one_are_asked_again(kit: Kit) -> None:
    foreign = make_cookie(kit, make_body(kit, site="other"), "other")
    expired = make_cookie(kit, make_body(kit, given_at="2026-05-01T12:00:00Z"))
    for cookie in (foreign, expired):
        answer = get(kit, GATE, Cookie=f"slagboom={cookie}")
        assert answer.raw_body == kit.sites["acme"].bundle.asking_gates["nl"]


def test_a_part_is_kept_for_ever(kit: Kit) -> None:
    for name in list_parts(kit):
        answer = get(kit, f"/s/acme/{name}")

        assert answer.status_code == 200
        assert answer.raw_body == kit.sites["acme"].bundle.parts[name]
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        check_security(answer)


def test_a_part_is_served_on_its_own_site_alone(kit: Kit) -> None:
    own = set(list_parts(kit)) - set(list_parts(kit, "other"))

    assert own
    for name in own:
        check_problem(get(kit, f"/s/other/{name}"), 404)


def test_an_older_part_stays_for_pages_that_hold_an_older_gate(kit: Kit, policies: Path) -> None:
    before = dict(kit.sites["acme"].bundle.parts)
    edit(policies / "acme.yaml", "accept: Aanvaarden", "accept: Toestaan")
    kit.read()

    assert not before.keys() & set(list_parts(kit))
    for name, body in before.items():
        answer = get(kit, f"/s/acme/{name}")
        assert (answer.status_code, answer.raw_body) == (200, body)


def test_a_page_that_outlives_its_server_gets_its_parts_from_the_next_one(
    kit: Kit, policies: Path
) -> None:
    before = dict(kit.sites["acme"].bundle.parts)
    edit(policies / "acme.yaml", "accept: Aanvaarden", "accept: Toestaan")
    with Writer(kit.store) as writer:
        following = make_kit(policies, kit.store, writer)

        assert not before.keys() & set(list_parts(following))
        for name, body in before.items():
            answer = get(following, f"/s/acme/{name}")
            assert (answer.status_code, answer.raw_body) == (200, body)
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        own = before.keys() - set(list_parts(following, "other"))
        check_problem(get(following, f"/s/other/{own.pop()}"), 404)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/s/",
        "/s/acme/",
        "/s/nobody/gate.js",
        "/s/private-mark/gate.js",
        "/s/acme/second-nl-private-mark.js",
        "/s/acme/second-nl-000000000000.js",
        "/s/acme/gate.js/",
        "/s/acme/gate.js/private-mark",
        "/s/acme/records/",
        "/s/acme/records/private-mark",
        "/s/acme/records/5a1ecafe-0000-4000-8000-000000000001",
        "/s/acme/notices/private-mark",
        "/s/acme/notices/" + "0" * 64,
        "/s/nobody/records/5a1ecafe-0000-4000-8000-000000000001",
        "/s/acme/../../etc/passwd",
        "/s/acme/%2e%2e%2fgate.js",
        "/docs",
        "/openapi.json",
    ],
)
def test_what_is_not_there_is_a_problem_document(kit: Kit, path: str) -> None:
    answer = get(kit, path)

    check_problem(answer, 404)
    check_security(answer)


@pytest.mark.parametrize("path", [GATE, "/health/live", "/s/acme/notices/" + "0" * 64])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_what_is_read_cannot_be_written(kit: Kit, path: str, method: str) -> None:
    client = TestClient(build_app(kit))
    answer = client.request(method, path, content=b"private-mark")

    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


def store_decision(kit: Kit, number: int = 1, site: str = "acme", **changes: Any) -> dict[str, Any]:
    body = make_body(kit, number, site, **changes)
    answer = TestClient(build_app(kit), client=(ADDRESS, 4711)).post(
        f"/s/{site}/decisions",
        content=dump(body),
        headers={
            "Origin": ORIGIN if site == "acme" else OTHER_ORIGIN,
            "User-Agent": USER_AGENT,
        },
    )
    assert answer.status_code == 201
    return body


def test_visitors_can_read_every_record_of_theirs_and_nobody_elses(kit: Kit) -> None:
    first = store_decision(kit, 1)
    store_decision(kit, 2)
    second = store_decision(
        kit,
        3,
        action="save",
        consent_id=first["consent_id"],
        previous=first["decision_id"],
        anonymise_ip=False,
    )
    answer = get(kit, f"/s/acme/records/{first['consent_id']}")
    shown = json.loads(answer.raw_body)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert shown["consent_id"] == first["consent_id"]
    assert shown["controller"] == "Acme nv"
    assert [record["decision_id"] for record in shown["records"]] == [
        first["decision_id"],
        second["decision_id"],
    ]
    assert shown["records"][0]["choices"] == first["choices"]
    assert shown["records"][0]["received_at"] == NOON.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert ADDRESS.encode() not in answer.raw_body
    assert b"Mozilla" not in answer.raw_body
    check_security(answer)


def test_each_record_comes_with_a_receipt_that_verifies(kit: Kit) -> None:
    body = store_decision(kit)

    shown = json.loads(get(kit, f"/s/acme/records/{body['consent_id']}").raw_body)

    [receipt] = shown["receipts"]
    verdict = check_receipt(receipt, frozenset())
    assert verdict.problems == []
    assert verdict.decision_id == body["decision_id"]
    assert receipt["sb:evidence"]["record"] == shown["records"][0]


def test_a_download_carries_the_newest_twenty_receipts(kit: Kit) -> None:
    visitor = "5a1ecafe-0000-4000-8000-00000000000a"
    bodies = [store_decision(kit, number, consent_id=visitor) for number in range(1, 23)]

    shown = json.loads(get(kit, f"/s/acme/records/{visitor}").raw_body)

    told = [receipt["sb:evidence"]["record"]["decision_id"] for receipt in shown["receipts"]]
    assert len(shown["records"]) == 22
    assert told == [body["decision_id"] for body in bodies[2:]]


def test_without_its_signing_key_a_visitor_still_reads_the_record(
    kit: Kit, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    body = store_decision(kit)
    CheckpointMaker(kit.store.evidence, tmp_path / "elsewhere").make(NOON)
    kit.receipts = Receipts(kit.store, tmp_path / "keys")

    shown = json.loads(get(kit, f"/s/acme/records/{body['consent_id']}").raw_body)

    assert len(shown["records"]) == 1
    assert shown["receipts"] == []
    assert "no receipt could be made" in caplog.text
    assert body["consent_id"] not in caplog.text


def test_a_record_is_shown_by_its_own_site_alone(kit: Kit) -> None:
    consent_id = "5a1ecafe-0000-4000-8000-00000000000a"
    store_decision(kit, 1, "other", consent_id=consent_id)

    assert get(kit, f"/s/other/records/{consent_id}").status_code == 200
    check_problem(get(kit, f"/s/acme/records/{consent_id}"), 404)

    store_decision(kit, 2, "acme", consent_id=consent_id)
    records = json.loads(get(kit, f"/s/acme/records/{consent_id}").raw_body)["records"]
    assert [record["site"] for record in records] == ["acme"]


def test_only_the_sites_own_pages_may_read_a_record_from_elsewhere(kit: Kit) -> None:
    body = store_decision(kit)
    path = f"/s/acme/records/{body['consent_id']}"
    own = get(kit, path, Origin=ORIGIN)
    foreign = get(kit, path, Origin=OTHER_ORIGIN)

    assert own.headers["access-control-allow-origin"] == ORIGIN
    assert own.headers["vary"] == "Origin"
    assert not [name for name in foreign.headers if name.startswith("access-control")]


def test_a_notice_once_published_can_be_read_for_ever(kit: Kit, policies: Path) -> None:
    digest = kit.sites["acme"].bundle.notices["nl"].digest
    document = kit.sites["acme"].bundle.notices["nl"].document
    edit(policies / "acme.yaml", "accept: Aanvaarden", "accept: Toestaan")
    kit.read()
    assert digest not in kit.sites["acme"].notices
    answer = get(kit, f"/s/acme/notices/{digest}")
    shown = json.loads(answer.raw_body)

    assert answer.status_code == 200
    assert shown["document"] == document
    assert shown["digest"] == digest
    assert shown["revision"] == 2
    assert shown["purposes"] == ["statistics", "contact"]
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    check_security(answer)
    check_problem(get(kit, f"/s/other/notices/{digest}"), 404)


def test_a_page_with_its_own_interface_reads_the_notice_from_the_kits_host(kit: Kit) -> None:
    digest = kit.sites["acme"].bundle.notices["nl"].digest
    answer = get(kit, f"/s/acme/notices/{digest}", Origin=ORIGIN)

    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


def test_the_process_says_that_it_lives(kit: Kit) -> None:
    answer = get(kit, "/health/live")

    assert (answer.status_code, answer.raw_body) == (200, b"ok\n")
    assert answer.headers["cache-control"] == "no-store"
    check_security(answer)
