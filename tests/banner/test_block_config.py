"""What the part in front of the gate is told: other tools' categories, and hosts to hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bundle_samples import make_sources, read_ahead, read_config, read_literal

from slagboom_banner.block_config import describe_block
from slagboom_banner.bundle import build_bundle
from slagboom_banner.decide import read_offer

ACME = "acme.yaml"
SOURCES = make_sources()


def describe(policy_folder: Any, lines: str) -> Any:
    policy_folder.edit(ACME, "languages: [nl, en]\n", f"languages: [nl, en]\n{lines}\n")
    loaded = policy_folder.read()
    return describe_block(loaded.policy, read_offer(loaded))


def test_a_policy_that_asks_for_none_of_it_sends_none_of_it(policy_folder: Any) -> None:
    assert describe(policy_folder, "") is None

    bundle = build_bundle(policy_folder.read(), SOURCES)

    assert "block(" not in bundle.gate.decode()


def test_usual_categories_become_the_purpose_of_the_same_meaning(policy_folder: Any) -> None:
    categories = describe(policy_folder, "markup: [cookiebot, onetrust]")["categories"]

    for category in ("analytics", "performance", "C0002"):
        assert categories[category] == "statistics"
    assert categories["C0001"] == "necessary"
    # Nothing here serves marketing, so its tags stay held back.
    assert not {"marketing", "targeting", "C0004"} & categories.keys()


def test_the_policys_own_word_for_a_category_comes_first(policy_folder: Any) -> None:
    lines = "markup: [klaro]\nmarkup_categories: {analytics: contact, livechat: chat}"
    categories = describe(policy_folder, lines)["categories"]

    assert categories["analytics"] == "contact"
    assert categories["livechat"] == "chat"
    assert categories["C0002"] == "statistics"


def test_blocking_knows_the_hosts_of_what_needs_consent(policy_folder: Any) -> None:
    described = describe(policy_folder, "auto_block: true")

    assert described["auto_block"] is True
    assert (described["markup"], described["categories"]) == ((), {})
    assert [service["id"] for service in described["services"]] == ["counter", "chat"]
    assert all(service["hosts"] for service in described["services"])


@pytest.mark.parametrize("line", ["auto_block: true", "markup: [orejime]"])
def test_the_part_stands_before_the_gate(policy_folder: Any, line: str) -> None:
    described = describe(policy_folder, line)
    bundle = build_bundle(policy_folder.read(), SOURCES)

    part, _, _ = read_ahead(bundle).partition(");")
    assert read_literal(part.removeprefix("block(")) == json.loads(json.dumps(described))
    assert read_config(bundle)["site"] == "acme"


def test_a_category_leads_to_something_the_policy_has(policy_folder: Any) -> None:
    lines = "markup: [klaro]\nmarkup_categories:\n  analytics: statistic"
    policy_folder.edit(ACME, "languages: [nl, en]\n", f"languages: [nl, en]\n{lines}\n")
    (finding,) = policy_folder.check()

    assert finding.path == "markup_categories.analytics"
    assert "'statistic', no purpose or service" in finding.message
    assert "statistics" in finding.message


@pytest.mark.parametrize("ending", ["stop", "reload"])
def test_what_keeps_typed_text_comes_along_where_a_service_asks_for_a_new_page(
    policy_folder: Any, ending: str
) -> None:
    line = f"on_withdrawal: {ending}\nembed:\n"
    policy_folder.edit("services/chat.yaml", "embed:\n", line)
    ahead = read_ahead(build_bundle(policy_folder.read(), SOURCES))

    assert ("reload();" in ahead) == (ending == "reload")


@pytest.mark.parametrize("wish", ["stop", "reload"])
def test_a_policy_may_ask_for_a_new_page_where_the_service_does_not(
    policy_folder: Any, wish: str
) -> None:
    policy_folder.edit(ACME, "- id: chat\n", f"- id: chat\n    on_withdrawal: {wish}\n")
    loaded = policy_folder.read()
    ahead = read_ahead(build_bundle(loaded, SOURCES))

    assert loaded.services[-1].on_withdrawal == wish
    assert ("reload();" in ahead) == (wish == "reload")


def test_a_policy_cannot_leave_out_the_new_page_a_service_needs(policy_folder: Any) -> None:
    policy_folder.edit("services/chat.yaml", "embed:\n", "on_withdrawal: reload\nembed:\n")
    policy_folder.edit(ACME, "- id: chat\n", "- id: chat\n    on_withdrawal: stop\n")
    (finding,) = policy_folder.check()

    assert finding.severity == "error"
    assert finding.path.endswith("].on_withdrawal")
    assert "only a new page silences chat" in finding.message
