"""Visitors who decide, and send each decision to one kit node or the other until one has it."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from kit_samples import ORIGIN, USER_AGENT
from server_process import make_body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from server_process import Server

SECONDS = 90
PATIENCE_SECONDS = 20
"""After which a browser would count as offline; the kit answers before."""
_PAUSE_SECONDS = 0.05
"""Between two decisions, and before one is sent again: enough load, and a machine that can."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a kit node. at: seconds, of a clock that never goes back."""

    status: int
    retry_after: str | None
    at: float


def make_decision(template: dict[str, Any], number: int) -> dict[str, Any]:
    """A decision of its own, as a browser would make it on the notice of the template."""
    return {
        **template,
        "decision_id": f"019a9ce7-0000-7000-8000-{number:012x}",
        "consent_id": f"5a1ecafe-0000-4000-8000-{number:012x}",
    }


def send(node: Server, decision: dict[str, Any], number: int) -> Answer | None:
    """What a node answers; None where it is not there or goes away meanwhile."""
    network = f"198.{18 + (number >> 16) % 2}.{(number >> 8) % 256}.{number % 256}"
    headers = {"Origin": ORIGIN, "User-Agent": USER_AGENT, "X-Forwarded-For": network}
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("POST", "/s/acme/decisions", json.dumps(decision), headers)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return Answer(answer.status, answer.getheader("Retry-After"), time.monotonic())


class Visitors:
    """Visitors who send one decision after the other for as long as the block lasts.

    One that is not acknowledged is sent again, to the other node, as the browser does on its next
    page behind a balancer.

    acknowledged: when each decision was, by its id. refused: every other answer.
    """

    def __init__(self, nodes: Sequence[Server], first: int, lanes: int = 6) -> None:
        self.acknowledged: dict[str, float] = {}
        self.refused: list[Answer] = []
        self.sent: set[str] = set()
        self._nodes = nodes
        self._template = make_body(nodes[0], first)
        self._numbers = itertools.count(first)
        self._enough = threading.Event()
        self._stored = threading.Condition()
        self._pool = ThreadPoolExecutor(lanes)
        self._lanes = [self._pool.submit(self._run, lane) for lane in range(lanes)]

    def wait_for(self, decisions: int) -> None:
        """Returns once so many more have been acknowledged."""
        with self._stored:
            wanted = len(self.acknowledged) + decisions
            done = self._stored.wait_for(lambda: len(self.acknowledged) >= wanted, SECONDS)
        assert done, f"{len(self.acknowledged)} acknowledged; last refusals {self.refused[-3:]}"

    def longest_pause(self, since: float) -> float:
        """The longest time in which nobody was acknowledged, in seconds, from a moment on."""
        times = sorted(at for at in list(self.acknowledged.values()) if at > since)
        return max(after - before for before, after in itertools.pairwise([since, *times]))

    def _run(self, lane: int) -> None:
        nodes = itertools.islice(itertools.cycle(self._nodes), lane, None)
        while not self._enough.wait(_PAUSE_SECONDS):
            number = next(self._numbers)
            decision = make_decision(self._template, number)
            self.sent.add(decision["decision_id"])
            while not self._is_stored(next(nodes), decision, number):
                if self._enough.wait(_PAUSE_SECONDS):
                    return

    def _is_stored(self, node: Server, decision: dict[str, Any], number: int) -> bool:
        answer = send(node, decision, number)
        if answer is None:
            return False
        with self._stored:
            if answer.status not in {200, 201}:
                self.refused.append(answer)
                return False
            self.acknowledged[decision["decision_id"]] = answer.at
            self._stored.notify_all()
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._pool.shutdown()
        for lane in self._lanes:
            lane.result()
