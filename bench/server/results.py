"""What a run measured, and on what."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bench.machine import name_machine

if TYPE_CHECKING:
    from bench.server.kills import Kills
    from bench.server.load import Burst
    from bench.server.reading import Answers, Work

KIT: Final = "kit"
FILLED: Final = "kit, filled"
BARE: Final = "bare"
PEER: Final = "peer"
NOTHING: Final = "nothing"
"""Who is loaded: the kit with an empty log and with a filled one, the limits, the peer."""


@dataclass
class Engine:
    """What was measured on one database engine.

    bursts: by who was loaded, one in each round. bytes_per_decision: of the log, and of the peer's,
    indexes included. export (as CSV), export_json, verify: by name, the kit's walks and the bare
    loops, which took turns.
    """

    bursts: dict[str, list[Burst]] = field(default_factory=dict)
    answers: Answers | None = None
    export: dict[str, list[Work]] = field(default_factory=dict)
    export_json: dict[str, list[Work]] = field(default_factory=dict)
    verify: dict[str, list[Work]] = field(default_factory=dict)
    bytes_per_decision: dict[str, float] = field(default_factory=dict)
    kills: Kills | None = None


@dataclass
class Results:
    """One run.

    rows: stored before the filled log was measured. nothing: the framework alone, round by round.
    versions: of peer and database. missing: what could not be measured, and why.
    """

    rows: int
    engines: dict[str, Engine]
    versions: dict[str, str] = field(default_factory=dict)
    nothing: list[Burst] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    date: dt.date = field(default_factory=lambda: dt.datetime.now(dt.UTC).date())
    machine: str = field(default_factory=name_machine)
    loads: list[float] = field(default_factory=list)
