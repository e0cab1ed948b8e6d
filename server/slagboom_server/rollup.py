"""Counts that are kept beside the log: shown, accepted, refused, chosen, withdrawn, day by day.

They are added up in the transaction that stores the decisions, and stay when records are erased or
purged: a count holds nothing about anybody. Counted are decisions and first layers, not visitors.
`shown` comes from browsers that say so without any identifier; nothing is known of it but its
number, so it counts who returns unanswered again each time, and robots that run scripts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from pydantic import JsonValue

    from slagboom_server.anonymise import Device


class Dimension(StrEnum):
    """What counts can be told apart by."""

    SITE = "site"
    DAY = "day"
    PURPOSE = "purpose"
    REVISION = "revision"
    LANGUAGE = "language"
    COUNTRY = "country"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Shown:
    """A kind of first layer that was shown: everything that is kept of it.

    day: UTC. purposes: those it asked about. country: None where it is not known.
    """

    site: str
    day: dt.date
    revision: int
    language: str
    purposes: tuple[str, ...]
    country: str | None
    device: Device


@dataclass(frozen=True, slots=True)
class ShownCounts:
    """How often which first layer was shown. counted_at: when the last of them was counted."""

    counts: Mapping[Shown, int]
    counted_at: dt.datetime


class Counts(NamedTuple):
    """One line of a roll-up.

    place: its value in each dimension asked for; a day as 2026-11-21, an unknown country as "".
    accepted, refused, chosen, withdrawn, signalled, expired: decisions by their action.
    granted: those that allow the purpose; without the dimension purpose, those that allow any.
    """

    place: tuple[str | int, ...]
    shown: int
    accepted: int
    refused: int
    chosen: int
    withdrawn: int
    signalled: int
    expired: int
    granted: int

    @property
    def decisions(self) -> int:
        """All decisions."""
        answered = self.accepted + self.refused + self.chosen
        return answered + self.withdrawn + self.signalled + self.expired

    @property
    def opt_in_rate(self) -> float | None:
        """The part of the decisions that grant, 0 to 1; None without decisions."""
        return self.granted / self.decisions if self.decisions else None


class Rollups(Protocol):
    """The counts of a log."""

    def read(
        self,
        by: Sequence[Dimension],
        *,
        site: str | None = None,
        first_day: dt.date | None = None,
        last_day: dt.date | None = None,
    ) -> Sequence[Counts]:
        """The counts by these dimensions, in their order; days are UTC and included.

        Without the dimension purpose each decision counts once, otherwise once for each purpose.
        """
        ...


_NUMBERS: Final = ("shown", "accepted", "refused", "chosen", "withdrawn", "signalled", "expired")


def name_columns(by: Sequence[Dimension]) -> tuple[str, ...]:
    """The columns of `flatten_counts`."""
    return (*by, *_NUMBERS, "decisions", "granted", "opt_in_rate")


def flatten_counts(counts: Counts) -> tuple[str | int | float, ...]:
    """One line as a row of a table; the rate with four decimals, empty where there is none."""
    rate = counts.opt_in_rate
    numbers = (getattr(counts, name) for name in _NUMBERS)
    return (
        *counts.place,
        *numbers,
        counts.decisions,
        counts.granted,
        "" if rate is None else round(rate, 4),
    )


def describe_counts(by: Sequence[Dimension], counts: Counts) -> dict[str, JsonValue]:
    """One line as a JSON object; a rate that means nothing is null."""
    row: dict[str, JsonValue] = dict(zip(name_columns(by), flatten_counts(counts), strict=True))
    return {**row, "opt_in_rate": row["opt_in_rate"] if counts.decisions else None}
