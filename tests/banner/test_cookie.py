"""The choice cookie as the server writes it; tests/js reads and writes the same cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from slagboom_banner.cookie import Choice, encode_choice, is_answered

CASES: list[dict[str, Any]] = json.loads(
    Path(__file__).parents[1].joinpath("golden", "choice_cookie.json").read_text("utf-8")
)


def read_choice(fields: dict[str, Any]) -> Choice:
    return Choice(
        **{
            **fields,
            "consent_id": UUID(fields["consent_id"]),
            "decision_id": UUID(fields["decision_id"]),
            "purposes": tuple(fields["purposes"]),
            "services": tuple(fields["services"]),
        }
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_choice_is_written_as_the_browser_writes_it(case: dict[str, Any]) -> None:
    assert encode_choice(case["site"], read_choice(case["choice"])) == case["cookie"]


def test_no_two_choices_or_sites_share_a_cookie() -> None:
    assert len({case["cookie"] for case in CASES}) == len(CASES)


def test_the_cookie_stays_under_200_bytes_with_the_most_a_policy_may_hold() -> None:
    assert any(
        len(case["choice"]["purposes"]) == 20 and len(case["choice"]["services"]) == 60
        for case in CASES
    )
    assert max(len(case["cookie"].encode()) for case in CASES) < 200


def test_a_choice_in_force_is_known_until_its_last_second() -> None:
    for case in CASES:
        choice = case["choice"]
        end = choice["given_at"] + choice["lifetime_days"] * 86400

        def ask(now: int, case: dict[str, Any] = case) -> bool:
            return is_answered(case["site"], case["cookie"], case["choice"]["scope"], now)

        assert ask(choice["given_at"])
        assert ask(end - 1)
        assert not ask(end)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_choice_of_another_site_or_question_is_none(case: dict[str, Any]) -> None:
    now = case["choice"]["given_at"]

    assert not is_answered(f"{case['site']}x", case["cookie"], case["choice"]["scope"], now)
    assert not is_answered(case["site"], case["cookie"], "12345678", now)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_cookie_that_is_not_as_it_was_written_is_none(case: dict[str, Any]) -> None:
    cookie, scope, now = case["cookie"], case["choice"]["scope"], case["choice"]["given_at"]
    for at in range(len(cookie)):
        changed = [cookie[:at] + character + cookie[at + 1 :] for character in "01a9z.-é²"]
        for other in (cookie[:at], cookie[at + 1 :], *changed):
            assert other == cookie or not is_answered(case["site"], other, scope, now)


@pytest.mark.parametrize(
    "cookie", ["", ".", "1", "...........", "1.1.0badcafe.9.9", "é", "9" * 5000]
)
def test_what_is_no_choice_of_ours_is_none(cookie: str) -> None:
    assert not is_answered("dsoft", cookie, "0badcafe", 0)
