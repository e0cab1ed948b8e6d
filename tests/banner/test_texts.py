"""The kit's own words: every language complete, every word used, every place filled."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from slagboom_banner import layers
from slagboom_banner.assets import static_directory, texts_directory
from slagboom_banner.model import StoredItem, Vendor
from slagboom_banner.texts import direction, fill, read_texts

TEXTS = read_texts(texts_directory())
LANGUAGES = sorted(TEXTS)
OTHERS = [language for language in LANGUAGES if language != "en"]
PLACE = re.compile(r"\{(\w+)\}")
PACKAGE = Path(layers.__file__).parent
DESCRIBING = "".join(
    (PACKAGE / name).read_text("utf-8") for name in ("layers.py", "gate_config.py")
)
"""What takes texts out of a notice; test_layers.py holds the scripts against what it gives."""
DRAWING = "".join(
    file.read_text("utf-8")
    for name in ("answered", "first", "second")
    for file in sorted((static_directory() / "js" / name).glob("*.js"))
)
RIGHTS = re.findall(r"\w+", DESCRIBING.partition("_RIGHTS = (")[2].partition(")")[0])
ENUMERATED = {
    "role_": get_args(Vendor.model_fields["role"].annotation),
    "kind_": get_args(StoredItem.model_fields["kind"].annotation),
    "right_": RIGHTS,
}
"""Keys that are put together from a beginning and one of these."""
FILLED_FROM_THE_POLICY = {
    *("controller", "email", "reopen", "withdraw", "anonymise", "count", "domains")
}


def list_used_keys() -> set[str]:
    """The keys that stand in what describes the layers, alone or as an enumerated beginning."""
    keys = set(re.findall(r"""["']([a-z]\w*)["']""", DESCRIBING)) & TEXTS["en"].keys()
    for beginning, ends in ENUMERATED.items():
        assert f'f"{beginning}{{' in DESCRIBING
        keys |= {beginning + end for end in ends}
    return keys


def list_filled_places() -> dict[str, set[str]]:
    """The places that somebody fills, by text key."""
    filled = {}
    for key, values in re.findall(r'fill\(texts\["(\w+)"\], \{([^}]*)\}', DESCRIBING):
        filled[key] = set(re.findall(r'"(\w+)":', values))
    for key, values in re.findall(r"fill\(texts\.(\w+), \{([^}]*)\}", DRAWING):
        filled[key] = set(re.findall(r"(\w+):", values))
    return filled


def test_the_companies_languages_are_spoken() -> None:
    assert {"de", "en", "fr", "nl"} <= set(LANGUAGES)


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_the_same_texts_in_the_same_order(language: str) -> None:
    assert list(TEXTS[language]) == list(TEXTS["en"])


@pytest.mark.parametrize("language", OTHERS)
def test_a_text_has_the_same_places_in_every_language(language: str) -> None:
    for key, text in TEXTS["en"].items():
        assert set(PLACE.findall(TEXTS[language][key])) == set(PLACE.findall(text)), key


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


def test_every_text_the_layers_ask_for_exists() -> None:
    used = list_used_keys()

    asked = re.findall(r"""\btexts(?:\[|\.get\()["'](\w+)["']""", DESCRIBING)

    assert len(used) > 50
    assert len(asked) > 20
    assert (used | set(asked)) - TEXTS["en"].keys() == set()


def test_every_text_is_shown_somewhere() -> None:
    assert TEXTS["en"].keys() - list_used_keys() == set()


def test_every_place_is_filled_by_somebody() -> None:
    filled = list_filled_places()
    places = {
        key: set(PLACE.findall(text)) - FILLED_FROM_THE_POLICY for key, text in TEXTS["en"].items()
    }

    assert {key: found for key, found in places.items() if found} == filled


def test_every_right_is_named() -> None:
    assert len(RIGHTS) == len(set(RIGHTS)) == 9


def test_a_place_is_filled_once_and_an_unknown_one_stays() -> None:
    assert fill("{a} and {b}, {c}", {"a": "{b}", "b": "2"}) == "{b} and 2, {c}"


@pytest.mark.parametrize(
    ("language", "expected"), [("nl", "ltr"), ("ar", "rtl"), ("he", "rtl"), ("xx", "ltr")]
)
def test_a_language_has_its_direction(language: str, expected: str) -> None:
    assert direction(language) == expected
