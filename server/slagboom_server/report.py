"""The numbers of the consent log: how many decisions, and what they granted.

Counted are decisions, not visitors: somebody who accepts and later withdraws counts in both. The
store groups equal answers, so summing up costs the same for a thousand decisions and ten million.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from pydantic import JsonValue

    from slagboom_banner.model import Action


@dataclass(frozen=True, slots=True)
class Tally:
    """How many decisions of one UTC day gave the same answer."""

    day: dt.date
    language: str
    action: Action
    choices: Mapping[str, bool]
    services: Mapping[str, bool]
    decisions: int


@dataclass(frozen=True, slots=True)
class Answers:
    """How often one purpose or service was granted and refused."""

    granted: int
    refused: int

    @property
    def rate(self) -> float:
        """The granted part of all answers, 0 to 1."""
        return self.granted / (self.granted + self.refused)


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts of decisions; each mapping in the order a reader wants, most frequent or oldest first.

    days: by UTC day of arrival, only days with decisions.
    """

    decisions: int
    actions: Mapping[Action, int]
    purposes: Mapping[str, Answers]
    services: Mapping[str, Answers]
    days: Mapping[dt.date, int]
    languages: Mapping[str, int]


def summarise(tallies: Iterable[Tally]) -> Stats:
    """The counts of all tallies."""
    actions: Counter[Action] = Counter()
    days: Counter[dt.date] = Counter()
    languages: Counter[str] = Counter()
    purposes: dict[str, Counter[bool]] = {}
    services: dict[str, Counter[bool]] = {}
    for tally in tallies:
        actions[tally.action] += tally.decisions
        days[tally.day] += tally.decisions
        languages[tally.language] += tally.decisions
        for answers, totals in ((tally.choices, purposes), (tally.services, services)):
            for name, is_granted in answers.items():
                totals.setdefault(name, Counter())[is_granted] += tally.decisions
    return Stats(
        decisions=actions.total(),
        actions=dict(actions.most_common()),
        purposes=_answers(purposes),
        services=_answers(services),
        days=dict(sorted(days.items())),
        languages=dict(languages.most_common()),
    )


def _answers(totals: Mapping[str, Counter[bool]]) -> dict[str, Answers]:
    return {
        name: Answers(granted=count[True], refused=count[False])
        for name, count in sorted(totals.items())
    }


def describe_stats(stats: Stats) -> dict[str, JsonValue]:
    """The counts as a JSON object."""
    return {
        "decisions": stats.decisions,
        "actions": {action.value: count for action, count in stats.actions.items()},
        "purposes": {name: _describe(answers) for name, answers in stats.purposes.items()},
        "services": {name: _describe(answers) for name, answers in stats.services.items()},
        "days": {day.isoformat(): count for day, count in stats.days.items()},
        "languages": dict(stats.languages),
    }


def _describe(answers: Answers) -> dict[str, JsonValue]:
    return {"granted": answers.granted, "refused": answers.refused}


STATS_COLUMNS: Final = ("measure", "name", "decisions", "granted", "refused")


def flatten_stats(stats: Stats) -> list[tuple[str | int, ...]]:
    """The counts as rows of `STATS_COLUMNS`; a cell that means nothing is empty."""
    rows: list[tuple[str | int, ...]] = [("all", "", stats.decisions, "", "")]
    rows += [("action", action.value, count, "", "") for action, count in stats.actions.items()]
    for measure, asked in (("purpose", stats.purposes), ("service", stats.services)):
        rows += [
            (measure, name, answers.granted + answers.refused, answers.granted, answers.refused)
            for name, answers in asked.items()
        ]
    rows += [("day", day.isoformat(), count, "", "") for day, count in stats.days.items()]
    rows += [("language", name, count, "", "") for name, count in stats.languages.items()]
    return rows
