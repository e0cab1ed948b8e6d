"""Handing a choice over between domains: what a token is good for, and all it is not good for."""

from __future__ import annotations

import dataclasses
import datetime as dt
import string
from contextlib import closing
from typing import TYPE_CHECKING, Any
from uuid import UUID

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
from slagboom_server.handover import (
    TOKEN_SECONDS,
    HandOverRefused,
    Tokens,
    Way,
    find_traveller,
)
from slagboom_server.rate_limit import RateLimiter
from slagboom_server.store import Filter
from slagboom_server.store_sql import open_store
from slagboom_server.writer import Writer

if TYPE_CHECKING:
    from pathlib import Path

    from slagboom_server.kit import Kit
    from slagboom_server.store_sql import SqlStore

SHOP = "https://shop.acme.test"
BLOG = "https://blog.acme.test"
STRANGER = "https://elsewhere.example"
VISITOR = find_traveller(ADDRESS, USER_AGENT)
WAY = Way("acme", ORIGIN, SHOP, VISITOR)
ELSEWHERE = "198.51.100.9"
OTHER_BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0"
DECISION = UUID("019a9ce7-0000-7000-8000-000000000001")
KEY = bytes(range(32))
SECOND = dt.timedelta(seconds=1)
REFUSAL = {
    "action": "withdraw",
    "choices": {"statistics": False, "contact": False},
    "services": {"counter": False, "chat": False},
}


@pytest.fixture
def policies(policies: Path) -> Path:
    """The site `acme` on three domains, two of which take choices over."""
    edit(
        policies / "acme.yaml",
        "https://acme.example]\ncookie_domain: acme.example\n",
        f"{SHOP}, {BLOG}]\nhand_over: {{to: [{SHOP}, {BLOG}]}}\n",
    )
    return policies


class Clock:
    """The server's clock, as the test sets it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock(kit: Kit) -> Clock:
    clock = Clock()
    kit.clock = clock
    return clock


def open_client(kit: Kit, address: str = ADDRESS) -> TestClient:
    return TestClient(
        build_app(kit),
        base_url="https://kit.acme.example",
        client=(address, 4711),
        headers={"User-Agent": USER_AGENT},
    )


def post(
    kit: Kit, path: str, body: Any, origin: str | None, address: str = ADDRESS, **headers: str
) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {**named, **({} if origin is None else {"Origin": origin})}
    content = body if isinstance(body, bytes) else dump(body)
    return open_client(kit, address).post(f"/s/acme/{path}", content=content, headers=sent)


def decide(kit: Kit, number: int = 1, origin: str = ORIGIN, **changes: Any) -> str:
    """A decision that stands in the log; returns the cookie its browser holds."""
    body = make_body(kit, number, **changes)
    assert post(kit, "decisions", body, origin).status_code == 201
    return make_cookie(kit, body)


def ask(
    kit: Kit, cookie: str, to: str = SHOP, origin: str | None = ORIGIN, **circumstances: str
) -> Any:
    return post(kit, "hand-over", {"choice": cookie, "to": to}, origin, **circumstances)


def accept(
    kit: Kit,
    token: str,
    origin: str | None = SHOP,
    source: str = ORIGIN,
    held: str | None = None,
    **circumstances: str,
) -> Any:
    body = {"token": token, "source": source, "held": held}
    return post(kit, "hand-over/accept", body, origin, **circumstances)


def check_refused(answer: Any, status: int = 409) -> None:
    """Nothing is handed over, and nothing of the request is told again."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    assert answer.json().keys() == {"type", "title", "status", "detail"}
    assert "5a1ecafe" not in answer.text


def test_a_choice_goes_from_one_domain_to_the_other(kit: Kit) -> None:
    cookie = decide(kit)

    asked = ask(kit, cookie)
    taken = accept(kit, asked.json()["token"])

    assert asked.status_code == taken.status_code == 200
    assert asked.json().keys() == {"token"}
    assert taken.json() == {
        "cookie": f"slagboom={cookie}; Path=/; Max-Age={182 * 86400 - 1}; SameSite=Lax; Secure"
    }
    for answer, origin in ((asked, ORIGIN), (taken, SHOP)):
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert answer.headers["vary"] == "Origin"
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers


def test_a_withdrawal_goes_over_as_well(kit: Kit) -> None:
    decide(kit)
    first = make_body(kit)
    cookie = decide(
        kit,
        2,
        consent_id=first["consent_id"],
        previous=first["decision_id"],
        given_at="2026-11-21T11:59:59.900Z",
        **REFUSAL,
    )

    taken = accept(kit, ask(kit, cookie).json()["token"], held=make_cookie(kit, first))

    assert taken.json()["cookie"].startswith(f"slagboom={cookie}; ")


def test_the_log_holds_the_decision_once_and_says_where_it_was_given(kit: Kit) -> None:
    accept(kit, ask(kit, decide(kit)).json()["token"])

    (record,) = kit.store.page(Filter(), limit=10)
    assert record.origin == ORIGIN


def test_a_token_says_nothing_about_the_visitor(kit: Kit) -> None:
    cookie = decide(kit)
    token = ask(kit, cookie).json()["token"]

    assert len(token) == 64
    assert set(token) <= set(string.ascii_letters + string.digits + "-_")
    assert token != ask(kit, cookie).json()["token"]
    consent_id = UUID(make_body(kit)["consent_id"])
    assert consent_id.bytes not in _decode(token)


def _decode(token: str) -> bytes:
    import base64  # noqa: PLC0415 -- for this one look inside

    return base64.urlsafe_b64decode(token)


def test_a_token_is_good_once(kit: Kit) -> None:
    token = ask(kit, decide(kit)).json()["token"]

    assert accept(kit, token).status_code == 200
    check_refused(accept(kit, token))


def test_a_token_is_good_once_for_all_processes_of_a_log(
    policies: Path, kit: Kit, database_url: str
) -> None:
    with closing(open_store(database_url)) as store, Writer(store) as writer:
        other = make_kit(policies, store, writer)
        kit.tokens, other.tokens = Tokens(KEY), Tokens(KEY)
        token = ask(kit, decide(kit)).json()["token"]

        assert accept(other, token).status_code == 200
        check_refused(accept(kit, token))
        check_refused(accept(other, token))


def test_a_token_that_is_refused_is_not_spent(kit: Kit) -> None:
    """Who has no use for it cannot void it either."""
    token = ask(kit, decide(kit)).json()["token"]

    check_refused(accept(kit, token, address=ELSEWHERE))
    check_refused(accept(kit, token, source=STRANGER))

    assert accept(kit, token).status_code == 200


@pytest.mark.parametrize(
    "circumstances",
    [
        {"address": ELSEWHERE},
        {"address": "203.0.114.77"},
        {"address": "2001:db8:1::77"},
        {"address": ""},
        {"address": "unknown"},
        {"User_Agent": OTHER_BROWSER},
        {"User_Agent": ""},
    ],
)
def test_a_token_that_somebody_else_has_asked_for_plants_nothing(
    kit: Kit, circumstances: dict[str, str]
) -> None:
    """The attacker's token is genuine, and the visitor comes from the page it was made for."""
    cookie = decide(kit)
    asked = ask(kit, cookie, **circumstances)

    if asked.status_code == 200:
        check_refused(accept(kit, asked.json()["token"]))
    else:
        check_refused(asked)


def test_a_token_is_good_for_nobody_who_cannot_be_told_from_others(kit: Kit) -> None:
    cookie = decide(kit)

    for address in ("", "unknown"):
        check_refused(ask(kit, cookie, address=address))
        check_refused(accept(kit, ask(kit, cookie).json()["token"], address=address))


@pytest.mark.parametrize(
    ("asking", "arriving"),
    [
        ("203.0.113.1", "203.0.113.254"),
        ("203.0.113.1", "::ffff:203.0.113.1"),
        ("2001:db8:1:a::1", "2001:db8:1:b::2"),
    ],
)
def test_within_one_network_an_address_may_change(kit: Kit, asking: str, arriving: str) -> None:
    token = ask(kit, decide(kit), address=asking).json()["token"]

    assert accept(kit, token, address=arriving).status_code == 200


def test_a_network_that_redeems_too_many_is_asked_to_wait(kit: Kit) -> None:
    first, second = (ask(kit, decide(kit, n)).json()["token"] for n in (1, 2))
    kit.limiter = RateLimiter(1, KEY, lambda: 0.0)

    assert accept(kit, first).status_code == 200
    refused = accept(kit, second)

    check_refused(refused, 429)
    assert refused.headers["access-control-allow-origin"] == SHOP


@pytest.mark.parametrize("place", range(64))
def test_a_token_with_one_letter_changed_is_good_for_nothing(place: int) -> None:
    tokens = Tokens(KEY)
    token = tokens.make(WAY, DECISION, NOON)
    letter = "A" if token[place] != "A" else "B"

    with pytest.raises(HandOverRefused):
        tokens.read(token[:place] + letter + token[place + 1 :], WAY, NOON)

    assert tokens.read(token, WAY, NOON).decision_id == DECISION


@pytest.mark.parametrize(
    "token", ["", "A", "AAAA", "A" * 64, "A" * 100, "é" * 64, "=" * 64, "\x00", "....", "A" * 63]
)
def test_what_is_no_token_is_refused(kit: Kit, token: str) -> None:
    decide(kit)

    check_refused(accept(kit, token))


def test_a_token_of_another_key_is_forged() -> None:
    token = Tokens(bytes(32)).make(WAY, DECISION, NOON)

    with pytest.raises(HandOverRefused):
        Tokens(KEY).read(token, WAY, NOON)


def test_processes_with_the_same_key_take_each_others_tokens() -> None:
    token = Tokens(KEY).make(WAY, DECISION, NOON)

    assert Tokens(KEY).read(token, WAY, NOON).decision_id == DECISION


@pytest.mark.parametrize(
    "way",
    [
        Way("other", ORIGIN, SHOP, VISITOR),
        Way("acme", STRANGER, SHOP, VISITOR),
        Way("acme", ORIGIN, BLOG, VISITOR),
        Way("acme", SHOP, ORIGIN, VISITOR),
        Way("acme", "", SHOP, VISITOR),
        Way("acme", f'{ORIGIN}", "{SHOP}', "", VISITOR),
        Way("acme", ORIGIN, SHOP, find_traveller(ELSEWHERE, USER_AGENT)),
        Way("acme", ORIGIN, SHOP, find_traveller(ADDRESS, OTHER_BROWSER)),
        Way("acme", ORIGIN, SHOP, dataclasses.replace(VISITOR, network=b"")),
    ],
)
def test_a_token_is_good_on_its_own_way_only(way: Way) -> None:
    tokens = Tokens(KEY)
    token = tokens.make(WAY, DECISION, NOON)

    with pytest.raises(HandOverRefused):
        tokens.read(token, way, NOON)

    assert tokens.read(token, WAY, NOON).decision_id == DECISION


def test_a_token_lives_for_two_minutes(kit: Kit, clock: Clock) -> None:
    cookie = decide(kit)
    early, late = (ask(kit, cookie).json()["token"] for _ in range(2))

    clock.now = NOON + (TOKEN_SECONDS - 1) * SECOND
    assert accept(kit, early).status_code == 200
    clock.now = NOON + TOKEN_SECONDS * SECOND
    check_refused(accept(kit, late))
    check_refused(accept(kit, early))


def test_a_choice_that_has_expired_is_not_handed_over(kit: Kit, clock: Clock) -> None:
    cookie = decide(kit)

    clock.now = NOON + dt.timedelta(days=182) - 2 * SECOND
    taken = accept(kit, ask(kit, cookie).json()["token"])
    assert "; Max-Age=1; " in taken.json()["cookie"]
    clock.now = NOON + dt.timedelta(days=182)
    check_refused(ask(kit, cookie))


def test_a_link_crafted_with_the_attackers_own_choice_plants_nothing(kit: Kit) -> None:
    """The attacker's token is genuine; but the visitor comes from the attacker's page."""
    token = ask(kit, decide(kit)).json()["token"]

    for source in (STRANGER, "", "null", SHOP, f"{ORIGIN}.example"):
        check_refused(accept(kit, token, source=source))


@pytest.mark.parametrize("origin", [None, "null", STRANGER, OTHER_ORIGIN, f"{ORIGIN}:444"])
def test_a_foreign_origin_gets_nothing_and_hears_nothing(kit: Kit, origin: str | None) -> None:
    cookie = decide(kit)
    token = ask(kit, cookie).json()["token"]

    for answer in (
        ask(kit, cookie, origin=origin),
        accept(kit, token, origin=origin),
        post(kit, "hand-over/keep", b"", origin, Cookie=f"slagboom={cookie}"),
    ):
        check_refused(answer, 403)
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("to", [STRANGER, ORIGIN, "", f"{SHOP}/", SHOP.upper()])
def test_no_token_leads_where_the_policy_names_no_hand_over(kit: Kit, to: str) -> None:
    check_refused(ask(kit, decide(kit), to))


def test_a_domain_hands_nothing_over_to_itself(kit: Kit) -> None:
    check_refused(ask(kit, decide(kit), SHOP, origin=SHOP))


def test_only_who_holds_the_whole_choice_gets_a_token(kit: Kit) -> None:
    cookie = decide(kit)
    parts = cookie.split(".")
    other = decide(kit, 2).split(".")

    swapped = [*parts[:6], other[6], *parts[7:]]
    guessed = [*parts[:5], "5a1ecafe-0000-4000-8000-0000000000ff", *parts[6:]]
    widened = [*parts[:7], "11", "11", *parts[9:]]
    for value in (swapped, [*widened[:-1], "0"], guessed, parts[:-1], ["1"], [""]):
        check_refused(ask(kit, ".".join(value)))


def test_a_decision_that_is_not_in_the_log_stays_where_it_is(kit: Kit) -> None:
    check_refused(ask(kit, make_cookie(kit, make_body(kit))))


def test_what_the_visitor_has_changed_since_is_not_handed_over(kit: Kit) -> None:
    cookie = decide(kit)
    token = ask(kit, cookie).json()["token"]
    first = make_body(kit)
    decide(
        kit,
        2,
        SHOP,
        consent_id=first["consent_id"],
        previous=first["decision_id"],
        given_at="2026-11-21T11:59:59.900Z",
        **REFUSAL,
    )

    check_refused(accept(kit, token))
    check_refused(ask(kit, cookie))


@pytest.mark.parametrize("late", ["2026-11-21T11:59:58.000Z", "2026-11-21T11:59:59.900Z"])
def test_of_two_clocks_that_disagree_neither_is_believed(kit: Kit, clock: Clock, late: str) -> None:
    """What reaches the log later may have been given earlier, and the other way round."""
    first = decide(kit)
    clock.now = NOON + SECOND
    body = make_body(kit)
    second = decide(
        kit,
        2,
        consent_id=body["consent_id"],
        previous=body["decision_id"],
        given_at=late,
        **REFUSAL,
    )
    is_newest = late > body["given_at"]

    check_refused(ask(kit, first))
    assert ask(kit, second).status_code == (200 if is_newest else 409)


@pytest.mark.parametrize(
    ("consent_id", "seconds", "is_kept"),
    [
        ("5a1ecafe-0000-4000-8000-000000000001", 1, True),
        ("5a1ecafe-0000-4000-8000-000000000001", 0, False),
        ("5a1ecafe-0000-4000-8000-000000000001", -1, False),
        ("5a1ecafe-0000-4000-8000-000000000007", 1, True),
        ("5a1ecafe-0000-4000-8000-000000000007", 0, True),
        ("5a1ecafe-0000-4000-8000-000000000007", -1, False),
    ],
)
def test_a_domain_keeps_the_newer_choice_it_has(
    kit: Kit, consent_id: str, seconds: int, *, is_kept: bool
) -> None:
    cookie = decide(kit)
    parts = cookie.split(".")
    held = [*parts[:3], str(int(parts[3]) + seconds), parts[4], consent_id, *parts[6:]]

    answer = accept(kit, ask(kit, cookie).json()["token"], held=".".join(held))

    if is_kept:
        check_refused(answer)
    else:
        assert answer.status_code == 200


EARLIER = "2026-11-21T11:59:00.000Z"
REJECTED = {**REFUSAL, "action": "reject_all"}
PARTS = {
    "nothing": REJECTED,
    "statistics": {
        "action": "save",
        "choices": {"statistics": True, "contact": False},
        "services": {"counter": True, "chat": False},
    },
    "contact": {
        "action": "save",
        "choices": {"statistics": False, "contact": True},
        "services": {"counter": False, "chat": True},
    },
    "everything": {},
    "everything, with the address": {"action": "save", "anonymise_ip": False},
}


@pytest.mark.parametrize(
    ("held", "brought", "is_taken"),
    [
        ("nothing", "everything", False),
        ("nothing", "statistics", False),
        ("nothing", "nothing", True),
        ("statistics", "everything", False),
        ("statistics", "contact", False),
        ("statistics", "statistics", True),
        ("statistics", "nothing", True),
        ("everything", "statistics", True),
        ("everything", "nothing", True),
        ("everything", "everything, with the address", False),
        ("everything, with the address", "everything", True),
        ("everything, with the address", "nothing", True),
    ],
)
def test_what_a_domain_has_refused_itself_nobody_elses_choice_grants(
    kit: Kit, held: str, brought: str, *, is_taken: bool
) -> None:
    """A choice under another consent number, the newer one, may be an attacker's own."""
    own = make_cookie(kit, make_body(kit, 7, **PARTS[held], given_at=EARLIER))
    cookie = decide(kit, **PARTS[brought])

    answer = accept(kit, ask(kit, cookie).json()["token"], held=own)

    if is_taken:
        assert answer.json()["cookie"].startswith(f"slagboom={cookie}; ")
    else:
        check_refused(answer)


@pytest.mark.parametrize("digits", [("00", "00"), ("0", "0"), ("", "")])
def test_a_refusal_of_another_question_is_not_overturned_either(
    kit: Kit, digits: tuple[str, str]
) -> None:
    parts = make_cookie(kit, make_body(kit, 7)).split(".")
    refused = [*parts[:2], "0therone", "1", *parts[4:7], *digits, *parts[9:]]
    token = ask(kit, decide(kit)).json()["token"]

    check_refused(accept(kit, token, held=".".join(refused)))
    granted = [*refused[:7], "10", "00", *parts[9:]]
    assert accept(kit, token, held=".".join(granted)).status_code == 200


def test_the_visitors_own_newer_grant_takes_the_place_of_their_refusal(kit: Kit) -> None:
    refused = make_body(kit, **REJECTED, given_at=EARLIER)
    decide(kit, **REJECTED, given_at=EARLIER)
    cookie = decide(kit, 2, consent_id=refused["consent_id"], previous=refused["decision_id"])

    answer = accept(kit, ask(kit, cookie).json()["token"], held=make_cookie(kit, refused))

    assert answer.json()["cookie"].startswith(f"slagboom={cookie}; ")


@pytest.mark.parametrize("held", ["", "1", "no choice at all", "1.2.x.²³.5.6.7.8.9.1.x"])
def test_what_no_browser_takes_for_a_choice_keeps_none_out(kit: Kit, held: str) -> None:
    token = ask(kit, decide(kit)).json()["token"]

    assert accept(kit, token, held=held).status_code == 200


def test_a_choice_made_before_the_notice_named_the_domain_is_not_handed_over(
    policies: Path, store: SqlStore
) -> None:
    both = f"hand_over: {{to: [{SHOP}, {BLOG}]}}\n"
    edit(policies / "acme.yaml", both, f"hand_over: {{to: [{BLOG}]}}\n")
    with Writer(store) as writer:
        kit = make_kit(policies, store, writer)
        cookie = decide(kit)
        edit(policies / "acme.yaml", f"hand_over: {{to: [{BLOG}]}}\n", both)
        kit.read()

        check_refused(ask(kit, cookie, SHOP))
        assert ask(kit, cookie, BLOG).status_code == 200
        assert ask(kit, decide(kit, 2), SHOP).status_code == 200


def test_an_answer_to_an_earlier_question_is_not_handed_over(
    policies: Path, store: SqlStore
) -> None:
    with Writer(store) as writer:
        kit = make_kit(policies, store, writer)
        cookie = decide(kit)
        token = ask(kit, cookie).json()["token"]
        file = policies / "acme.yaml"
        edit(
            file, "\nrevision: 2\neffective: 2026-11-21\n", "\nrevision: 3\neffective: 2026-11-22\n"
        )
        edit(
            file,
            "changes:\n",
            "changes:\n  - revision: 3\n    date: 2026-11-22\n    what: {nl: Nieuw., en: New.}\n",
        )
        kit.read()

        check_refused(accept(kit, token))
        check_refused(ask(kit, cookie))


def test_a_domain_that_the_policy_no_longer_names_takes_nothing(
    policies: Path, store: SqlStore
) -> None:
    with Writer(store) as writer:
        kit = make_kit(policies, store, writer)
        token = ask(kit, decide(kit)).json()["token"]
        edit(policies / "acme.yaml", f"to: [{SHOP}, {BLOG}]", f"to: [{BLOG}]")
        kit.read()

        check_refused(accept(kit, token))


def test_a_site_without_hand_over_hands_nothing_over(kit: Kit) -> None:
    body = {"choice": make_cookie(kit, make_body(kit, site="other"), "other"), "to": OTHER_ORIGIN}
    client = open_client(kit)

    for path in ("hand-over", "hand-over/accept"):
        answer = client.post(
            f"/s/other/{path}",
            content=dump(
                body if path == "hand-over" else {"token": "A" * 64, "source": ORIGIN, "held": None}
            ),
            headers={"Origin": OTHER_ORIGIN},
        )
        check_refused(answer)
    assert client.post("/s/nobody/hand-over", content=b"{}").status_code == 404


@pytest.mark.parametrize("path", ["hand-over", "hand-over/accept"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff",
        b'{"choice": 1, "to": 2}',
        b'{"token": "A", "source": "B", "held": 7}',
        b'{"token": "A", "source": "B"}',
        b'{"token": "A", "source": "B", "held": null, "more": 1}',
        b'{"choice": "%s", "to": ""}' % (b"x" * 401),
    ],
)
def test_what_is_not_understood_is_refused_in_one_line(kit: Kit, path: str, body: bytes) -> None:
    answer = post(kit, path, body, SHOP)

    check_refused(answer, 422)
    assert answer.headers["access-control-allow-origin"] == SHOP


def test_a_body_without_end_is_cut_off(kit: Kit) -> None:
    check_refused(post(kit, "hand-over", b"x" * 9000, ORIGIN), 413)


def test_the_server_sets_again_exactly_the_cookie_that_was_taken_over(kit: Kit) -> None:
    cookie = decide(kit)
    held = {"Cookie": f"slagboom={cookie}"}

    answer = post(kit, "hand-over/keep", b"", SHOP, **held)

    assert answer.status_code == 204
    assert answer.headers["set-cookie"].split("; ")[0] == f"slagboom={cookie}"
    assert "Domain" not in answer.headers["set-cookie"]
    assert "Secure" in answer.headers["set-cookie"]
    changed = {"Cookie": f"slagboom={cookie[:-1]}"}
    assert "set-cookie" not in post(kit, "hand-over/keep", b"", SHOP, **changed).headers
    nothing = post(kit, "hand-over/keep", b"", SHOP)
    assert nothing.status_code == 204
    assert "set-cookie" not in nothing.headers
