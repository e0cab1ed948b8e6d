"""Paths into a document, as `purposes[1].legal_basis`, and where in the file they stand."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slagboom_banner.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

Place = tuple[int, int]
"""Line and column, one-based."""

_PLAIN_KEY = re.compile(r"[\w$.*-]+")


def join_path(path: str, step: str | int) -> str:
    """The path one step further down: a field's name or an item's index."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    if not _PLAIN_KEY.fullmatch(step):
        return f"{path}[{json.dumps(step, ensure_ascii=False)}]"
    return f"{path}.{step}" if path else step


def _parent(path: str) -> str:
    return path[: max(path.rfind("."), path.rfind("["), 0)]


@dataclass(frozen=True, slots=True)
class Positions:
    """Where each value and each key of one file stands, by path."""

    file: str
    values: Mapping[str, Place]
    keys: Mapping[str, Place]

    def locate(self, path: str) -> Place:
        """Where the value at `path` stands; for one left out, the nearest mapping or list above."""
        while path and path not in self.values:
            path = _parent(path)
        return self.values.get(path, (1, 1))

    def locate_key(self, path: str) -> Place:
        """Where the key itself stands that leads to `path`."""
        return self.keys.get(path) or self.locate(path)

    def schema_error(self, path: str, message: str) -> Finding:
        """An error in the form of the file, at the value's place."""
        line, column = self.locate(path)
        return Finding("error", "schema", self.file, line, column, path, message)
