"""What the layers draw comes from the notice's document, and all of it is drawn."""

from __future__ import annotations

import inspect
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from bundle_samples import make_sources, read_asking_gate, read_part

from slagboom_banner.assets import static_directory
from slagboom_banner.bundle import build_bundle
from slagboom_banner.layers import (
    describe_answered,
    describe_embeds,
    describe_first_layer,
    describe_second_layer,
)
from slagboom_banner.load import read_policies
from slagboom_banner.locales import format_day, join_names, name_country, name_locale
from slagboom_banner.notice import build_notice

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Describe = Callable[[dict[str, Any]], dict[str, Any]]

SOURCES = make_sources()
ACME, COUNTER, CHAT = "acme.yaml", "services/counter.yaml", "services/chat.yaml"
DESCRIBED: dict[str, Describe] = {
    "answered": describe_answered,
    "first": describe_first_layer,
    "embed": describe_embeds,
    "second": describe_second_layer,
}
LANGUAGES = ("nl", "en")
WORD = re.compile(r"[^\W_]+")


@pytest.fixture
def folder(policy_folder: Any) -> Any:
    """A policy with something of everything: full address, unknown values, nothing stored."""
    policy_folder.edit(
        COUNTER, "purpose: statistics\n", "purpose: statistics\nneeds_full_ip: true\n"
    )
    policy_folder.edit(ACME, "site_id: C-1234", "site_id: 'unknown: not asked yet'")
    policy_folder.edit(
        ACME, "languages: [nl, en]\n", "languages: [nl, en]\naccept_all_anonymises_ip: false\n"
    )
    chat = policy_folder.directory / CHAT
    chat.write_text(re.sub(r"(?s)stored:.*?(?=embed:)", "", chat.read_text("utf-8")), "utf-8")
    return policy_folder


def document(folder: Any, language: str = "nl") -> dict[str, Any]:
    """As the store gives it back: JSON and nothing else."""
    notice = build_notice(folder.read(), language, SOURCES.texts[language])
    stored: dict[str, Any] = json.loads(json.dumps(notice.document))
    return stored


def list_texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [text for item in value for text in list_texts(item)] if isinstance(value, list) else []


def list_words(value: Any) -> set[str]:
    return set(WORD.findall(json.dumps(value, ensure_ascii=False)))


@pytest.mark.parametrize("layer", DESCRIBED)
def test_a_layer_is_drawn_from_the_stored_document_alone(folder: Any, layer: str) -> None:
    """So that what a record names can be shown again, whatever has become of the policy."""
    (parameter,) = inspect.signature(DESCRIBED[layer]).parameters
    bundle = build_bundle(folder.read(), SOURCES)
    for language in LANGUAGES:
        _, served = read_part(bundle, f"{layer}-{language}")
        described = DESCRIBED[layer](document(folder, language))

        assert parameter == "document"
        assert served == ({language: described} if layer == "first" else described)
    if layer == "first":
        assert read_asking_gate(bundle, "en")["en"] == describe_first_layer(document(folder, "en"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("layer", DESCRIBED)
def test_a_layer_says_no_word_that_the_notice_does_not_hold(
    folder: Any, layer: str, language: str
) -> None:
    """A record names the notice's digest: what was shown must be in it."""
    whole = document(folder, language)
    drawn = list_texts(DESCRIBED[layer](whole))
    days = [whole["effective"], whole["controller"]["statement_date"]]
    days += [change["date"] for change in whole["changes"]]
    codes = [office["country"] for office in whole["controller"]["offices"]]
    codes += [code for service in whole["services"] for code in service["vendor"]["countries"]]
    written = [
        name_locale(language),
        *(format_day(language, day) for day in days),
        join_names(language, [name_country(language, code) for code in codes]),
    ]

    assert len(drawn) > 5
    assert list_words(drawn) <= list_words([whole, written])


@pytest.mark.parametrize("layer", DESCRIBED)
def test_describing_a_layer_leaves_the_document_as_it_was(folder: Any, layer: str) -> None:
    """The digest is that of the document; the next layer draws the same one."""
    whole = document(folder)
    DESCRIBED[layer](whole)

    assert whole == document(folder)


def read_script(directory: Path) -> str:
    return "".join(file.read_text("utf-8") for file in sorted(directory.glob("*.js")))


def list_drawn_texts(script: str) -> set[str]:
    """The keys of texts that a script reads."""
    keys = set(re.findall(r"\btexts\.([a-z]\w*)", script))
    for either in re.findall(r"\btexts\[([^\]]*\?[^\]]*)\]", script):
        keys |= set(re.findall(r'"(\w+)"', either))
    for taken in re.findall(r"\{([^{}]*)\} = (?:notice\.)?texts;", script):
        keys |= set(re.findall(r"(?:^|,) (\w+)", taken))
    return keys


@pytest.mark.parametrize("layer", ["answered", "first", "second"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_layer_is_given_every_text_it_draws_and_no_other(
    folder: Any, layer: str, language: str
) -> None:
    drawn = list_drawn_texts(read_script(static_directory() / "js" / layer))
    given = DESCRIBED[layer](document(folder, language))["texts"]

    assert len(drawn) > 6
    assert drawn == given.keys()


def test_what_a_policy_never_shows_is_left_out(policy_folder: Any) -> None:
    """Pages pay for every byte."""
    usual = describe_answered(document(policy_folder))
    assert [change["revision"] for change in usual["changes"]] == [2]
    assert "logo" not in describe_first_layer(document(policy_folder))
    assert "stored_none" not in describe_second_layer(document(policy_folder))["texts"]

    policy = policy_folder.directory / ACME
    text = re.sub(r"(?s)  - revision: 2.*?(?=consent_lifetime_days)", "", policy.read_text("utf-8"))
    policy.write_text(text.replace("\nrevision: 2\n", "\nrevision: 1\n"), "utf-8")
    answered = describe_answered(document(policy_folder))

    assert "changes" not in answered
    assert "changed_title" not in answered["texts"]


def test_only_a_policy_that_gives_the_full_address_away_says_so_first(
    folder: Any, policy_folder: Any
) -> None:
    with_it = describe_first_layer(document(folder))["words"]
    policy_folder.edit(ACME, "accept_all_anonymises_ip: false\n", "")
    without = describe_first_layer(document(folder))["words"]

    assert "Counter" in with_it
    assert "Counter" not in without
    assert "  " not in with_it + without


@pytest.mark.parametrize(
    ("days", "said"),
    [("null", "lifetime_unlimited"), ("0", "lifetime_session"), ("1", "lifetime_day")],
)
def test_a_lifetime_is_told_in_words_where_there_are_some(
    folder: Any, days: str, said: str
) -> None:
    folder.edit(COUNTER, "lifetime_days: 390", f"lifetime_days: {days}")
    whole = document(folder)
    (counter,) = (
        service
        for service in describe_second_layer(whole)["services"]
        if service["id"] == "counter"
    )

    assert counter["stored"][0][2] == whole["texts"][said]


def test_a_service_that_cannot_run_yet_is_told_of(folder: Any) -> None:
    whole = document(folder)
    kit, counter, chat = describe_second_layer(whole)["services"]

    assert counter["notes"] == [
        whole["texts"]["needs_full_ip"],
        whole["texts"]["service_not_configured"],
    ]
    assert not {"notes"} & (kit.keys() | chat.keys())
    # Only what goes to somebody else's host is a connection to name.
    assert counter["description"] != "Telt bezoeken."
    assert kit["description"] == "Vraagt uw keuze."


def test_a_placeholder_stands_only_for_what_is_asked_about(folder: Any) -> None:
    described = describe_embeds(document(folder))

    assert list(described["embeds"]) == ["chat"]
    assert "Chat B.V." in json.dumps(described["embeds"]["chat"])
    policies = read_policies(folder.directory)
    assert [service.id for service in policies["acme"].services if service.embed] == ["chat"]
