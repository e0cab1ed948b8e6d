"""The texts of both layers: languages, a policy's own wording, placeholders.

A text may hold `{name}` places. Those that depend on the policy alone are filled here, so that the
notice holds the words exactly as shown; dates and the names of single services are filled in the
browser, in the visitor's own format.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})

_PLACE = re.compile(r"\{(\w+)\}")

Texts = dict[str, dict[str, str]]


def read_texts(directory: Path) -> Texts:
    """Every language of `directory`, as `{language: {key: text}}`."""
    reader = YAML(typ="safe", pure=True)
    return {
        file.stem: {str(key): str(text) for key, text in reader.load(file).items()}
        for file in sorted(directory.glob("*.yaml"))
    }


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with the places named in `values` filled; others stay for the browser."""
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), text)


def direction(language: str) -> str:
    """`rtl` or `ltr`, as the HTML attribute `dir` has it."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"
