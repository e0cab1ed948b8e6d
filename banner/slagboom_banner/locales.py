"""Dates, countries and lists as a language writes them, by Unicode's CLDR.

A browser knows fewer languages than the kit: Irish, Maltese and Icelandic would be told dates and
countries in English. What does not depend on the visitor's clock is therefore written here.
"""

from __future__ import annotations

import datetime as dt
import functools

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.lists import format_list

_EUROPEAN = {"en": "en_GB", "pt": "pt_PT", "no": "nb"}
"""Where the bare language would be another continent's, or goes by another name."""


@functools.cache
def _find(language: str) -> Locale:
    try:
        return Locale.parse(_EUROPEAN.get(language, language))
    except UnknownLocaleError:
        return Locale.parse(_EUROPEAN["en"])


def name_locale(language: str) -> str:
    """The same for a browser, as a language tag (BCP 47): `pt-PT`."""
    return str(_find(language)).replace("_", "-")


def format_day(language: str, day: str) -> str:
    """A day written out. day: as 2026-11-21."""
    return format_date(dt.date.fromisoformat(day), "long", locale=_find(language))


def name_country(language: str, code: str) -> str:
    """A country by its ISO 3166-1 code; the code itself where it has no name."""
    return str(_find(language).territories.get(code, code))


def join_names(language: str, names: list[str]) -> str:
    """Names in one line, with the language's word for `and`."""
    return format_list(names, locale=_find(language))
