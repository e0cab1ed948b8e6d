"""`POST decisions`: what is stored, what is refused, and what the answers tell."""

from __future__ import annotations

import asyncio
import copy
import json
import sqlite3
import threading
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx2
import pytest
from event_loop import in_loop
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
from slagboom_server.store import Filter
from slagboom_server.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from slagboom_server.kit import Kit
    from slagboom_server.store_sql import SqlStore

URL = "/s/acme/decisions"


def open_client(kit: Kit, base_url: str = "https://kit.acme.example") -> TestClient:
    return TestClient(
        build_app(kit),
        base_url=base_url,
        client=(ADDRESS, 4711),
        headers={"User-Agent": USER_AGENT, "Content-Type": "text/plain;charset=UTF-8"},
    )


def post(kit: Kit, body: Any, origin: str | None = ORIGIN, url: str = URL, **headers: str) -> Any:
    sent = dict(headers)
    if origin is not None:
        sent["Origin"] = origin
    content = body if isinstance(body, bytes) else dump(body)
    return open_client(kit).post(url, content=content, headers=sent)


def count(kit: Kit) -> int:
    return kit.store.count(Filter())


def check_problem(answer: Any, status: int) -> str:
    """A problem document that repeats nothing of the request; returns its detail."""
    problem = answer.json()
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem.keys() == {"type", "title", "status", "detail"}
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert problem["status"] == status
    assert problem["detail"]
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    whole = answer.text + str(answer.headers)
    for private in (ADDRESS, "Mozilla", "Firefox", "private-mark"):
        assert private not in whole
    detail: str = problem["detail"]
    return detail


def test_a_decision_is_stored_once_and_answered_alike_each_time(kit: Kit) -> None:
    body = make_body(kit)
    first, second = post(kit, body), post(kit, body)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json() == {"receipt": body["decision_id"]}
    assert first.content == second.content
    assert count(kit) == 1


def test_the_record_is_what_the_visitor_chose_and_no_more(kit: Kit) -> None:
    body = make_body(kit, choices={"statistics": True, "contact": False}, action="save")
    body["services"] = {"counter": True, "chat": False}
    post(kit, body)
    record = kit.store.record(UUID(body["decision_id"]))

    assert record is not None
    assert record.choices == body["choices"]
    assert record.services == body["services"]
    assert record.notice == body["notice"]
    assert record.received_at == NOON
    assert record.origin == ORIGIN
    assert (record.browser, record.system, record.ip) == ("Firefox", "Linux", None)
    assert ADDRESS not in repr(record)
    assert "Mozilla" not in repr(record)


def test_neither_address_nor_user_agent_reaches_the_database_or_the_output(
    kit: Kit, database_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    post(kit, make_body(kit))
    post(kit, b"{")
    kit.store.close()
    file = database_url.removeprefix("sqlite:///")
    with sqlite3.connect(file) as connection:
        everything = "\n".join(connection.iterdump())
    connection.close()

    assert "Firefox" in everything
    for private in (ADDRESS, "203.0.113", "Mozilla", "Gecko"):
        assert private not in everything
        assert private not in "".join(capfd.readouterr())


def test_one_service_may_be_chosen_without_the_rest(kit: Kit) -> None:
    body = make_body(kit, action="save", layer="placeholder")
    body["choices"] = {"statistics": False, "contact": False}
    body["services"] = {"counter": False, "chat": True}

    assert post(kit, body).status_code == 201


def test_a_purpose_may_be_chosen_without_its_services(kit: Kit) -> None:
    body = make_body(kit, action="save", layer="second")
    body["services"] = {"counter": False, "chat": False}

    assert post(kit, body).status_code == 201


def test_a_known_id_with_another_content_is_a_conflict_and_the_first_stays(kit: Kit) -> None:
    body = make_body(kit, action="save")
    post(kit, body)
    other = {**body, "anonymise_ip": False}
    answer = post(kit, other)
    record = kit.store.record(UUID(body["decision_id"]))

    check_problem(answer, 409)
    assert record is not None
    assert record.anonymise_ip is True
    assert count(kit) == 1


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "",
        "null",
        OTHER_ORIGIN,
        "http://www.acme.example",
        "https://www.acme.example:8443",
        "https://www.acme.example/",
        "https://www.acme.example.evil.example",
        "https://evil.example#private-mark",
    ],
)
def test_a_foreign_or_missing_origin_is_refused(kit: Kit, origin: str | None) -> None:
    answer = post(kit, make_body(kit), origin)

    check_problem(answer, 403)
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert count(kit) == 0


@pytest.mark.parametrize("site", ["nobody", "acme%00", "..%2Facme", "ACME", "private-mark"])
def test_an_unknown_site_is_not_found(kit: Kit, site: str) -> None:
    answer = post(kit, make_body(kit), url=f"/s/{site}/decisions")

    check_problem(answer, 404)
    assert count(kit) == 0


def test_a_site_takes_no_decision_on_another_sites_notice(kit: Kit) -> None:
    answer = post(kit, make_body(kit, site="other"), url=URL)

    assert "never published by this site" in check_problem(answer, 422)
    assert count(kit) == 0


REFUSED = {
    "choices": {"statistics": False, "contact": False},
    "services": {"counter": False, "chat": False},
}
WRONG: dict[str, dict[str, Any]] = {
    "an unknown notice": {"notice": "0" * 64},
    "a notice of the wrong form": {"notice": "private-mark"},
    "an earlier revision": {"revision": 1},
    "a later revision": {"revision": 3},
    "a revision as text": {"revision": "2"},
    "a fraction as revision": {"revision": 2.5},
    "a truth as revision": {"revision": True},
    "another language": {"language": "en"},
    "a language of the wrong form": {"language": "private-mark"},
    "an unknown layer": {"layer": "private-mark"},
    "an unknown action": {"action": "private-mark"},
    "an unknown purpose": {"choices": {"statistics": True, "contact": True, "profile": True}},
    "a purpose that needs no consent": {
        "choices": {"necessary": True, "statistics": True, "contact": True}
    },
    "a missing purpose": {"choices": {"statistics": True}},
    "no purposes": {"choices": {}},
    "a list of purposes": {"choices": ["statistics"]},
    "a number as answer": {"choices": {"statistics": 1, "contact": True}},
    "a text as answer": {"choices": {"statistics": "private-mark", "contact": True}},
    "nothing as answer": {"choices": {"statistics": None, "contact": True}},
    "an unknown service": {"services": {"counter": True, "chat": True, "spy": True}},
    "a service that needs no consent": {"services": {"kit": True, "counter": True, "chat": True}},
    "a missing service": {"services": {"counter": True}},
    "too many services": {"services": {f"s{number}": True for number in range(61)}},
    "all accepted with a purpose refused": {"choices": {"statistics": True, "contact": False}},
    "all accepted with a service refused": {"services": {"counter": True, "chat": False}},
    "all refused with a purpose granted": {"action": "reject_all"},
    "all accepted with another address than the notice says": {"anonymise_ip": False},
    "withdrawn with a purpose granted": {"action": "withdraw"},
    "withdrawn where nothing was given": {"action": "withdraw", **REFUSED},
    "a signal that was not there": {"action": "gpc", **REFUSED},
    "a signal with a purpose granted": {"action": "gpc", "gpc": True},
    "a decision id of version 4": {"decision_id": "5a1ecafe-0000-4000-8000-000000000001"},
    "a consent id of version 7": {"consent_id": "019a9ce7-0000-7000-8000-000000000001"},
    "an id that is none": {"decision_id": "private-mark"},
    "a number as id": {"consent_id": 5},
    "a previous that is none": {"previous": "private-mark"},
    "a number as time": {"given_at": 1795262400},
    "a truth as time": {"given_at": True},
    "a time that is none": {"given_at": "private-mark"},
    "a time without a zone": {"given_at": "2026-11-21T12:00:00"},
    "a time in another zone": {"given_at": "2026-11-21T12:00:00+01:00"},
    "a text as truth": {"gpc": "private-mark"},
    "nothing as truth": {"anonymise_ip": None},
    "an extra field": {"ip": "private-mark"},
    "a user agent": {"user_agent": "private-mark"},
}


@pytest.mark.parametrize("what", WRONG)
def test_a_decision_that_does_not_fit_is_refused(kit: Kit, what: str) -> None:
    answer = post(kit, make_body(kit, **WRONG[what]))

    check_problem(answer, 422)
    assert count(kit) == 0


FIELDS = (
    "decision_id",
    "consent_id",
    "previous",
    "revision",
    "notice",
    "language",
    "layer",
    "action",
    "choices",
    "services",
    "anonymise_ip",
    "gpc",
    "given_at",
)


@pytest.mark.parametrize("field", FIELDS)
def test_a_decision_with_a_field_missing_is_refused(kit: Kit, field: str) -> None:
    body = make_body(kit)
    del body[field]

    assert check_problem(post(kit, body), 422) == f"{field}: Field required"
    assert count(kit) == 0


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"private-mark"', b"{}"])
def test_json_that_is_no_decision_is_refused(kit: Kit, body: bytes) -> None:
    check_problem(post(kit, body), 422)
    assert count(kit) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"private-mark",
        b"{'decision_id': 1}",
        b'{"decision_id": 1',
        b'{"a": "\xff\xfe"}',
        b'{"a": "\\ud800"}',
        b"[" * 8000,
        b"\x00" * 100,
    ],
)
def test_broken_json_is_refused(kit: Kit, body: bytes) -> None:
    check_problem(post(kit, body), 400)
    assert count(kit) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ('"action"', '"reject_all"'),
        ('"choices"', '{"statistics": false, "contact": false}'),
        ('"contact"', "false"),
        ('"chat"', "false"),
        ('"revision"', "9" * 5000),
        ('"\\u0067pc"', "true"),
    ],
)
def test_a_name_that_stands_twice_is_refused(kit: Kit, name: str, value: str) -> None:
    plain = '"gpc"' if "pc" in name else name
    once = dump(make_body(kit)).decode()
    twice = once.replace(f"{plain}:", f"{name}: {value}, {plain}:")

    assert once.count(f"{plain}:") == 1
    check_problem(post(kit, twice.encode()), 400)
    assert count(kit) == 0


def pad(body: dict[str, Any], size: int) -> bytes:
    """The decision with spaces behind it, which JSON allows."""
    return dump(body).ljust(size)


def test_a_body_may_have_eight_kibibytes_and_no_byte_more(kit: Kit) -> None:
    assert post(kit, pad(make_body(kit, 1), 8192)).status_code == 201
    check_problem(post(kit, pad(make_body(kit, 2), 8193)), 413)
    assert count(kit) == 1


def test_a_body_of_unknown_length_is_cut_off_as_well(kit: Kit) -> None:
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1024
            yield b" " * 1024

    answer = open_client(kit).post(URL, content=chunks(), headers={"Origin": ORIGIN})

    assert "content-length" not in answer.request.headers
    check_problem(answer, 413)
    assert count(kit) == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_decision_is_only_ever_posted(kit: Kit, method: str) -> None:
    answer = open_client(kit).request(method, URL, headers={"Origin": ORIGIN})

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    if method != "HEAD":
        check_problem(answer, 405)
    assert count(kit) == 0


def test_the_sites_own_pages_may_read_every_answer(kit: Kit) -> None:
    answers = [
        post(kit, make_body(kit)),
        post(kit, make_body(kit, revision=1)),
        post(kit, b"{"),
        post(kit, b" " * 9000),
        post(kit, make_body(kit, action="save")),
    ]

    assert [answer.status_code for answer in answers] == [201, 422, 400, 413, 409]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in answer.headers["vary"]


def test_the_second_origin_of_a_policy_counts_as_much_as_the_first(kit: Kit) -> None:
    answer = post(kit, make_body(kit), "https://acme.example")

    assert answer.status_code == 201
    assert answer.headers["access-control-allow-origin"] == "https://acme.example"


def test_an_answer_is_kept_by_nobody_and_shows_nothing(kit: Kit) -> None:
    answer = post(kit, make_body(kit))

    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_choice_cookie_is_set_again_where_the_browser_holds_exactly_that_one(kit: Kit) -> None:
    body = make_body(kit)
    cookie = make_cookie(kit, body)
    for status in (201, 200):
        answer = post(kit, body, Cookie=f"_ga=1; slagboom={cookie}; b=2")

        assert answer.status_code == status
        (again,) = answer.headers.get_list("set-cookie")
        assert again.split("; ") == [
            f"slagboom={cookie}",
            "Path=/",
            f"Max-Age={182 * 86400}",
            "Domain=acme.example",
            "SameSite=Lax",
            "Secure",
        ]


def test_the_choice_cookie_follows_policy_and_scheme(kit: Kit) -> None:
    body = make_body(kit, site="other", action="save", layer="second")
    cookie = make_cookie(kit, body, "other")
    answer = open_client(kit, "http://kit.other.example").post(
        "/s/other/decisions",
        content=dump(body),
        headers={"Origin": OTHER_ORIGIN, "Cookie": f"slagboom={cookie}"},
    )

    assert answer.headers.get_list("set-cookie") == [
        f"slagboom={cookie}; Path=/; Max-Age={182 * 86400}; SameSite=Lax"
    ]


def test_no_cookie_is_set_that_the_browser_does_not_hold(kit: Kit) -> None:
    body = make_body(kit)
    cookie = make_cookie(kit, body)
    newer = make_cookie(kit, {**body, "given_at": "2026-11-21T12:00:01.000Z"})
    for held in (None, "_ga=1", f"slagboom={newer}", f"slagboom={cookie[:-1]}", f"old={cookie}"):
        answer = post(kit, body, **({} if held is None else {"Cookie": held}))

        assert answer.status_code in {200, 201}
        assert "set-cookie" not in answer.headers


def test_a_decision_of_an_earlier_notice_is_kept_and_flagged_and_sets_no_cookie(
    kit: Kit, policies: Path
) -> None:
    body = make_body(kit)
    cookie = make_cookie(kit, body)
    edit(policies / "acme.yaml", "accept: Aanvaarden", "accept: Toestaan")
    kit.read()
    answer = post(kit, body, Cookie=f"slagboom={cookie}")
    record = kit.store.record(UUID(body["decision_id"]))

    assert answer.status_code == 201
    assert "set-cookie" not in answer.headers
    assert record is not None
    assert [flag.value for flag in record.flags] == ["earlier_notice"]


@pytest.mark.parametrize("given_at", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z"])
def test_a_clock_before_all_computers_is_flagged_and_sets_no_cookie(
    kit: Kit, given_at: str
) -> None:
    body = make_body(kit, given_at=given_at)
    answer = post(kit, body, Cookie="slagboom=1.2.3")
    record = kit.store.record(UUID(body["decision_id"]))

    assert answer.status_code == 201
    assert "set-cookie" not in answer.headers
    assert record is not None
    assert record.given_at.year == int(given_at[:4])
    assert [flag.value for flag in record.flags] == ["clock_behind"]


def test_the_signal_in_the_header_is_compared(kit: Kit) -> None:
    refused = {"action": "gpc", "layer": "api", "gpc": True}
    body = make_body(kit, **refused)
    body["choices"] = dict.fromkeys(body["choices"], False)
    body["services"] = dict.fromkeys(body["services"], False)
    post(kit, body, **{"Sec-GPC": "1"})
    post(kit, {**body, "decision_id": "019a9ce7-0000-7000-8000-000000000002"})
    flags = [
        [flag.value for flag in record.flags]
        for record in kit.store.records_of(UUID(body["consent_id"]))
    ]

    assert flags == [[], ["gpc_differs"]]


def test_a_full_queue_asks_the_browser_to_come_back(policies: Path, store: SqlStore) -> None:
    with Writer(store, max_waiting=0) as writer:
        kit = make_kit(policies, store, writer)
        answer = post(kit, make_body(kit))

    check_problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert count(kit) == 0


def test_a_lost_database_is_a_pause_and_not_the_end(
    kit: Kit, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    body = make_body(kit)
    post(kit, make_body(kit, 2))
    with sqlite3.connect(database_url.removeprefix("sqlite:///")) as connection:
        connection.execute("ALTER TABLE records RENAME TO gone")
        connection.commit()
        answer = post(kit, body)
        records = open_client(kit).get(f"/s/acme/records/{body['consent_id']}")
        connection.execute("ALTER TABLE gone RENAME TO records")
        connection.commit()
    connection.close()

    for refused in (answer, records):
        check_problem(refused, 503)
        assert int(refused.headers["retry-after"]) > 0
        assert "gone" not in refused.text
        assert "sqlite" not in refused.text
    assert "no such table" in caplog.text
    assert ADDRESS not in caplog.text
    assert post(kit, body).status_code == 201
    assert count(kit) == 2


def post_at_once(kit: Kit, bodies: list[dict[str, Any]]) -> list[Any]:
    async def post_all() -> list[Any]:
        transport = httpx2.ASGITransport(build_app(kit), client=(ADDRESS, 4711))
        async with httpx2.AsyncClient(
            transport=transport, base_url="https://kit.acme.example"
        ) as client:
            return await asyncio.gather(
                *(
                    client.post(URL, content=dump(body), headers={"Origin": ORIGIN})
                    for body in bodies
                )
            )

    return in_loop(post_all())


def test_two_hundred_decisions_at_once_are_two_hundred_records(kit: Kit) -> None:
    bodies = [make_body(kit, number) for number in range(1, 201)]
    answers = post_at_once(kit, bodies)

    assert {answer.status_code for answer in answers} == {201}
    assert [answer.json()["receipt"] for answer in answers] == [
        body["decision_id"] for body in bodies
    ]
    assert count(kit) == 200
    assert len({record.seq for record in kit.store.page(Filter(), limit=300)}) == 200


def test_one_decision_twenty_times_at_once_is_one_record(kit: Kit) -> None:
    answers = post_at_once(kit, [make_body(kit)] * 20)

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert count(kit) == 1


def test_of_two_contents_under_one_id_at_once_one_is_kept(kit: Kit) -> None:
    body = make_body(kit, action="save")
    other = {**copy.deepcopy(body), "anonymise_ip": False}
    answers = post_at_once(kit, [body, other] * 10)

    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201] + [409] * 10
    assert count(kit) == 1


class NotedCountries:
    """No country is known; but which threads asked is."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []

    def country(self, _: str) -> None:
        self.threads.append(threading.current_thread())


def test_nobody_waits_while_a_new_user_agent_is_read(kit: Kit) -> None:
    noted = NotedCountries()
    kit.countries = noted

    async def post_twice() -> threading.Thread:
        transport = httpx2.ASGITransport(build_app(kit), client=(ADDRESS, 4711))
        async with httpx2.AsyncClient(
            transport=transport, base_url="https://kit.acme.example"
        ) as client:
            for number in (1, 2):
                headers = {"Origin": ORIGIN, "User-Agent": USER_AGENT}
                await client.post(URL, content=dump(make_body(kit, number)), headers=headers)
        return threading.current_thread()

    loop_thread = in_loop(post_twice())

    assert count(kit) == 2
    first, *later = [thread is loop_thread for thread in noted.threads]
    assert not first
    assert later
    assert all(later)


def test_the_largest_decision_a_policy_allows_fits_the_limit(kit: Kit) -> None:
    body = make_body(kit)
    body["choices"] = {f"p{'x' * 37}{number:02}": True for number in range(20)}
    body["services"] = {f"s{'x' * 37}{number:02}": True for number in range(60)}

    assert len(json.dumps(body)) < 8192
