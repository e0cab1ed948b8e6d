"""Rules on words: equal and neutral answers, honest phrases, every language complete."""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from typing import TYPE_CHECKING

from slagboom_banner.localised import localised_texts
from slagboom_banner.phrases import CONTINUED_BROWSING, LEGITIMATE_INTEREST, STEERING_WORDS
from slagboom_banner.remark import Remark, Texts
from slagboom_banner.wording import suggest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from slagboom_banner.load import LoadedPolicy

ANSWERS = ("accept", "reject", "choose", "save")
"""The text keys of the buttons that answer."""
BUTTONS = (*ANSWERS, "withdraw", "placeholder_once", "placeholder_always")
MAX_LENGTH_RATIO = 1.6
"""How much longer, in characters, accept or reject may be than the other."""

_EXCLAMATIONS = "!¡\N{FULLWIDTH EXCLAMATION MARK}"
_PLACE = re.compile(r"\{(\w+)\}")
_SHOWN_KEYS = 5


def _shown(loaded: LoadedPolicy, texts: Texts, language: str) -> dict[str, str]:
    """The texts as visitors see them: the kit's own, overridden by the policy's."""
    return {**texts.get(language, {}), **loaded.policy.texts.get(language, {})}


def _reference(texts: Texts) -> dict[str, str]:
    """The English texts, whose keys and placeholders every language must have."""
    return dict(texts.get("en", {}))


def _path(loaded: LoadedPolicy, language: str, *keys: str) -> str:
    """Where the policy writes the first of these texts, or names the language that brings them."""
    for key in keys:
        if key in loaded.policy.texts.get(language, {}):
            return f"texts.{language}.{key}"
    return f"languages[{loaded.policy.languages.index(language)}]"


@functools.lru_cache(maxsize=4096)
def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).replace("\u2019", "'")
    return " ".join(plain.casefold().split())


def _steering(language: str, text: str) -> str | None:
    """What in a button's text steers, or None."""
    for character in text:
        if character in _EXCLAMATIONS or unicodedata.category(character) == "So":
            return character
    folded = _fold(text)
    for word in STEERING_WORDS.get(language, ()):
        if re.search(rf"(?<!\w){re.escape(_fold(word))}(?!\w)", folded):
            return word
    return None


def check_neutral_buttons(loaded: LoadedPolicy, texts: Texts) -> Iterator[Remark]:
    """A button says what it does, without praise, regret, emoji or exclamation.

    Source: EDPB Guidelines 03/2022 (stirring); Autoriteit Persoonsgegevens on cookie banners.
    """
    for language in loaded.policy.languages:
        shown = _shown(loaded, texts, language)
        for key in BUTTONS:
            found = _steering(language, shown.get(key, ""))
            if found is not None:
                yield Remark(
                    _path(loaded, language, key),
                    f"the button {key} in {language}, {shown[key]!r}, steers with {found!r}; write "
                    "only what the button does",
                )


def check_equal_buttons(loaded: LoadedPolicy, texts: Texts) -> Iterator[Remark]:
    """Accept and refuse weigh the same, and no two answers read alike.

    Source: GBA decision 113/2024; EDPB Cookie Banner Taskforce report (January 2023).
    """
    for language in loaded.policy.languages:
        shown = _shown(loaded, texts, language)
        answers = {key: shown[key].strip() for key in ANSWERS if shown.get(key, "").strip()}
        for first, second in itertools.combinations(answers, 2):
            if _fold(answers[first]) == _fold(answers[second]):
                yield Remark(
                    _path(loaded, language, first, second),
                    f"the buttons {first} and {second} in {language} both say {answers[first]!r}; "
                    "tell them apart",
                )
        if not {"accept", "reject"} <= answers.keys():
            continue
        accept, reject = answers["accept"], answers["reject"]
        path = _path(loaded, language, "accept", "reject")
        if max(len(accept), len(reject)) > MAX_LENGTH_RATIO * min(len(accept), len(reject)):
            yield Remark(
                path,
                f"{accept!r} and {reject!r} in {language} differ too much in length; write them "
                "alike, as “Accept all” and “Refuse all”",
            )
        if accept.isupper() != reject.isupper():
            yield Remark(
                path, f"{accept!r} and {reject!r} in {language}: write both or none in capitals"
            )


def _find(phrases: Iterable[str], text: str) -> list[str]:
    folded = _fold(text)
    return [phrase for phrase in phrases if _fold(phrase) in folded]


def _check_phrases(
    loaded: LoadedPolicy, texts: Texts, phrases: Iterable[str], advice: str
) -> Iterator[Remark]:
    for language in loaded.policy.languages:
        for key, text in _shown(loaded, texts, language).items():
            for phrase in _find(phrases, text):
                yield Remark(
                    _path(loaded, language, key),
                    f"the text {key} in {language} says {phrase!r}; {advice}",
                )
    for path, versions, service in localised_texts(loaded):
        for language, text in versions.items():
            for phrase in _find(phrases, text):
                yield Remark(
                    f"{path}.{language}", f"says {phrase!r}; {advice}", service, bool(service)
                )


def check_continued_browsing(loaded: LoadedPolicy, texts: Texts) -> Iterator[Remark]:
    """No text takes browsing on, scrolling or using the site for consent.

    Source: GDPR Art. 4(11); EDPB Guidelines 05/2020.
    """
    advice = "going on browsing is no consent, remove the sentence"
    yield from _check_phrases(loaded, texts, CONTINUED_BROWSING, advice)


def check_legitimate_interest(loaded: LoadedPolicy, texts: Texts) -> Iterator[Remark]:
    """No text claims legitimate interest for storing or reading.

    Source: ePrivacy Directive Art. 5(3); EDPB Cookie Banner Taskforce report (January 2023).
    """
    advice = "that is no ground for storing or reading on a device, remove it"
    yield from _check_phrases(loaded, texts, LEGITIMATE_INTEREST, advice)


def check_language_complete(loaded: LoadedPolicy, texts: Texts) -> Iterator[Remark]:
    """Each language of the policy has every text.

    Source: GDPR Art. 12(1); EDPB Guidelines 03/2022 (language discontinuity).
    """
    for index, language in enumerate(loaded.policy.languages):
        shown = _shown(loaded, texts, language)
        needed = {**dict.fromkeys(ANSWERS, ""), **_reference(texts)}
        missing = [key for key in needed if not shown.get(key, "").strip()]
        if missing:
            keys = ", ".join(missing[:_SHOWN_KEYS])
            more = f" and {len(missing) - _SHOWN_KEYS} more" if missing[_SHOWN_KEYS:] else ""
            yield Remark(
                f"languages[{index}]",
                f"lacks the texts {keys}{more} in {language}; write them under texts.{language}, "
                f"or use one of {', '.join(sorted(texts))}",
            )
    for path, versions, service in localised_texts(loaded):
        for language in loaded.policy.languages:
            if not versions.get(language, "").strip():
                yield Remark(
                    f"{path}.{language}",
                    f"is missing, though {loaded.policy.site} speaks {language}; write it",
                    service,
                    bool(service),
                )


def check_placeholders(loaded: LoadedPolicy, texts: Texts) -> Iterator[Remark]:
    """A text names the same `{placeholders}` in each language, so that none says less.

    Source: GDPR Art. 12(1).
    """
    for language in loaded.policy.languages:
        shown = _shown(loaded, texts, language)
        for key, english in _reference(texts).items():
            wanted, found = set(_PLACE.findall(english)), set(_PLACE.findall(shown.get(key, "")))
            if shown.get(key, "").strip() and wanted != found:
                places = ", ".join(f"{{{name}}}" for name in sorted(wanted)) or "none"
                yield Remark(
                    _path(loaded, language, key),
                    f"the text {key} in {language} has other placeholders than in English; use "
                    f"{places}",
                )


def check_known_texts(loaded: LoadedPolicy, texts: Texts) -> Iterator[Remark]:
    """An override replaces a text there is, in a language the policy speaks.

    Source: GDPR Art. 12(1): what the company wrote is what visitors read.
    """
    reference = _reference(texts)
    for language, overrides in loaded.policy.texts.items():
        if language not in loaded.policy.languages:
            yield Remark(f"texts.{language}", "is no language of this policy; add it to languages")
        for key in overrides:
            if key not in reference:
                yield Remark(f"texts.{language}.{key}", f"is no text; {suggest(key, reference)}")
