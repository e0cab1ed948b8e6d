"""Visits to a page in one Chromium: a visitor who has been nowhere, on a slow machine."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

from bench.errors import BenchError
from slagboom_e2e.browser import find_chromium, launch_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, CDPSession, Page, StorageState

    from bench.client.subjects import Subject

_PROBE = Path(__file__).with_name("probe.js").read_text(encoding="utf-8")
_WIDTH, _HEIGHT = 1280, 800
_PATIENCE_MS = 30_000


@dataclass(frozen=True, slots=True)
class Line:
    """A connection: milliseconds added to each request, bytes a second down and up."""

    latency: float
    down: float
    up: float


SLOW_4G = Line(latency=150, down=1.6e6 / 8, up=750e3 / 8)


@dataclass(frozen=True, slots=True)
class Visit:
    """A page that is not loaded yet, and the protocol beneath it."""

    page: Page
    protocol: CDPSession


class Visitors:
    """A running Chromium. version: as it says. slowdown: how many times slower the CPU is made."""

    def __init__(self, browser: Browser, slowdown: float) -> None:
        self._browser = browser
        self._slowdown = slowdown
        self.version = browser.version
        # Some peers show nothing to a browser that calls itself headless.
        page = browser.new_page()
        self._agent: str = page.evaluate("navigator.userAgent").replace("Headless", "")
        page.close()

    @contextmanager
    def visit(
        self,
        *,
        watched: Subject | None = None,
        line: Line | None = None,
        slowed: bool = True,
        kept: StorageState | None = None,
    ) -> Iterator[Visit]:
        """A new visitor without cache.

        watched: the subject whose layer the probe looks for. line: None for the machine's own
        loopback. kept: cookies and storage of an earlier visit.
        Raises BenchError where the browser cannot do what the block asks.
        """
        context = self._browser.new_context(
            user_agent=self._agent,
            viewport={"width": _WIDTH, "height": _HEIGHT},
            storage_state=kept,
        )
        page = context.new_page()
        page.set_default_timeout(_PATIENCE_MS)
        if watched:
            page.add_init_script(_PROBE.replace("SUBJECT", json.dumps(asdict(watched))))
        protocol = context.new_cdp_session(page)
        if line:
            protocol.send("Network.enable")
            protocol.send("Network.emulateNetworkConditions", _conditions(line))
        if slowed:
            protocol.send("Emulation.setCPUThrottlingRate", {"rate": self._slowdown})
        try:
            yield Visit(page, protocol)
        except PlaywrightError as error:
            message = f"{page.url}: {error.message.splitlines()[0]}"
            raise BenchError(message) from error
        finally:
            context.close()


def _conditions(line: Line) -> dict[str, Any]:
    return {
        "offline": False,
        "latency": line.latency,
        "downloadThroughput": line.down,
        "uploadThroughput": line.up,
    }


@contextmanager
def running_chromium(slowdown: float) -> Iterator[Visitors]:
    """One Chromium for the whole run, ended with the block.

    Raises BenchError where there is none.
    """
    program = find_chromium()
    if not program:
        message = "no Chromium found; name one in SLAGBOOM_CHROMIUM"
        raise BenchError(message)
    with sync_playwright() as playwright:
        arguments = [
            "--disable-gpu",
            # Some peers show nothing to a browser that says it is driven.
            "--disable-blink-features=AutomationControlled",
            # A policy may name http://localhost; no connection is to be tried by IPv6 first.
            "--host-resolver-rules=MAP localhost 127.0.0.1",
        ]
        browser = playwright.chromium.launch(
            executable_path=program, args=[*launch_arguments(), *arguments]
        )
        try:
            yield Visitors(browser, slowdown)
        finally:
            browser.close()
