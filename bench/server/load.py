"""Visitors who decide as fast as they are answered: wrk, with a new decision in each request."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

CONNECTIONS = 32
HEADERS = (
    "Accept-Language: nl-BE,nl;q=0.9,en;q=0.8",
    (
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
        " Chrome/140.0.0.0 Safari/537.36"
    ),
    # Visitors are many: one address alone would be asked to slow down.
    "X-Forwarded-For: {ip}",
)
_SCRIPT = Path(__file__).parent / "decisions.lua"


@dataclass(frozen=True, slots=True)
class Target:
    """What is loaded. templates: a file of bodies; headers: "Name: value"; see decisions.lua."""

    address: str
    templates: Path
    headers: Sequence[str]


@dataclass(frozen=True, slots=True)
class Burst:
    """What came of some seconds of load. median, slowest_hundredth: milliseconds."""

    answers: int
    seconds: float
    median: float
    slowest_hundredth: float
    refused: int
    broken: int

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return (self.answers - self.refused) / self.seconds

    @property
    def tail(self) -> float:
        """The slowest hundredth over the median."""
        return self.slowest_hundredth / self.median


def find_wrk() -> str | None:
    """The program, None where it is not installed."""
    return shutil.which("wrk")


def send_burst(target: Target, seconds: int) -> Burst:
    """Loads a server with one thread and CONNECTIONS connections.

    Raises BenchError where it does not answer, or refuses what it should take.
    """
    program = find_wrk()
    if program is None:
        message = "wrk is not installed (Debian: apt-get install wrk)"
        raise BenchError(message)
    seed = secrets.randbelow(1 << 31)
    ended = subprocess.run(  # noqa: S603  wrk, found on the path
        [
            *(program, "--threads", "1", "--connections", str(CONNECTIONS)),
            *("--duration", f"{seconds}s", "--timeout", "30s", "--script", str(_SCRIPT)),
            *(target.address, "--", str(seed), str(target.templates), *target.headers),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in ended.stdout.splitlines() if line.startswith("JSON ")]
    if not said:
        message = f"wrk failed at {target.address}: {(ended.stderr or ended.stdout).strip()}"
        raise BenchError(message)
    burst = read_burst(said[-1])
    if burst.answers - burst.refused < 1 or burst.refused > burst.answers // 100:
        message = f"{target.address} refused {burst.refused} of {burst.answers} decisions"
        raise BenchError(message)
    return burst


def read_burst(line: str) -> Burst:
    """What decisions.lua says at its end."""
    return Burst(**json.loads(line.removeprefix("JSON ")))
