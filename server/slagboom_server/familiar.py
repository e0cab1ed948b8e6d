"""Answers that are known already, so that only what is each visitor's own is read anew.

Nearly all visitors give one of a few answers to one of a few notices. To read one, hold it against
its notice and find the numbers the log keeps costs more than all the rest of storing it, so what
came of it is remembered under its exact bytes and all else that it depends on. Nothing that tells a
visitor is remembered, and nothing that was refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from slagboom_banner.model import Action
from slagboom_server.anonymise import find_network
from slagboom_server.entry import Entry, Kind
from slagboom_server.record import MAX_CLOCK_AHEAD, MAX_CLOCK_BEHIND
from slagboom_server.schema import ACTIONS

if TYPE_CHECKING:
    from slagboom_server.anonymise import Client
    from slagboom_server.decision_body import SplitBody
    from slagboom_server.record import OfferedNotice

_DAY_MS: Final = 86_400_000
_AHEAD_MS: Final = MAX_CLOCK_AHEAD.total_seconds() * 1000
_BEHIND_MS: Final = MAX_CLOCK_BEHIND.total_seconds() * 1000
_MAX_BYTES: Final = 4096
"""Of one answer that is remembered; longer ones are read each time."""


class Circumstances(NamedTuple):
    """What an answer's record depends on beside the answer. has_gpc: of the request's header."""

    site: str
    client: Client
    origin: str | None
    has_gpc: bool
    country: str | None


class _Known(NamedTuple):
    """What came of an answer. follows: whether it must name a previous decision."""

    kind: Kind
    lifetime_ms: int
    keeps_network: bool
    follows: bool


class Familiar:
    """A memory of answers, for the sites as they are served now; others need another memory.

    capacity: answers kept, the oldest are dropped first.
    """

    def __init__(self, capacity: int = 1024) -> None:
        self._capacity = capacity
        self._known: dict[tuple[Circumstances, bytes], _Known] = {}

    def recall(
        self, body: SplitBody, around: Circumstances, address: str, received_at: int
    ) -> Entry | None:
        """The entry of a decision whose answer is known, None for any other.

        received_at: ms since 1970. It is the very entry that reading the body as a whole leads to.
        """
        known = self._known.get((around, body.shared))
        if known is None or (known.follows and body.previous is None):
            return None
        if not _is_plausible(body.given_at, received_at):
            return None
        return Entry(
            known.kind,
            body.decision_id,
            body.consent_id,
            body.previous,
            received_at,
            body.given_at,
            received_at + known.lifetime_ms,
            find_network(address) if known.keeps_network else None,
        )

    def remember(
        self, body: SplitBody, around: Circumstances, entry: Entry, offer: OfferedNotice
    ) -> None:
        """Keeps what came of an answer. entry: of this body. offer: of its notice."""
        is_usual = _is_plausible(body.given_at, entry.received_at)
        if not is_usual or len(body.shared) > _MAX_BYTES:
            return
        if len(self._known) >= self._capacity:
            del self._known[next(iter(self._known))]
        self._known[around, body.shared] = _Known(
            entry.kind,
            offer.consent_lifetime_days * _DAY_MS,
            offer.ip == "truncated",
            entry.kind.action == ACTIONS[Action.WITHDRAW],
        )


def _is_plausible(given_at: int, received_at: int) -> bool:
    """Whether two clocks agree so far that no record says otherwise (`record.Flag`)."""
    return -_BEHIND_MS <= given_at - received_at <= _AHEAD_MS
