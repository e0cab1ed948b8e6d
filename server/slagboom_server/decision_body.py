"""The body of `POST decisions`: read and checked as a whole, or split where it has the usual form.

The kit's own scripts write a decision in one form only: first what is the visitor's own, then what
many visitors share, the time last.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Final, NamedTuple

from pydantic import ValidationError

from slagboom_banner.model import Decision
from slagboom_server.problems import Refusal
from slagboom_server.row import to_ms

_FIELDS: Final = len(Decision.model_fields)
_TEXT_FIELDS: Final = 7
"""Fields that are always text; `previous` is the eighth where it is not null."""

_UUID: Final = '"([0-9a-f]{8}-[0-9a-f]{4}-%s[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})"'
_USUAL: Final = re.compile(
    (
        rf'{{"decision_id":{_UUID % 7},"consent_id":{_UUID % 4},"previous":(?:null|{_UUID % 7}),'
        r'(.+),"given_at":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"}'
    ).encode(),
    re.DOTALL,
)


class SplitBody(NamedTuple):
    """A decision in the usual form. shared: everything that stands between ids and time, unread.

    Two bodies that share it say the same but for the other fields: what stands around it are whole
    members of one object, so it means the same in both. given_at: ms since 1970.
    """

    decision_id: bytes
    consent_id: bytes
    previous: bytes | None
    shared: bytes
    given_at: int


def split_body(body: bytes) -> SplitBody | None:
    """The parts of a body in the usual form; None for any other. Checks all but `shared`."""
    match = _USUAL.fullmatch(body)
    if match is None:
        return None
    decision_id, consent_id, previous, shared, given_at = match.groups()
    try:
        time = dt.datetime.fromisoformat(given_at.decode())
    except ValueError:
        return None
    return SplitBody(
        _pack(decision_id),
        _pack(consent_id),
        None if previous is None else _pack(previous),
        shared,
        to_ms(time),
    )


def _pack(uuid: bytes) -> bytes:
    return bytes.fromhex(uuid.replace(b"-", b"").decode())


def parse_decision(body: bytes) -> Decision:
    """The decision; a refusal names the fields at fault without repeating what they hold."""
    try:
        decision = Decision.model_validate_json(body)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
    else:
        _require_distinct_names(body, decision)
        return decision
    if faults[0]["type"] == "json_invalid":
        raise Refusal(400, "The body is no valid JSON; send one decision.")
    places = (
        f"{'.'.join(str(part)[:40] for part in fault['loc']) or 'body'}: {fault['msg']}"
        for fault in faults[:5]
    )
    raise Refusal(422, "; ".join(places))


def _require_distinct_names(body: bytes, decision: Decision) -> None:
    """Of a name that comes twice the model took the last; another reader may take the first.

    Nothing in a valid decision holds a quotation mark, so one with each name once has so many.
    Only a body that has others, or an escape to hide them behind, is read again.
    """
    texts = _FIELDS + len(decision.choices) + len(decision.services)
    texts += _TEXT_FIELDS + (decision.previous is not None)
    if body.count(b'"') == 2 * texts and b"\\" not in body:
        return
    try:
        json.loads(body, object_pairs_hook=_check_distinct)
    except ValueError as error:
        raise Refusal(400, "The body gives a name twice; send one decision.") from error


def _check_distinct(pairs: list[tuple[str, object]]) -> None:
    if len(dict(pairs)) < len(pairs):
        raise ValueError
