"""The notice: all that both layers show, and nothing that is not known."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from bundle_samples import make_sources
from ruamel.yaml import YAML

from slagboom_banner.bundle import build_bundle
from slagboom_banner.notice import Notice, build_notice
from slagboom_banner.rules import check_policies

SOURCES = make_sources()
TEXTS = SOURCES.texts
ACME = "acme.yaml"
MARK = "unknown: never to be shown"


def build(policy_folder: Any, language: str = "nl") -> Notice:
    return build_notice(policy_folder.read(), language, TEXTS[language])


def spell(notice: Notice) -> str:
    """The document in the one spelling that its digest is taken of."""
    return json.dumps(notice.document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def list_places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where in a YAML document there is a text."""
    if isinstance(value, str):
        return [path]
    if not isinstance(value, dict | list):
        return []
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    return [place for key, item in entries for place in list_places(item, (*path, key))]


@pytest.mark.parametrize(
    ("file", "open_places"),
    [
        (
            ACME,
            {
                "controller.email",
                "controller.offices.0.address",
                "controller.offices.0.phone",
                "controller.offices.1.address",
                "controller.privacy_statement.en",
                "controller.privacy_statement.nl",
                "authorities.BE.website",
                "origins.0",
                "origins.1",
                "services.1.parameters.site_id",
            },
        ),
        ("services/counter.yaml", {"vendor.privacy_url"}),
        ("services/chat.yaml", {"vendor.privacy_url"}),
        ("services/kit.yaml", set()),
    ],
)
def test_what_is_unknown_is_never_shown_and_stops_the_start_where_it_must_be(
    policy_folder: Any, file: str, open_places: set[str]
) -> None:
    yaml = YAML(typ="safe", pure=True)
    path = policy_folder.directory / file
    original = path.read_text("utf-8")
    found_open = set()
    for place in list_places(yaml.load(original)):
        document = yaml.load(original)
        holder = document
        for step in place[:-1]:
            holder = holder[step]
        holder[place[-1]] = MARK
        with path.open("w", encoding="utf-8") as target:
            yaml.dump(document, target)
        policies, findings = check_policies(policy_folder.directory, TEXTS)
        if any(finding.severity == "error" for finding in findings):
            continue
        found_open.add(".".join(str(step) for step in place))
        bundle = build_bundle(policies["acme"], SOURCES)
        assert [finding.rule for finding in findings] == ["unknown-value"]
        for shown in (bundle.gate, *bundle.asking_gates.values(), *bundle.parts.values()):
            assert b"unknown:" not in shown
            assert b"never to be shown" not in shown

    assert found_open == open_places


def test_an_unknown_value_is_left_out_as_if_it_had_not_been_written(policy_folder: Any) -> None:
    policy_folder.edit(ACME, 'phone: "+32 9 000 00 00"', f"phone: '{MARK}'")
    policy_folder.edit(ACME, "email: privacy@acme.example", f"email: '{MARK}'")
    controller = build(policy_folder).document["controller"]

    assert controller["offices"][0]["phone"] is None
    assert controller["offices"][0]["address"] == "Dorp 1, 9820 Merelbeke"
    assert controller["email"] is None


def test_a_service_that_cannot_run_yet_says_so(policy_folder: Any) -> None:
    usual = build(policy_folder).document["services"]
    policy_folder.edit(ACME, "site_id: C-1234", f"site_id: '{MARK}'")
    services = build(policy_folder).document["services"]

    assert [service["is_configured"] for service in usual] == [True, True, True]
    assert [service["is_configured"] for service in services] == [True, False, True]


def test_the_digest_is_that_of_the_document_itself(policy_folder: Any) -> None:
    notice = build(policy_folder)

    assert notice.digest == hashlib.sha256(spell(notice).encode()).hexdigest()
    # Nothing is in the document that a database or a browser would read back differently.
    assert json.loads(spell(notice)) == notice.document


def test_the_notice_speaks_one_language_from_end_to_end(policy_folder: Any) -> None:
    dutch, english = (build(policy_folder, language) for language in ("nl", "en"))

    assert dutch.document["language"] == "nl"
    assert "Statistieken" in spell(dutch)
    assert "Autoriteit Persoonsgegevens" in spell(dutch)
    assert "Statistics" not in spell(dutch)
    assert "Dutch Data Protection Authority" not in spell(dutch)
    assert "Statistics" in spell(english)
    assert "Statistieken" not in spell(english)
    assert dutch.digest != english.digest


def test_the_companys_own_words_replace_the_kits(policy_folder: Any) -> None:
    policy_folder.edit(ACME, "accept: Aanvaarden", "accept: Aanvaarden\n    reopen: Mijn keuzes")
    texts = build(policy_folder).document["texts"]

    assert texts["accept"] == "Aanvaarden"
    assert texts["reopen"] == "Mijn keuzes"
    assert "“Mijn keuzes”" in texts["first_withdraw"]
    assert texts["reject"] == TEXTS["nl"]["reject"]


def test_only_places_for_the_browser_stay_open(policy_folder: Any) -> None:
    for language in ("nl", "en"):
        texts = build(policy_folder, language).document["texts"]
        for text in texts.values():
            for name in ("controller", "email", "reopen", "withdraw", "anonymise", "count"):
                assert f"{{{name}}}" not in text
        assert "Acme nv" in texts["first_intro"]
        assert "{date}" in texts["policy_date"]


def test_only_services_that_need_consent_are_counted(policy_folder: Any) -> None:
    document = build(policy_folder, "en").document

    assert document["texts"]["first_vendors"] == "Number of services: 2."
    assert [service["id"] for service in document["services"]] == ["kit", "counter", "chat"]


def test_what_is_necessary_comes_with_its_reason(policy_folder: Any) -> None:
    document = build(policy_folder, "en").document
    kit, counter, _ = document["services"]

    assert [purpose["necessary"] for purpose in document["purposes"]] == [True, False, False]
    assert kit["stored"][0]["reason"] == "Else you would be asked each time."
    assert counter["stored"][0]["reason"] is None
    assert counter["stored"][0]["lifetime_days"] == 390


def test_the_notice_holds_no_parameter_and_no_step(policy_folder: Any) -> None:
    text = spell(build(policy_folder))

    for private in ("C-1234", "site_id", "count.js", "counter.off"):
        assert private not in text
