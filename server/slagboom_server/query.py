"""What somebody asks of the log, as text, made into a filter.

Dates mean whole UTC days: `until 2026-11-21` includes that day. A purpose or service stands for
those who granted it, `!name` for those who were asked and refused. A name that no notice has ever
offered is an error, because an empty answer would look like evidence.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from slagboom_banner.errors import SlagboomError
from slagboom_banner.model import Action
from slagboom_server.store import Answer, Filter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from slagboom_server.store import Store

_Choice = TypeVar("_Choice", bound=str)


@dataclass(frozen=True, slots=True)
class Query:
    """The filters of the design as they are typed; None where one is not used."""

    site: str | None = None
    since: str | None = None
    until: str | None = None
    purpose: str | None = None
    service: str | None = None
    action: str | None = None
    consent_id: str | None = None


def read_filter(query: Query, store: Store) -> Filter:
    """The filter a query means. Raises SlagboomError where a value means nothing in this log."""
    offers = store.offers()
    if query.site is not None:
        _require_known("site", query.site, (offer.site for offer in offers))
    purposes = (purpose for offer in offers for purpose in offer.purposes)
    services = (service.id for offer in offers for service in offer.services)
    return Filter(
        site=query.site,
        since=None if query.since is None else read_time("since", query.since),
        until=None if query.until is None else read_time("until", query.until, is_end=True),
        purpose=_read_answer("purpose", query.purpose, purposes),
        service=_read_answer("service", query.service, services),
        action=_read_action(query.action),
        consent_id=None if query.consent_id is None else read_id("--consent-id", query.consent_id),
    )


def read_time(option: str, text: str, *, is_end: bool = False) -> dt.datetime:
    """A date or ISO 8601 time as UTC; a time without a zone is UTC.

    is_end: a date stands for the end of its day, not for the beginning.
    """
    try:
        if len(text) == len("2026-11-21"):
            day = dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), dt.UTC)
            return day + dt.timedelta(days=1) if is_end else day
        time = dt.datetime.fromisoformat(text)
        return time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time.astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        message = f"--{option} {text!r}: write 2026-11-21 or 2026-11-21T10:00:00Z"
        raise SlagboomError(message) from error


def read_id(option: str, text: str) -> UUID:
    """An identifier of the log."""
    try:
        return UUID(text)
    except ValueError as error:
        message = f"{option} {text!r}: write the whole identifier, 36 characters"
        raise SlagboomError(message) from error


def _read_answer(option: str, text: str | None, offered: Iterable[str]) -> Answer | None:
    if text is None:
        return None
    name = text.removeprefix("!")
    _require_known(option, name, offered)
    return Answer(name, granted=not text.startswith("!"))


def _read_action(text: str | None) -> Action | None:
    if text is None:
        return None
    return read_choice("action", text, list(Action))


def read_choice(option: str, text: str, choices: Sequence[_Choice]) -> _Choice:
    """The choice a text names."""
    for choice in choices:
        if choice == text:
            return choice
    message = f"--{option} {text!r}: choose one of {', '.join(choices)}"
    raise SlagboomError(message)


def _require_known(option: str, name: str, known: Iterable[str]) -> None:
    names = sorted(set(known))
    if name not in names:
        there = f"it knows {', '.join(names)}" if names else "it knows none yet"
        message = f"--{option} {name!r}: the log does not know it; {there}"
        raise SlagboomError(message)
