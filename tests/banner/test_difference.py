"""What changed between two policies, in words."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from slagboom_banner.difference import compare_policies, policy_data


@pytest.fixture
def before(policy_folder: Any) -> dict[str, Any]:
    return policy_data(policy_folder.read())


@pytest.fixture
def after(before: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(before)


def test_the_same_policy_has_no_difference(before: dict[str, Any], after: dict[str, Any]) -> None:
    difference = compare_policies(before, after)

    assert (difference.changed, difference.asks_again) == ((), ())


def test_other_words_are_told_and_ask_nobody_again(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    after["policy"]["purposes"][1]["description"]["nl"] = "Tellen."
    after["policy"]["texts"] = {}
    after["policy"]["languages"] = ["en", "nl"]

    difference = compare_policies(before, after)

    assert difference.changed == (
        "languages stand in another order",
        'purposes.statistics.description.nl was "Bezoeken tellen.", is "Tellen."',
        'texts.nl is gone; it was {"accept": "Aanvaarden"}',
    )
    assert difference.asks_again == ()


def test_another_host_asks_again(before: dict[str, Any], after: dict[str, Any]) -> None:
    service = after["services"][1]
    service["hosts"] = [*service["hosts"], "more.example"]

    difference = compare_policies(before, after)

    assert difference.changed == ('service counter: hosts also has "more.example"',)
    assert difference.asks_again == ("services[1]: 'counter' has other hosts than was published",)


def test_a_purpose_that_needs_no_consent_any_more_asks_again(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    after["policy"]["purposes"][1]["legal_basis"] = "strictly_necessary"

    difference = compare_policies(before, after)

    assert difference.changed == (
        'purposes.statistics.legal_basis was "consent", is "strictly_necessary"',
    )
    assert len(difference.asks_again) == 1


def test_a_service_that_is_gone_and_one_that_is_new_ask_again(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    after["policy"]["services"][2]["id"] = "talk"
    after["services"][2]["id"] = "talk"

    difference = compare_policies(before, after)

    assert any(line.startswith("services.chat is gone") for line in difference.changed)
    assert any(line.startswith("services.talk is new") for line in difference.changed)
    assert "services: 'chat' is gone" in difference.asks_again


def test_a_policy_of_an_older_model_can_be_compared(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    del before["policy"]["auto_block"]
    before["policy"]["forgotten"] = 1

    assert compare_policies(before, after).changed == (
        "forgotten is gone; it was 1",
        "auto_block is new: false",
    )
