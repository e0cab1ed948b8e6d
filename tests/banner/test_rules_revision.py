"""What asks visitors again: a changed policy needs a higher revision."""

from __future__ import annotations

from typing import Any

import pytest

from slagboom_banner.rules_revision import check_revision

ACME, KIT = "acme.yaml", "services/kit.yaml"
COUNTER, CHAT = "services/counter.yaml", "services/chat.yaml"

CHANGES = [
    # the file, what stands there, what replaces it, where the finding points, what it says
    (ACME, "  - id: chat\n", "", "services", "'chat' is gone"),
    (CHAT, "countries: [NL]", "countries: [NL, BE]", "services[2]", "'chat' is not what it was"),
    (CHAT, "Chat B.V.", "Talk B.V.", "services[2]", "'chat' is not what it was"),
    (CHAT, "role: controller", "role: processor", "services[2]", "'chat' is not what it was"),
    (CHAT, "days: 0", "days: 1", "services[2]", "'chat' is not what it was"),
    (CHAT, "embed:", "needs_full_ip: true\nembed:", "services[2]", "'chat' is not what it was"),
    (COUNTER, '["*.counter.example"]', "[cdn.counter.example]", "services[1]", "is not what"),
    (
        COUNTER,
        "Pages viewed}",
        "Pages viewed}\n  - {nl: Land, en: Country}",
        "services[1]",
        "is not what",
    ),
    (ACME, "  - id: chat\n", "  - {id: chat, purpose: statistics}\n", "services[2]", "is not what"),
    (
        ACME,
        "legal_basis: strictly_necessary",
        "legal_basis: consent",
        "purposes[0]",
        "'necessary' is not what it was",
    ),
    (
        ACME,
        "export_outside_eea: excluded",
        "export_outside_eea: allowed",
        "export_outside_eea",
        "was excluded and is now allowed",
    ),
    (
        ACME,
        "  - id: kit\n  - id: counter\n    parameters:\n      site_id: C-1234\n",
        "  - id: counter\n    parameters:\n      site_id: C-1234\n  - id: kit\n",
        "services",
        "stand in another order",
    ),
]

NEW_REVISION = ("revision: 2\neffective", "revision: 3\neffective")


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_substance_needs_a_higher_revision(
    policy_folder: Any, change: tuple[str, str, str, str, str]
) -> None:
    *edit, path, words = change
    before = policy_folder.read()
    policy_folder.edit(*edit)

    findings = check_revision(before, policy_folder.read())

    assert [(finding.severity, finding.path) for finding in findings] == [("error", path)]
    assert words in findings[0].message
    assert findings[0].message.endswith("; raise revision to 3 and say under changes what changed")
    assert findings[0].source


@pytest.mark.parametrize("change", CHANGES)
def test_under_a_higher_revision_everything_may_change(
    policy_folder: Any, change: tuple[str, str, str, str, str]
) -> None:
    before = policy_folder.read()
    policy_folder.edit(*change[:3])
    policy_folder.edit(ACME, *NEW_REVISION)

    assert check_revision(before, policy_folder.read()) == ()


def test_a_new_service_and_a_new_purpose_need_a_higher_revision(policy_folder: Any) -> None:
    after = policy_folder.read()
    policy_folder.edit(ACME, "  - id: chat\n", "")
    purpose = """  - id: contact
    legal_basis: consent
    name: {nl: Contact, en: Contact}
    description: {nl: Chatten met ons., en: Chat with us.}
"""
    policy_folder.edit(ACME, purpose, "")

    findings = check_revision(policy_folder.read(), after)

    assert [(f.path, f.line, f.message.partition(";")[0]) for f in findings] == [
        ("purposes[2]", 48, "'contact' is new"),
        ("services[2]", 57, "'chat' is new"),
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "path"),
    [
        (ACME, "Count visits.", "Count the visits.", "purposes[1]"),
        (CHAT, "A talk with us.", "Talking with us.", "services[2]"),
    ],
)
def test_another_wording_is_a_warning(
    policy_folder: Any, file: str, old: str, new: str, path: str
) -> None:
    before = policy_folder.read()
    policy_folder.edit(file, old, new)

    [finding] = check_revision(before, policy_folder.read())

    assert (finding.severity, finding.path) == ("warning", path)
    assert "unless the meaning is the same" in finding.message


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (ACME, "ip_passed_on: allowed", "ip_passed_on: excluded"),
        (ACME, "address: Kade 2", "address: Kade 3"),
        (ACME, "accept: Aanvaarden", "accept: Accepteren"),
        (COUNTER, "value: true", "value: 1"),
        (COUNTER, "countries: [DE, FI]", "countries: [FI, DE]"),
    ],
)
def test_what_no_consent_rests_on_may_change_freely(
    policy_folder: Any, file: str, old: str, new: str
) -> None:
    before = policy_folder.read()
    policy_folder.edit(file, old, new)

    assert check_revision(before, policy_folder.read()) == ()


def test_a_revision_never_goes_back(policy_folder: Any) -> None:
    before = policy_folder.read()
    policy_folder.edit(ACME, "revision: 2\neffective", "revision: 1\neffective")

    [finding] = check_revision(before, policy_folder.read())

    assert (finding.severity, finding.line, finding.column) == ("error", 27, 11)
    assert finding.message == "is 1, lower than the 2 in force; write 2 or more"
