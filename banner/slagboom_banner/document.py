"""A YAML file as plain values, with the place of each of them.

Only the YAML that is needed is read: mappings with text keys, lists, texts, numbers, true, false
and null, by the core schema of YAML 1.2 (`no` is a text, a date is a text until a model reads it).
Tags and aliases are refused: tags name types to construct, aliases let a small file grow without
end. The file is read as a stream of events, so that its depth is known before it is built.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)
from ruamel.yaml.reader import ReaderError

from slagboom_banner.errors import Finding, PolicyError
from slagboom_banner.positions import Place, Positions, join_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydantic import JsonValue

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_ADVICE = {
    "mapping values are not allowed": "put the text in quotes where it holds a colon and a space, "
    "or mend the indentation",
    "found character '\\t'": "indent with spaces",
    "found duplicate anchor": "write the values out",
    "could not find expected ':'": "write `name: value`",
    "expected <block end>": "mend the indentation",
    "found unexpected end of stream": "close the quotes",
}


@dataclass(frozen=True, slots=True)
class Document:
    """One file: its value, the places of its parts, and the errors that do not hide others."""

    value: dict[str, JsonValue]
    positions: Positions
    findings: tuple[Finding, ...]


def read_document(file: Path) -> Document:
    """The plain content of a YAML file.

    Raises:
        PolicyError: with one finding, where the file cannot be read as YAML at all.
    """
    name = str(file)
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        _refuse(name, (1, 1), f"cannot be read ({error.strerror}); check the name and the rights")
    if len(content) > MAX_BYTES:
        _refuse(name, (1, 1), f"is larger than {MAX_BYTES // 1024} KiB; split it or shorten it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig")
        _refuse(name, _place_at(before, len(before)), "is not UTF-8; save the file as UTF-8")
    return _Builder(name, text).build()


def _refuse(file: str, place: Place, message: str) -> NoReturn:
    raise PolicyError((Finding("error", "yaml", file, *place, "", message),))


def _place_at(text: str, offset: int) -> Place:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def _place_of(mark: Any) -> Place:  # noqa: ANN401 ruamel's marks come untyped
    return mark.line + 1, mark.column + 1


class _Builder:
    """Builds one document from its events, noting each place."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._text = text
        self._last: Place = (1, 1)
        self._events = self._read_events()
        self._values: dict[str, Place] = {}
        self._keys: dict[str, Place] = {}
        self._findings: list[Finding] = []

    def build(self) -> Document:
        """The whole document; a file holds exactly one, and it is a mapping."""
        event = next(self._events)
        if isinstance(event, StreamEndEvent):
            _refuse(self._file, (1, 1), "is empty; write the fields, one `name: value` a line")
        if event.version not in {None, (1, 2)}:
            _refuse(self._file, self._last, "is not YAML 1.2; remove the %YAML line")
        event = next(self._events)
        if not isinstance(event, MappingStartEvent):
            _refuse(self._file, self._last, "is no mapping; write the fields as `name: value`")
        value = self._mapping(event, "", 1)
        next(self._events)
        if not isinstance(next(self._events), StreamEndEvent):
            _refuse(self._file, self._last, "holds a second document; remove the line `---`")
        positions = Positions(self._file, self._values, self._keys)
        return Document(value, positions, tuple(self._findings))

    def _read_events(self) -> Iterator[Any]:
        try:
            for event in YAML(typ="safe", pure=True).parse(self._text):
                if not isinstance(event, StreamStartEvent):
                    self._last = _place_of(event.start_mark)
                    yield event
        except MarkedYAMLError as error:
            problem = str(error.problem or error.context)
            advice = next((said for start, said in _ADVICE.items() if start in problem), None)
            place = _place_of(error.problem_mark) if error.problem_mark else self._last
            shown = " ".join(problem.split())
            _refuse(self._file, place, f"{shown}; {advice or 'correct the YAML here'}")
        except ReaderError as error:
            place = _place_at(self._text, error.position)
            _refuse(self._file, place, "holds a control character; remove it")
        except (OverflowError, ValueError):  # ruamel turns an escape as "\UFFFFFFFF" into chr()
            _refuse(self._file, self._last, "holds an impossible escape below here; correct it")

    def _value(self, event: Any, path: str, depth: int) -> JsonValue:  # noqa: ANN401 untyped events
        if depth > MAX_DEPTH:
            _refuse(self._file, self._last, f"is more than {MAX_DEPTH} levels deep; flatten it")
        if isinstance(event, AliasEvent):
            _refuse(self._file, self._last, "uses an alias (*name); write the value out")
        if event.tag is not None:
            message = "has a tag (!…); remove the tag, put a text in quotes"
            self._findings.append(Finding("error", "yaml", self._file, *self._last, path, message))
        if isinstance(event, MappingStartEvent):
            return self._mapping(event, path, depth)
        if isinstance(event, SequenceStartEvent):
            self._values[path] = self._last
            items: list[JsonValue] = []
            while not isinstance(event := next(self._events), SequenceEndEvent):
                items.append(self._value(event, join_path(path, len(items)), depth + 1))
            return items
        if event.value or event.style is not None:
            self._values[path] = self._last
        elif path in self._keys:  # the parser places a value left out where the next line begins
            self._values[path] = self._keys[path]
        return self._scalar(event)

    def _mapping(self, event: MappingStartEvent, path: str, depth: int) -> dict[str, JsonValue]:
        self._values[path] = _place_of(event.start_mark)
        fields: dict[str, JsonValue] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            place = self._last
            if not isinstance(event, ScalarEvent):
                _refuse(self._file, place, "has a name that is no text; write `name: value`")
            self._check_characters(event)
            name: str = event.value
            inner = join_path(path, name)
            if name not in fields:
                self._keys[inner] = place
                fields[name] = self._value(next(self._events), inner, depth + 1)
                continue
            first = self._keys[inner][0]
            message = f"stands here a second time, first at line {first}; keep one of the two"
            self._findings.append(Finding("error", "yaml", self._file, *place, inner, message))
            self._skip(inner, depth)
        return fields

    def _skip(self, path: str, depth: int) -> None:
        """Passes over the value of a repeated key; the first one's places stay."""
        values, keys = self._values, self._keys
        self._values, self._keys = {}, {}
        self._value(next(self._events), path, depth + 1)
        self._values, self._keys = values, keys

    def _scalar(self, event: ScalarEvent) -> JsonValue:
        self._check_characters(event)
        text: str = event.value
        if event.style is not None:
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
            return float(text)
        return text

    def _check_characters(self, event: ScalarEvent) -> None:
        if any("\ud800" <= character <= "\udfff" for character in event.value):
            _refuse(
                self._file,
                self._last,
                "holds half a character (\\ud8…); write the character itself",
            )
