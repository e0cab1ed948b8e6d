"""Whether a machine's clock may be believed when it says that records are old enough to go.

A purge cannot be undone, and a clock that is years ahead would purge everything. Everything the log
itself says of the time comes from the same clock, so visitors' clocks are asked: each decision
brings the time it was given at. Where nobody has decided lately, nobody vouches for the clock.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from slagboom_server.export import format_time

if TYPE_CHECKING:
    from slagboom_server.retention import Retention

LATELY: Final = dt.timedelta(days=1)
"""A purge comes once a day, so every visitor is a witness of one."""

_MOST_AHEAD: Final = dt.timedelta(days=2)
"""A day at most since a witness was here, and a day that clocks may differ."""


def doubt_clock(retention: Retention, now: dt.datetime) -> str | None:
    """Why nothing should be purged at this time, one line; None where visitors vouch for it."""
    seen = retention.given_lately(now)
    if seen is None:
        reason = "nobody has decided in the 24 hours before, so no visitor's clock vouches for it"
    elif now - seen > _MOST_AHEAD:
        reason = f"but by the clocks of its last visitors it is {format_time(seen)}"
    else:
        return None
    return (
        f"nothing was purged: this machine's clock says {format_time(now)}; {reason}; "
        "if it is right, confirm it: slagboom log purge --clock-is-right"
    )
