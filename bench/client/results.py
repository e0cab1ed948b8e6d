"""What a run measured, and on what."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.machine import name_machine

if TYPE_CHECKING:
    from bench.client.measure import Speed, Weight


@dataclass
class Series:
    """All measurements of one subject. work: milliseconds of its whole page, each round.

    read: of visits whose visitor reads before the click.
    """

    weight: Weight | None = None
    local: list[Speed] = field(default_factory=list)
    slow: list[Speed] = field(default_factory=list)
    read: list[Speed] = field(default_factory=list)
    work: list[float] = field(default_factory=list)


@dataclass
class Results:
    """One run. loads: the machine's load average when each counted round began.

    versions: of each measured package. bare_work: milliseconds of the page without a banner.
    """

    browser: str
    slowdown: float
    versions: dict[str, str]
    series: dict[str, Series]
    date: dt.date = field(default_factory=lambda: dt.datetime.now(dt.UTC).date())
    machine: str = field(default_factory=name_machine)
    loads: list[float] = field(default_factory=list)
    bare_work: list[float] = field(default_factory=list)
