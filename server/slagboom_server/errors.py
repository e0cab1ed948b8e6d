"""The error tree of the server, below the banner's SlagboomError.

SlagboomError
├── RecordRejected       a decision that does not fit what was offered; nothing is stored
│   └── ReplayConflict   a known decision_id with another content; the stored record stays
└── StoreUnavailable     the log cannot be read or written now; the browser keeps the decision
    ├── Contended        another writer was in the way; the same again may succeed
    ├── LogCorrupt       it is damaged; a backup has to take its place
    ├── LogAltered       it holds what the kit has never written; verifying tells where
    └── QueueFull        more decisions wait than the server holds in memory

`status` is the HTTP status that answers the error (RFC 9110).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from slagboom_banner.errors import SlagboomError

if TYPE_CHECKING:
    from uuid import UUID


class RecordRejected(SlagboomError):  # noqa: N818 - it names what happened
    """A decision contradicts what its notice offered, or itself. `reason` says how."""

    status = 422

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class ReplayConflict(RecordRejected):
    """A decision_id came again with another content."""

    status = 409

    def __init__(self, decision_id: UUID) -> None:
        super().__init__(f"decision {decision_id} is stored already, with another content")


class StoreUnavailable(SlagboomError):  # noqa: N818 - it names what happened
    """The consent log cannot be read or written at the moment."""

    status = 503


class Contended(StoreUnavailable):
    """Another writer was in the way; the transaction was undone, and may be tried again."""


class LogCorrupt(StoreUnavailable):
    """The database is damaged; whatever it says or takes cannot be relied on."""


class LogAltered(StoreUnavailable):
    """It holds what no writer of the kit has put there; `slagboom log verify` tells where."""


class ServerStopping(StoreUnavailable):
    """No decision is taken any more."""

    def __init__(self) -> None:
        super().__init__("the server is stopping; send the decision again later")


class QueueFull(StoreUnavailable):
    """More decisions wait for the disk than the server is allowed to hold."""

    def __init__(self, max_waiting: int) -> None:
        super().__init__(f"{max_waiting} decisions are waiting already; try again later")
