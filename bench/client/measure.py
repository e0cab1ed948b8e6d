"""One measurement each of one subject: bytes, speed, main thread."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playwright.sync_api import TimeoutError  # noqa: A004  as Playwright calls it

from bench.client.subjects import BARE, PURPOSES
from bench.errors import BenchError

if TYPE_CHECKING:
    from playwright.sync_api import Page, StorageState

    from bench.client.subjects import Subject
    from bench.client.visit import Line, Visitors
    from bench.client.website import Website

_SHOW_MS = 20_000
_AT_ONCE_MS = 100  # nobody clicks sooner
AFTER_READING_MS = 2000  # the page has come to rest
_SETTLE_MS = 400  # late requests, and entries the browser reports a moment after the event
_QUIET_MS = 2000  # from the load event until every subject has done its work
_MOST_QUIETS = 5  # a machine too busy to show a layer in one
_PARTS = ("ScriptDuration", "RecalcStyleDuration", "LayoutDuration")
_ANSWER_MS = 2000  # a click without an effect by then has none
_MOST_CLICKS = 10
SHORTEST_INTERACTION_MS = 16
"""What the browser does not report took less than this."""


@dataclass(frozen=True, slots=True)
class Weight:
    """Content bytes of the banner's own files, as sent."""

    first: int
    decided: int
    everything: int


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds, `visible` and `clickable` since the navigation began; shift as CLS."""

    visible: float
    clickable: float
    tags: float | None
    interaction: float | None
    shift: float
    lost_clicks: int


class Meter:
    """Measures the subjects of a website with the visitors of one browser."""

    def __init__(self, website: Website, visitors: Visitors) -> None:
        self._website = website
        self._visitors = visitors

    def weigh(self, subject: Subject) -> Weight:
        """The bytes of a first visit, of a decided visitor's, and with the second layer."""
        with self._visitors.visit(watched=subject, slowed=False) as visit:
            self._show(visit.page, subject)
            visit.page.wait_for_timeout(_SETTLE_MS)
            first = self._website.take_weight()
            if subject.second:
                self._open_second(visit.page, subject)
                visit.page.wait_for_timeout(_QUIET_MS)
            everything = first + self._website.take_weight()
        kept = self._decide(subject)
        self._website.take_weight()
        with self._visitors.visit(slowed=False, kept=kept) as visit:
            visit.page.goto(self._website.address(subject), wait_until="load")
            visit.page.wait_for_timeout(_QUIET_MS)
        return Weight(first, self._website.take_weight(), everything)

    def time(self, subject: Subject, line: Line | None, reaction_ms: int = _AT_ONCE_MS) -> Speed:
        """A first visit and its acceptance, on the given line."""
        with self._visitors.visit(watched=subject, line=line) as visit:
            page = visit.page
            self._show(page, subject)
            self._connect(page)
            page.wait_for_timeout(reaction_ms)
            self._accept(page, subject)
            page.wait_for_timeout(_SETTLE_MS)
            seen = page.evaluate("({...bench, ran: window.benchRan || {}})")
        done = len(seen["ran"]) == len(PURPOSES)
        ran = max(seen["ran"].values()) if done else math.inf
        clicks = [time for time in seen["clicks"] if time < ran]
        return Speed(
            visible=seen["visible"],
            clickable=seen["clickable"],
            tags=ran - clicks[-1] if done else None,
            interaction=max(seen["interaction"], SHORTEST_INTERACTION_MS) if done else None,
            shift=seen["shift"],
            lost_clicks=len(clicks) - done,
        )

    def work(self, subject: Subject) -> float:
        """Milliseconds the main thread spends on script, style and layout from start to quiet.

        In the thread's own time, which other programs of the machine hardly lengthen. Nothing looks
        at the page before it is read: looking costs, too.
        """
        with self._visitors.visit() as visit:
            send = visit.protocol.send
            send("Performance.enable", {"timeDomain": "threadTicks"})
            visit.page.goto(self._website.address(subject), wait_until="load")
            for _ in range(_MOST_QUIETS):
                visit.page.wait_for_timeout(_QUIET_MS)
                metrics = send("Performance.getMetrics")["metrics"]
                if subject is BARE or visit.page.is_visible(subject.layer):
                    values: dict[str, float] = {part["name"]: part["value"] for part in metrics}
                    return 1000 * sum(values[part] for part in _PARTS)
        message = f"{subject.name}: no first layer long after the load event"
        raise BenchError(message)

    def _show(self, page: Page, subject: Subject) -> None:
        page.goto(self._website.address(subject), wait_until="load")
        if not page.evaluate(f"bench.untilClickable({_SHOW_MS})"):
            message = f"{subject.name}: no first layer to click on within {_SHOW_MS} ms"
            raise BenchError(message)

    def _connect(self, page: Page) -> None:
        """Opens what connections the tags need.

        Otherwise whoever has loaded more files before has them, and its tags seem to run sooner.
        """
        address = self._website.address(BARE)
        page.evaluate(
            f"Promise.all({list(PURPOSES)}.map(async () => (await fetch('{address}')).text()))"
        )

    def _open_second(self, page: Page, subject: Subject) -> None:
        """Clicks until it is there: not every button listens as soon as it shows."""
        for _ in range(_MOST_CLICKS):
            page.click(subject.more)
            with suppress(TimeoutError):
                page.wait_for_selector(subject.second, timeout=_ANSWER_MS)
                return
        message = f"{subject.name}: the second layer does not open"
        raise BenchError(message)

    def _accept(self, page: Page, subject: Subject) -> None:
        """Clicks until the tags have run."""
        for _ in range(_MOST_CLICKS):
            page.evaluate("bench.interaction = 0")
            button = page.query_selector(subject.accept)
            box = button and button.bounding_box()
            if not box:
                return
            page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            if page.evaluate(f"bench.untilRun({_ANSWER_MS}, {list(PURPOSES)})"):
                return

    def _decide(self, subject: Subject) -> StorageState:
        with self._visitors.visit(watched=subject, slowed=False) as visit:
            self._show(visit.page, subject)
            self._accept(visit.page, subject)
            # Long enough for what is sent once the tags have run.
            visit.page.wait_for_timeout(_QUIET_MS)
            return visit.page.context.storage_state()
