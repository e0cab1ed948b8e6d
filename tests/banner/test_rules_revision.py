"""What asks visitors again: a notice that asks something else needs a higher revision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from slagboom_banner.assets import policies_directory
from slagboom_banner.decide import read_offer
from slagboom_banner.load import read_policies
from slagboom_banner.notice import build_notice
from slagboom_banner.rules_revision import check_revision
from slagboom_banner.substance import substance

if TYPE_CHECKING:
    from slagboom_banner.errors import Finding
    from slagboom_banner.load import LoadedPolicy

ACME, KIT = "acme.yaml", "services/kit.yaml"
COUNTER, CHAT = "services/counter.yaml", "services/chat.yaml"
TEXTS = {"reopen": "Open", "withdraw": "Withdraw", "anonymise_label": "Anonymise"}


def publish(loaded: LoadedPolicy, language: str = "nl") -> dict[str, Any]:
    return build_notice(loaded, language, TEXTS).document


def compare(before: LoadedPolicy, after: LoadedPolicy) -> tuple[Finding, ...]:
    """What the later policy is told, after the Dutch notice of the earlier was published."""
    return check_revision(after, publish(before), publish(after, "en"))


CHANGES = [
    # the file, what stands there, what replaces it, where the finding points, what it says
    (ACME, "  - id: chat\n", "", "services", "'chat' is gone"),
    (CHAT, "countries: [NL]", "countries: [NL, BE]", "services[2]", "'chat' has other vendor"),
    (CHAT, "Chat B.V.", "Talk B.V.", "services[2]", "'chat' has other vendor"),
    (CHAT, "role: controller", "role: processor", "services[2]", "'chat' has other vendor"),
    (CHAT, "days: 0", "days: 1", "services[2]", "'chat' has other stored"),
    (CHAT, "kind: session_storage", "kind: local_storage", "services[2]", "has other stored"),
    (CHAT, "pattern: chat", "pattern: talk", "services[2]", "'chat' has other stored"),
    (CHAT, "embed:", "needs_full_ip: true\nembed:", "services[2]", "has other needs_full_ip"),
    (COUNTER, '["*.counter.example"]', "[cdn.counter.example]", "services[1]", "has other hosts"),
    (
        COUNTER,
        "Pages viewed}",
        "Pages viewed}\n  - {nl: Land, en: Country}",
        "services[1]",
        "has other kinds of data",
    ),
    (
        ACME,
        "  - id: chat\n",
        "  - {id: chat, purpose: statistics}\n",
        "services[2]",
        "has other purpose",
    ),
    (
        ACME,
        "legal_basis: strictly_necessary",
        "legal_basis: consent",
        "purposes[0]",
        "'necessary' has other necessary than was published",
    ),
    (
        ACME,
        "ip_passed_on: allowed",
        "ip_passed_on: allowed\naccept_all_anonymises_ip: false",
        "accept_all_anonymises_ip",
        "is not what was published",
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

    findings = compare(before, policy_folder.read())

    assert [(finding.severity, finding.path) for finding in findings] == [("error", path)]
    assert words in findings[0].message
    assert findings[0].message.endswith(
        ", under the same revision 2; raise revision to 3 and say under changes what is new"
    )
    assert findings[0].source


@pytest.mark.parametrize("change", CHANGES)
def test_under_a_higher_revision_everything_may_change(
    policy_folder: Any, change: tuple[str, str, str, str, str]
) -> None:
    before = policy_folder.read()
    policy_folder.edit(*change[:3])
    policy_folder.edit(ACME, *NEW_REVISION)

    assert compare(before, policy_folder.read()) == ()


@pytest.mark.parametrize("change", CHANGES)
def test_an_answer_belongs_to_one_substance(
    policy_folder: Any, change: tuple[str, str, str, str, str]
) -> None:
    before = read_offer(policy_folder.read()).scope
    policy_folder.edit(*change[:3])

    assert read_offer(policy_folder.read()).scope != before


def test_a_new_service_and_a_new_purpose_need_a_higher_revision(policy_folder: Any) -> None:
    after = policy_folder.read()
    policy_folder.edit(ACME, "  - id: chat\n", "")
    purpose = """  - id: contact
    legal_basis: consent
    name: {nl: Contact, en: Contact}
    description: {nl: Chatten met ons., en: Chat with us.}
"""
    policy_folder.edit(ACME, purpose, "")

    findings = compare(policy_folder.read(), after)

    assert [(f.path, f.line, f.message.partition(",")[0]) for f in findings] == [
        ("purposes[2]", 48, "'contact' is new"),
        ("services[2]", 57, "'chat' is new"),
    ]


FREE = [
    (ACME, "Count visits.", "Count the visits."),
    (ACME, "nl: Statistieken", "nl: Cijfers"),
    (CHAT, "A talk with us.", "Talking with us."),
    (CHAT, "name: Chat\n", "name: Chat window\n"),
    (CHAT, "chat.example/privacy", "chat.example/policy"),
    (COUNTER, "Pages viewed", "Pages seen"),
    (ACME, "address: Kade 2", "address: Kade 3"),
    (ACME, "accept: Aanvaarden", "accept: Accepteren"),
    (ACME, "site_id: C-1234", "site_id: C-4321"),
    (ACME, "consent_lifetime_days: 182", "consent_lifetime_days: 90"),
    (COUNTER, "value: true", "value: 1"),
    (COUNTER, "countries: [DE, FI]", "countries: [FI, DE]"),
]


@pytest.mark.parametrize("edit", FREE)
def test_what_no_consent_rests_on_may_change_freely(
    policy_folder: Any, edit: tuple[str, str, str]
) -> None:
    before = policy_folder.read()
    policy_folder.edit(*edit)
    after = policy_folder.read()

    assert compare(before, after) == ()
    assert read_offer(after).scope == read_offer(before).scope


def test_a_storage_without_an_end_compares_with_the_rest(policy_folder: Any) -> None:
    item = "purpose: {nl: Houdt het gesprek vast., en: Keeps the talk.}\n"
    endless = "  - {kind: session_storage, pattern: chat, lifetime_days: null, " + item.replace(
        "\n", "}\n"
    )
    policy_folder.edit(CHAT, f"    {item}", f"    {item}{endless}")
    before = policy_folder.read()

    assert compare(before, policy_folder.read()) == ()


def test_every_language_of_a_shipped_policy_asks_the_same() -> None:
    for loaded in read_policies(policies_directory()).values():
        first, *others = (
            substance(publish(loaded, language)) for language in loaded.policy.languages
        )

        assert all(other == first for other in others)


def test_a_revision_never_goes_back(policy_folder: Any) -> None:
    before = policy_folder.read()
    policy_folder.edit(ACME, "revision: 2\neffective", "revision: 1\neffective")

    [finding] = compare(before, policy_folder.read())

    assert (finding.severity, finding.line, finding.column) == ("error", 27, 11)
    assert finding.message == "is 1, lower than the 2 that was published; write 2 or more"
