"""The kit's own words: every language complete, every word used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from slagboom_banner.assets import static_directory, texts_directory
from slagboom_banner.texts import direction, fill, read_texts

TEXTS = read_texts(texts_directory())
LANGUAGES = ("de", "en", "fr", "nl")
OTHERS = tuple(language for language in LANGUAGES if language != "en")
PLACE = re.compile(r"\{(\w+)\}")
SCRIPTS = "\n".join(
    file.read_text("utf-8")
    for file in sorted((static_directory() / "js").rglob("*.js"))
    if file.parent.name != "dist"
)
ENUMERATED = {
    "role_": {"processor", "controller", "joint_controller", "own"},
    "kind_": {"cookie", "local_storage", "session_storage"},
    "right_": set(re.findall(r'^  "(\w+)",$', SCRIPTS.partition("const RIGHTS")[2], re.MULTILINE)),
}
"""Keys that the scripts put together from a beginning and one of these."""
FILLED_IN_PYTHON = {"controller", "email", "reopen", "withdraw", "anonymise", "count"}


def list_used_keys() -> set[str]:
    """The keys that stand in the scripts, alone or as an enumerated beginning."""
    keys = set(re.findall(r"\btexts\.([a-z]\w*)", SCRIPTS))
    keys |= set(re.findall(r'\b(?:format\.text|row)\("(\w+)"', SCRIPTS))
    # Either of two, as in format.text(condition ? "one" : "other") and texts[condition ? …].
    for arguments in re.findall(r"(?:format\.text\(|\btexts\[)([^()\[\]]*\?[^()\[\]]*)", SCRIPTS):
        keys |= set(re.findall(r'"(\w+)"', arguments))
    keys |= set(re.findall(r'"(stored_\w+)"', SCRIPTS))
    keys |= {f"{message}_status" for message in re.findall(r'say\("(\w+)"\)', SCRIPTS)}
    for beginning, ends in ENUMERATED.items():
        assert f"`{beginning}${{" in SCRIPTS
        keys |= {beginning + end for end in ends}
    return keys


def test_the_kit_speaks_four_languages() -> None:
    assert tuple(sorted(TEXTS)) == LANGUAGES


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_the_same_texts_in_the_same_order(language: str) -> None:
    assert list(TEXTS[language]) == list(TEXTS["en"])


@pytest.mark.parametrize("language", OTHERS)
def test_a_text_has_the_same_places_in_every_language(language: str) -> None:
    for key, text in TEXTS["en"].items():
        assert sorted(PLACE.findall(TEXTS[language][key])) == sorted(PLACE.findall(text)), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_finished(language: str) -> None:
    for key, text in TEXTS[language].items():
        assert text == text.strip(), key
        assert text, key
        assert not re.search(r"\s\s|TODO|XXX|FIXME|unknown|\?\?|<[a-z/]|&\w+;", text), key
        assert not PLACE.sub("", text).count("{"), key
        assert not PLACE.sub("", text).count("}"), key


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_is_left_untranslated(language: str) -> None:
    same = {key for key, text in TEXTS[language].items() if text == TEXTS["en"][key]}

    assert not {key for key in same if " " in TEXTS["en"][key]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_answers_of_one_language_read_differently(language: str) -> None:
    answers = [TEXTS[language][key] for key in ("accept", "reject", "choose", "save", "close")]

    assert len(set(answers)) == len(answers)


def test_every_text_the_scripts_ask_for_exists() -> None:
    used = list_used_keys()

    assert len(used) > 50
    assert used - TEXTS["en"].keys() == set()


def test_every_text_is_shown_somewhere() -> None:
    assert TEXTS["en"].keys() - list_used_keys() == set()


def test_every_place_is_filled_by_somebody() -> None:
    places = {place for text in TEXTS["en"].values() for place in PLACE.findall(text)}
    by_script = set(re.findall(r"\{ (\w+)[,:}]| (\w+): [^,{}]+[,}] ", SCRIPTS))
    named = {name for pair in by_script for name in pair if name}

    assert places - FILLED_IN_PYTHON <= named
    assert places >= FILLED_IN_PYTHON


def test_the_enumerated_ends_are_those_of_the_model() -> None:
    schema = Path(__file__).parents[2] / "policies" / "schema.json"
    model = schema.read_text("utf-8") + (
        texts_directory().parent.joinpath("model.py").read_text("utf-8")
    )

    assert len(ENUMERATED["right_"]) == 9
    for end in ENUMERATED["role_"] | ENUMERATED["kind_"]:
        assert f'"{end}"' in model


def test_a_place_is_filled_once_and_an_unknown_one_stays() -> None:
    assert fill("{a} and {b}, {c}", {"a": "{b}", "b": "2"}) == "{b} and 2, {c}"


@pytest.mark.parametrize(
    ("language", "expected"), [("nl", "ltr"), ("ar", "rtl"), ("he", "rtl"), ("xx", "ltr")]
)
def test_a_language_has_its_direction(language: str, expected: str) -> None:
    assert direction(language) == expected
