"""What reached the stand-in vendors: a bounded list in memory, without any visitor's address."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

MAX_ARRIVALS = 500
MAX_BODY_BYTES = 2048


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request at a vendor.

    at: UTC. host: the vendor's real name. cookies: names only. body: its first 2 kB.
    address_seen: the browser connected to the vendor itself, so the vendor saw the visitor's
    network address. The address is not kept here.
    """

    at: dt.datetime
    host: str
    method: str
    path: str
    query: str
    referrer: str
    cookies: tuple[str, ...]
    body_empty: bool
    body: str
    address_seen: bool

    def as_json(self) -> dict[str, object]:
        """The arrival as JSON-able values."""
        fields: dict[str, object] = asdict(self)
        fields["at"] = self.at.isoformat(timespec="milliseconds")
        return fields


class Received:
    """The latest 500 arrivals, oldest first."""

    def __init__(self) -> None:
        self._arrivals: deque[Arrival] = deque(maxlen=MAX_ARRIVALS)

    def add(self, arrival: Arrival) -> None:
        """Note an arrival; beyond the limit the oldest one goes."""
        self._arrivals.append(arrival)

    def clear(self) -> None:
        """Forget all arrivals."""
        self._arrivals.clear()

    @property
    def arrivals(self) -> tuple[Arrival, ...]:
        """What has arrived since the start or the last `clear`."""
        return tuple(self._arrivals)
