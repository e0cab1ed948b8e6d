"""What may leave the log, and what must stay: erasing, purging and legal holds, without SQL.

Erased and purged records leave a tombstone, so that their chain still verifies; counts stay. Both
work in small steps, each a short transaction of its own, with a pause after it that is longer than
the step: whoever stores a decision meanwhile waits for one step at the most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from slagboom_banner.errors import SlagboomError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    from slagboom_server.chain import Reason
    from slagboom_server.store import Cursor, Filter

_PAUSES: Final = 2.0
"""A purge rests this many times as long as it works."""

_MIN_PAUSE_SECONDS: Final = 0.01


class RecordsHeld(SlagboomError):  # noqa: N818 - it names what happened
    """A legal hold keeps what was to be erased; nothing was. holds: their numbers."""

    def __init__(self, holds: Sequence[int]) -> None:
        self.holds = holds
        numbers = ", ".join(str(number) for number in holds)
        super().__init__(
            f"nothing was erased: legal hold {numbers} keeps these records; "
            "slagboom hold list says why"
        )


@dataclass(frozen=True, slots=True)
class Hold:
    """Records that are neither erased nor purged. released_at: None while it is in force; UTC."""

    number: int
    chosen: Filter
    reason: str
    made_at: dt.datetime
    released_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Due:
    """What one site's retention asks for at one moment.

    valid_before: records whose validity ended earlier are due. received_before: no record received
    later can be. records: so many are due and may go. held: so many are due, and a hold keeps them.
    notices: so many have words that are needed no more.
    """

    site: str
    valid_before: dt.datetime
    received_before: dt.datetime
    records: int
    held: int
    notices: int


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge of one site did: records and notices that went, records that a hold kept."""

    site: str
    records: int
    held: int
    notices: int


class Retention(Protocol):
    """Erasing, purging and holding the records of one log."""

    def count(self, consent_id: UUID, site: str | None = None) -> tuple[int, Sequence[int]]:
        """How many records a visitor has, and the numbers of the holds that keep any of them."""
        ...

    def erase(
        self, consent_id: UUID, reason: Reason, now: dt.datetime, site: str | None = None
    ) -> int:
        """Erases a visitor's records, of one site or all; returns how many.

        Raises RecordsHeld where a hold keeps any of them; then all stay.
        """
        ...

    def given_lately(self, now: dt.datetime) -> dt.datetime | None:
        """The time by the visitors' own clocks; None where none decided in the day before `now`.

        The median of the last few, so that no single clock counts. What was received later than
        `now`, while a clock was ahead, is left out.
        """
        ...

    def due(self, site: str, retention_days: int, now: dt.datetime) -> Due:
        """What may go because its time is up."""
        ...

    def purge_step(
        self, due: Due, now: dt.datetime, after: Cursor | None
    ) -> tuple[int, Cursor | None]:
        """Purges a few records behind `after`; how many, and where to go on, None at the end."""
        ...

    def drop_notices(self, due: Due) -> int:
        """Removes the words of notices that are needed no more; how many notices.

        Those are: of an earlier revision, replaced for so long that any answer to them would be
        purged by now, and without a record. Digest, revision and what was asked stay.
        """
        ...

    def drop_months(self, now: dt.datetime) -> Sequence[str]:
        """Removes the partitions of past months that are empty by now; their names.

        None where the engine has none. One that cannot be had at once is left for the next time.
        """
        ...

    def add_hold(self, chosen: Filter, reason: str, now: dt.datetime) -> Hold:
        """Keeps what a filter finds, now and later, until the hold is released."""
        ...

    def holds(self) -> Sequence[Hold]:
        """Every hold there ever was, oldest first."""
        ...

    def release_hold(self, number: int, now: dt.datetime) -> Hold | None:
        """Ends a hold; None where no hold in force has this number."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How a purge rests.

    clock: seconds that only grow. rest: pauses for so many seconds, and says
    whether to stop after it.
    """

    clock: Callable[[], float]
    rest: Callable[[float], bool]


def purge(retention: Retention, due: Due, now: dt.datetime, pace: Pace) -> Purged:
    """Purges what is due at a site, step by step."""
    records, after = 0, None
    while True:
        begun = pace.clock()
        went, after = retention.purge_step(due, now, after)
        records += went
        stops = pace.rest(max(_MIN_PAUSE_SECONDS, _PAUSES * (pace.clock() - begun)))
        if after is None or stops:
            break
    notices = 0 if after else retention.drop_notices(due)
    return Purged(due.site, records, due.held, notices)


def is_due(retention: Retention, days: Mapping[str, int], now: dt.datetime) -> bool:
    """Whether a purge would do anything. days: retention_days by site."""
    dues = (retention.due(site, retention_days, now) for site, retention_days in days.items())
    return any(due.records or due.notices for due in dues)


def purge_sites(
    retention: Retention, days: Mapping[str, int], now: dt.datetime, pace: Pace
) -> list[Purged]:
    """Purges several sites one after the other. days: retention_days by site."""
    dues = (retention.due(site, retention_days, now) for site, retention_days in days.items())
    return [purge(retention, due, now, pace) for due in dues]
