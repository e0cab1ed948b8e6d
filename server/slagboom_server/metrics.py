"""Figures for Prometheus: what one process does, how fast, and how much waits.

Labels come from closed sets: the policies' sites, the actions, the addresses' patterns. Nothing
here tells one visitor from another. Units stand in the names, in base units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from slagboom_server.errors import QueueFull, ReplayConflict, StoreUnavailable
from slagboom_server.problems import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from slagboom_server.errors import RecordRejected

Result = Literal["stored", "repeated", "conflict", "rejected", "limited", "full", "unavailable"]

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_GROUPS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500)
UNKNOWN: Final = "unknown"
"""The action of a decision that was refused before it was read."""

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS"})


class Metrics:
    """The figures of one process, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._decisions = Counter(
            "slagboom_decisions",
            "Decisions that browsers sent, by what became of them.",
            ("site", "action", "result"),
            registry=self._registry,
        )
        self._limited = Counter(
            "slagboom_rate_limited",
            "Requests asked to come back because their network sent too many.",
            ("site", "kind"),
            registry=self._registry,
        )
        self._requests = Histogram(
            "slagboom_request_seconds",
            "From a request's head to the end of its answer.",
            ("method", "route", "status"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._counted: dict[tuple[str, str, str], Counter] = {}
        self._timed: dict[tuple[str, str, int], Histogram] = {}
        self._commits = Histogram(
            "slagboom_commit_seconds",
            "One group of decisions stored durably, or found impossible to store.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._groups = Histogram(
            "slagboom_group_decisions",
            "Decisions in one commit.",
            buckets=_GROUPS,
            registry=self._registry,
        )
        self._ready = Gauge(
            "slagboom_ready",
            "1 where this part of the kit is ready, else 0.",
            ("part",),
            registry=self._registry,
        )

    def count_decision(self, site: str, action: str, result: Result) -> None:
        """Counts a decision. action: or UNKNOWN."""
        key = site, action, result
        counter = self._counted.get(key)
        if counter is None:
            # To find it by its labels takes longer than to count.
            counter = self._counted[key] = self._decisions.labels(*key)
        counter.inc()

    def count_limited(self, site: str, kind: str) -> None:
        """Counts a request that the rate limit refused. kind: decisions or shown."""
        self._limited.labels(site, kind).inc()

    def observe_commit(self, decisions: int, seconds: float) -> None:
        """Notes one commit and how many decisions it held."""
        self._commits.observe(seconds)
        self._groups.observe(decisions)

    def observe_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Notes one answered request. route: the pattern of its address, never the address."""
        key = method if method in _METHODS else "other", route, status
        timed = self._timed.get(key)
        if timed is None:
            timed = self._timed[key] = self._requests.labels(key[0], route, str(status))
        timed.observe(seconds)

    def note_ready(self, part: str, *, is_ready: bool) -> None:
        """Notes whether a part of the kit is ready."""
        self._ready.labels(part).set(is_ready)

    def gauge(self, name: str, told: str, read: Callable[[], float]) -> None:
        """Adds a figure that is read whenever the figures are asked for; NaN for "not known"."""
        Gauge(name, told, registry=self._registry).set_function(read)

    def tell(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self._registry)


def result_of(error: RecordRejected | StoreUnavailable | Refusal) -> Result:
    """What became of a decision that was not stored."""
    match error:
        case ReplayConflict():
            return "conflict"
        case QueueFull():
            return "full"
        case StoreUnavailable():
            return "unavailable"
        case Refusal(status=429):
            return "limited"
        case _:
            return "rejected"


class MeasuredApp:
    """An app whose requests are timed.

    routes: the pattern of the address by endpoint; others count as "other". clock: seconds that
    never go back.
    """

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        routes: Mapping[Any, str],
        clock: Callable[[], float],
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._routes = routes
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = self._clock()
        status = 0

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            # 0 stays where the browser had gone before there was an answer.
            route = self._routes.get(scope.get("endpoint"), "other")
            seconds = self._clock() - begun
            self._metrics.observe_request(scope["method"], route, status, seconds)
