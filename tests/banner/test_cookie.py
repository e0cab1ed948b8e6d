"""The choice cookie as the server writes it; tests/js reads and writes the same cases."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from slagboom_banner.cookie import Choice, encode_choice

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
    assert max(len(f"slagboom={case['cookie']}".encode()) for case in CASES) < 200


@pytest.mark.parametrize("field", ["given_at", "revision", "lifetime_days"])
def test_a_number_below_zero_is_refused(field: str) -> None:
    choice = read_choice(CASES[0]["choice"])

    with pytest.raises(ValueError, match="-1 has no place"):
        encode_choice("dsoft", dataclasses.replace(choice, **{field: -1}))
