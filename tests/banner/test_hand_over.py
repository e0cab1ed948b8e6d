"""What a policy with `hand_over` says and serves, and that no other one pays for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from slagboom_banner.assets import static_directory, texts_directory, themes_directory
from slagboom_banner.bundle import Bundle, Sources, build_bundle, to_javascript
from slagboom_banner.layers import describe_first_layer, describe_second_layer
from slagboom_banner.texts import read_texts

TARGETS = ["https://acme.test", "https://www.acme.example"]
BUILT = static_directory() / "js" / "dist"
SOURCES = Sources(
    scripts={file.stem: file.read_text("utf-8") for file in BUILT.glob("*.js")},
    themes={file.stem: file.read_text("utf-8") for file in themes_directory().glob("*.css")},
    texts=read_texts(texts_directory()),
)


@pytest.fixture
def plain(policy_folder: Any) -> Bundle:
    return build_bundle(policy_folder.read(), SOURCES)


@pytest.fixture
def handing(policy_folder: Any, plain: Bundle) -> Bundle:
    """What the policy behind `plain` gives once it hands over."""
    assert plain.notices
    policy_folder.edit(
        "acme.yaml",
        ", https://acme.example]\ncookie_domain: acme.example\n",
        f", https://acme.test]\nhand_over: {{to: [{', '.join(TARGETS)}]}}\n",
    )
    return build_bundle(policy_folder.read(), SOURCES)


def test_the_notice_and_both_layers_name_the_domains(plain: Bundle, handing: Bundle) -> None:
    for language, notice in handing.notices.items():
        document = notice.document
        said = document["texts"]["hand_over_text"]

        assert document["hand_over"] == TARGETS
        assert said.endswith(": acme.test, www.acme.example.")
        assert said in json.dumps(describe_first_layer(document), ensure_ascii=False)
        assert said in json.dumps(describe_second_layer(document), ensure_ascii=False)
        assert notice.digest != plain.notices[language].digest


def test_naming_a_domain_asks_nobody_again(plain: Bundle, handing: Bundle) -> None:
    assert handing.offer.scope == plain.offer.scope


def test_without_a_hand_over_nobody_is_told_of_one(plain: Bundle) -> None:
    for notice in plain.notices.values():
        assert "hand_over" not in json.dumps(notice.document)
        assert "{domains}" not in json.dumps(notice.document)


def test_only_a_site_that_hands_over_carries_the_part_for_it(
    plain: Bundle, handing: Bundle
) -> None:
    config = to_javascript({"to": TARGETS, "scope": handing.offer.scope})
    before, part, after = SOURCES.scripts["handover"].partition("SLAGBOOM_HAND_OVER")
    whole = f"{before}{config}{after}".encode()

    assert part
    assert whole in handing.gate
    assert all(whole in gate for gate in handing.asking_gates.values())
    for body in (plain.gate, *plain.asking_gates.values(), *plain.parts.values()):
        assert b"hand-over" not in body


def test_the_part_stands_before_the_gate_that_waits_for_it(handing: Bundle) -> None:
    gate = handing.gate.decode()

    handing_over = SOURCES.scripts["handover"].partition("SLAGBOOM_HAND_OVER")[0]
    taking_over = SOURCES.scripts["gate"].partition("SLAGBOOM_CONFIG")[0]
    assert gate.index("const sbParts={};") < gate.index(handing_over) < gate.index(taking_over)
