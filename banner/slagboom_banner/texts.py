"""The texts of both layers: languages, a policy's own wording, placeholders.

A text may hold `{name}` places. Those that depend on the policy alone are filled here, so that the
notice holds the words exactly as shown; dates and the names of single services are filled in the
browser, in the visitor's own format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})

_PLACE = re.compile(r"\{(\w+)\}")


class Texts(Mapping[str, Mapping[str, str]]):
    """Every language of a folder, as `{language: {key: text}}`.

    A language is read when it is wanted: a site speaks a few of thirty, and a start waits for all.
    """

    def __init__(self, directory: Path) -> None:
        self._files = {file.stem: file for file in sorted(directory.glob("*.yaml"))}
        self._read: dict[str, dict[str, str]] = {}

    def __getitem__(self, language: str) -> Mapping[str, str]:
        """The texts of one language, by key."""
        if language not in self._read:
            texts = YAML(typ="safe", pure=True).load(self._files[language])
            self._read[language] = {str(key): str(text) for key, text in texts.items()}
        return self._read[language]

    def __iter__(self) -> Iterator[str]:
        """The languages, by code."""
        return iter(self._files)

    def __len__(self) -> int:
        """How many languages there are."""
        return len(self._files)


def read_texts(directory: Path) -> Texts:
    """Every language of `directory`."""
    return Texts(directory)


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with the places named in `values` filled; others stay for the browser."""
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), text)


def direction(language: str) -> str:
    """`rtl` or `ltr`, as the HTML attribute `dir` has it."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"
