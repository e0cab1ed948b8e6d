"""Dates, countries and lists in every language of the kit, also those a browser does not know."""

from __future__ import annotations

import pytest

from slagboom_banner.assets import texts_directory
from slagboom_banner.locales import format_day, join_names, name_country, name_locale
from slagboom_banner.texts import read_texts

LANGUAGES = sorted(read_texts(texts_directory()))
DAY = "2026-11-01"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_writes_days_and_countries_in_words_of_its_own(language: str) -> None:
    day = format_day(language, DAY)

    assert "2026" in day
    assert day != DAY
    assert len(day) > len("1 nov 2026")
    if language != "en":
        assert name_country(language, "DE") != name_country("en", "DE")
        assert day != format_day("en", DAY)


@pytest.mark.parametrize(
    ("language", "day", "names"),
    [
        ("en", "1 November 2026", "United States, Ireland and Poland"),
        ("pt", "1 de novembro de 2026", "Estados Unidos, Irlanda e Polónia"),
        ("ga", "1 Samhain 2026", "Stáit Aontaithe Mheiriceá, Éire agus an Pholainn"),
        ("mt", "1 ta\u2019 Novembru 2026", "l-Istati Uniti, l-Irlanda, u il-Polonja"),
        ("is", "1. nóvember 2026", "Bandaríkin, Írland og Pólland"),
    ],
)
def test_languages_that_browsers_lack_or_take_for_another_are_written_out(
    language: str, day: str, names: str
) -> None:
    countries = [name_country(language, code) for code in ("US", "IE", "PL")]

    assert format_day(language, DAY) == day
    assert join_names(language, countries) == names


def test_a_browser_is_told_of_the_language_as_it_is_spoken_in_europe() -> None:
    assert [name_locale(language) for language in ("en", "pt", "no", "nl")] == [
        "en-GB",
        "pt-PT",
        "nb",
        "nl",
    ]


def test_a_language_nobody_knows_is_written_as_english_and_a_place_by_its_code() -> None:
    assert format_day("xx", DAY) == "1 November 2026"
    assert name_country("nl", "XX") == "XX"
    assert name_country("nl", "Q9") == "Q9"
