"""The filter of a legal hold as JSON, which reads the same in any database."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from slagboom_banner.model import Action
from slagboom_server.store import Answer, Filter

if TYPE_CHECKING:
    from collections.abc import Mapping


def describe_filter(chosen: Filter) -> dict[str, str]:
    """The fields that are used, as the command line's options of the same names take them."""
    fields = {
        "site": chosen.site,
        "since": None if chosen.since is None else chosen.since.isoformat(),
        "until": None if chosen.until is None else chosen.until.isoformat(),
        "purpose": _describe_answer(chosen.purpose),
        "service": _describe_answer(chosen.service),
        "action": None if chosen.action is None else chosen.action.value,
        "consent_id": None if chosen.consent_id is None else str(chosen.consent_id),
    }
    return {name: value for name, value in fields.items() if value is not None}


def write_filter(chosen: Filter) -> str:
    """The filter as text."""
    return json.dumps(describe_filter(chosen), separators=(",", ":"))


def read_filter_text(text: str) -> Filter:
    """The filter `write_filter` was given. Raises one of `altered.BROKEN` for none."""
    fields: Mapping[str, Any] = json.loads(text)
    action, consent_id = fields.get("action"), fields.get("consent_id")
    return Filter(
        site=fields.get("site"),
        since=_read_time(fields.get("since")),
        until=_read_time(fields.get("until")),
        purpose=_read_answer(fields.get("purpose")),
        service=_read_answer(fields.get("service")),
        action=None if action is None else Action(action),
        consent_id=None if consent_id is None else UUID(consent_id),
    )


def _describe_answer(answer: Answer | None) -> str | None:
    if answer is None:
        return None
    return answer.id if answer.granted else f"!{answer.id}"


def _read_answer(text: str | None) -> Answer | None:
    return (
        None if text is None else Answer(text.removeprefix("!"), granted=not text.startswith("!"))
    )


def _read_time(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)
