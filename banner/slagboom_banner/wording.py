"""What pydantic found wrong, in plain sentences that say what to do."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from slagboom_banner.errors import Finding
from slagboom_banner.model import Model
from slagboom_banner.positions import join_path
from slagboom_banner.schema import field_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import JsonValue
    from pydantic_core import ErrorDetails

    from slagboom_banner.document import Document

M = TypeVar("M", bound=Model)

PATTERN_WORDS = {
    r"^[a-z][a-z0-9-]{0,39}$": "use at most 40 lower-case letters, digits and hyphens, "
    "a letter first",
    r"^[A-Za-z][\w:]*\*?$": "write a command as its vendor does, "
    "a star at its end for all that begin so",
    r"^[a-z]{2,3}$": "write the language as two or three lower-case letters, as nl",
    r"^[A-Z]{2}$": "write the country as two capitals, as BE",
    r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$": "write the region as BE or US-CA",
    r"^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$": "write a host in lower case without https:// and "
    "without a path, as www.example.com or *.example.com",
    r"^[^\s;,=]*[^\s;,=*][^\s;,=]*$": "write the name it is stored under, `*` for any characters, "
    "with at least one character that is none of * ; , = or a space",
    r"^https://[^\s\"'<>]+$": "write an address that begins with https://",
    r"^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$|^\{\w+\}$": "write a host in lower case without https:// "
    "and without a path, as www.example.com or *.example.com, or one parameter, as {host}",
    (
        r"^(?:[A-Za-z_$]|\{\w+\})(?:[\w$-]|\{\w+\})*"
        r"(?:\.(?:[A-Za-z_$]|\{\w+\})(?:[\w$-]|\{\w+\})*)*$"
    ): "write names joined by dots, as dataLayer or google.tag",
    r"^[A-Za-z_$][\w$]*$": "write one name without dots, as callMethod",
    r"^#[0-9a-f]{6}$": "write the colour in lower case, as #1f3b57",
    r"^/[^\s\"'<>/\\][^\s\"'<>]*$": "write a path on the site itself, as /logo.svg",
    r"^[^\s,]+$": "write one name, without spaces and commas",
    r"^(id|crossorigin|data-[a-z0-9-]+)$": "write id, crossorigin or a name that begins with data-",
}
"""What each pattern of the model asks for; a test holds it complete."""

_LEGITIMATE_INTEREST = (
    "is no ground for storing or reading on a device, only a visitor's consent or strict necessity "
    "is; write consent, or strictly_necessary where the site cannot work without it"
)
_WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list, one line beginning with `- ` for each item",
    "dict_type": "a group of `name: value` lines",
    "model_type": "a group of `name: value` lines",
}
_NO_DATE = "is {kind}, no date; write it as 2026-11-21"
_SENTENCES = {
    "missing": "is missing; add it",
    "date_type": _NO_DATE,
    "date_parsing": _NO_DATE,
    "date_from_datetime_parsing": _NO_DATE,
    "date_from_datetime_inexact": _NO_DATE,
    "enum": "is {value}; write {expected}",
    "literal_error": "is {value}; write {expected}",
    "union_tag_invalid": "has do: {tag}; write one of {expected_tags}",
    "union_tag_not_found": "says not what to do; begin with `do: set`, push, queue, call or script",
    "string_too_short": "is empty; write a text, or remove the line where it may be left out",
    "string_too_long": "is longer than {max_length} characters; shorten it",
    "too_short": "is empty; write at least one",
    "too_long": "has more than {max_length} items; shorten it",
    "greater_than_equal": "is {value}; write {ge} or more",
    "less_than_equal": "is {value}; write {le} or less",
    "value_error": "{error}",
}
_QUOTED_NAMES = {"expected", "expected_tags"}
_QUOTED_LENGTH = 60


def validate(model: type[M], document: Document) -> tuple[M | None, list[Finding]]:
    """The document as a model, or None and everything that is wrong with its form."""
    try:
        # JSON in strict mode reads lists as tuples and texts as dates, and guesses nothing else.
        return model.model_validate_json(json.dumps(document.value), strict=True), []
    except ValidationError as error:
        return None, [
            _finding(model, details, document)
            for details in error.errors(include_url=False)
            if not _is_consequence(details)
        ]


def suggest(name: str, names: Iterable[str]) -> str:
    """`did you mean 'x'?` where a name is near, else the list of all names there are."""
    known = sorted(names)
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known are {', '.join(known)}" if known else "there are none"


def quote(value: JsonValue) -> str:
    """A value inside a message: on one line and short."""
    shown = repr(value) if isinstance(value, str) else json.dumps(value)
    return shown if len(shown) <= _QUOTED_LENGTH else f"{shown[:_QUOTED_LENGTH]}…"


def _is_consequence(details: ErrorDetails) -> bool:
    """Whether a list only seems too short: pydantic leaves out items with errors of their own."""
    return details["type"] == "too_short" and bool(details["input"])


def _finding(model: type[Model], details: ErrorDetails, document: Document) -> Finding:
    path, is_key = _path(details, document.value)
    message = _message(model, details)
    kind = details["type"]
    positions = document.positions
    line, column = (
        positions.locate_key(path)
        if is_key or kind == "extra_forbidden"
        else positions.locate(path)
    )
    if path.endswith("legal_basis") and kind == "enum":
        rule, source = "legal-basis", "ePrivacy Directive Art. 5(3)"
    else:
        rule, source = "schema", ""
    return Finding("error", rule, positions.file, line, column, path, message, source)


def _path(details: ErrorDetails, value: JsonValue) -> tuple[str, bool]:
    """The path of an error, and whether it is about the key rather than the value.

    pydantic's own path also names union members and key checks, which no file contains.
    """
    steps = list(details["loc"])
    is_key = bool(steps) and steps[-1] == "[key]"
    missing = steps.pop() if details["type"] == "missing" else None
    path = ""
    for step in steps:
        parts = _parts(value)
        if step in parts:
            value = parts[step]
            path = join_path(path, step)
    return (path if missing is None else join_path(path, missing)), is_key


def _parts(value: JsonValue) -> dict[str | int, JsonValue]:
    parts: Iterable[tuple[str | int, JsonValue]] = ()
    if isinstance(value, list):
        parts = enumerate(value)
    elif isinstance(value, dict):
        parts = value.items()
    return dict(parts)


def _message(model: type[Model], details: ErrorDetails) -> str:
    kind = details["type"]
    value: JsonValue = details["input"]
    context: dict[str, Any] = details.get("ctx", {})
    if kind in _WANTED:
        return _wrong_type(kind, value)
    if kind == "extra_forbidden":
        name = str(details["loc"][-1])
        return f"is no field; {suggest(name, field_names(model, details['loc'][:-1]))}"
    if kind == "string_pattern_mismatch":
        return f"is {quote(value)}; {_pattern_advice(context['pattern'], value)}"
    if kind == "enum" and details["loc"][-1] == "legal_basis" and "interest" in str(value):
        return f"is {quote(value)}; it {_LEGITIMATE_INTEREST}"
    if kind not in _SENTENCES:
        return f"{details['msg'][:1].lower()}{details['msg'][1:]}; correct it"
    for name in _QUOTED_NAMES & context.keys():
        context[name] = context[name].replace("'", "")
    return _SENTENCES[kind].format(value=quote(value), kind=_kind(value), **context)


def _wrong_type(kind: str, value: JsonValue) -> str:
    if value is None:
        return f"is empty; write {_WANTED[kind]}, or remove the line where it may be left out"
    if kind == "string_type" and isinstance(value, int | float):
        return f"is {_kind(value)}, no text; put quotes around it"
    if kind == "int_type" and isinstance(value, str) and value.isdigit():
        return "is a text, no number; remove the quotes"
    return f"is {_kind(value)}; write {_WANTED[kind]}"


def _kind(value: JsonValue) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return f"the value {json.dumps(value)}"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {quote(value)}"
        case list():
            return "a list"
        case _:
            return "a group of fields"


def _pattern_advice(pattern: str, value: JsonValue) -> str:
    words = PATTERN_WORDS.get(pattern, f"it must match {pattern}")
    if pattern == r"^[A-Z]{2}$" and isinstance(value, str) and len(value) == len("be"):
        return f"write the country in capitals, as {value.upper()}"
    return words
