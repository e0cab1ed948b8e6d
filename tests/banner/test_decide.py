"""What a choice grants, by the cases that hold decide.py and decide.js together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from slagboom_banner.decide import Offer, grants, read_offer
from slagboom_banner.load import read_policies
from slagboom_banner.model import Service, Vendor

GOLDEN: dict[str, Any] = json.loads(
    Path(__file__).parents[1].joinpath("golden", "grants.json").read_text("utf-8")
)


def build_offer() -> Offer:
    fields = GOLDEN["offer"]
    services = tuple(
        Service(
            id=service["id"],
            name=service["id"],
            vendor=Vendor(name="Vendor", role="own"),
            purpose=service["purpose"],
            description={"en": "Something."},
            needs_full_ip=service["full_ip"],
        )
        for service in fields["services"]
    )
    return Offer(tuple(fields["purposes"]), tuple(fields["necessary"]), services, "0badcafe")


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: case["name"])
def test_a_choice_grants_what_the_browser_lets_run(case: dict[str, Any]) -> None:
    offer = build_offer()
    choice = case["choice"] or {"services": [], "anonymise_ip": True}
    ids = [service.id for service in offer.services]
    chosen = dict(zip(ids, choice["services"], strict=False))

    granted = grants(offer.services, chosen, anonymise_ip=choice["anonymise_ip"])

    assert granted == case["services"]


def test_a_service_nobody_offered_is_never_granted() -> None:
    granted = grants(build_offer().services, {"stranger": True}, anonymise_ip=False)

    assert "stranger" not in granted
    assert not any(granted.values())


def test_an_offer_asks_only_for_what_needs_consent(policy_folder: Any) -> None:
    offer = read_offer(policy_folder.read())

    assert offer.purposes == ("statistics", "contact")
    assert offer.necessary == ("necessary",)
    assert [service.id for service in offer.services] == ["counter", "chat"]


QUESTIONS = {
    "site": [("acme.yaml", "site: acme\n", "site: acme-two\n")],
    "revision": [("acme.yaml", "revision: 2\neffective", "revision: 3\neffective")],
    "a purpose": [
        ("acme.yaml", "id: contact\n", "id: talk\n"),
        ("services/chat.yaml", "purpose: contact", "purpose: talk"),
    ],
    "a service's purpose": [
        ("acme.yaml", "- id: chat\n", "- {id: chat, purpose: statistics}\n"),
    ],
    "the services": [("acme.yaml", "  - id: chat\n", "")],
    "the order": [
        ("acme.yaml", "  - id: chat\n", ""),
        ("acme.yaml", "  - id: counter\n", "  - id: chat\n  - id: counter\n"),
    ],
    "a vendor": [("services/counter.yaml", "name: Counter GmbH", "name: Counter AG")],
    "the full address": [("services/chat.yaml", "stored:\n", "needs_full_ip: true\nstored:\n")],
}


@pytest.mark.parametrize("what", QUESTIONS)
def test_the_scope_changes_with_what_is_asked(policy_folder: Any, what: str) -> None:
    before = read_offer(policy_folder.read()).scope
    for edit in QUESTIONS[what]:
        policy_folder.edit(*edit)
    (loaded,) = read_policies(policy_folder.directory).values()

    assert read_offer(loaded).scope != before


WORDS = {
    "a text": ("acme.yaml", "accept: Aanvaarden", "accept: Toestaan"),
    "a name": ("acme.yaml", "nl: Statistieken", "nl: Cijfers"),
    "a description": ("services/chat.yaml", "nl: Een gesprek met ons.", "nl: Praat met ons."),
    "a parameter": ("acme.yaml", "site_id: C-1234", "site_id: C-4321"),
    "the lifetime": ("acme.yaml", "consent_lifetime_days: 182", "consent_lifetime_days: 90"),
    "an origin": ("acme.yaml", "https://acme.example]", "https://shop.acme.example]"),
}


@pytest.mark.parametrize("what", WORDS)
def test_the_scope_stays_with_other_words_for_the_same(policy_folder: Any, what: str) -> None:
    before = read_offer(policy_folder.read()).scope
    policy_folder.edit(*WORDS[what])

    assert read_offer(policy_folder.read()).scope == before


def test_the_scope_has_the_form_the_cookie_takes(policy_folder: Any) -> None:
    assert len(bytes.fromhex(read_offer(policy_folder.read()).scope)) == 4
