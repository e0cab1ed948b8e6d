"""Which engines the core journey runs in, and how each of them is found and started.

Playwright's own build of an engine is taken where it starts. Otherwise Firefox and WebKit are the
ones of the system, as Debian packages them.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Error as PlaywrightError

from slagboom_e2e.browser import find_chromium, launch_arguments
from slagboom_e2e.driver import WAIT_SECONDS, EngineError
from slagboom_e2e.firefox import Firefox
from slagboom_e2e.webkit import WebKit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Browser, Playwright

    from slagboom_e2e.driver import Engine

NAMES = ("chromium", "firefox", "webkit")


def wanted_engines(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The engines that `SLAGBOOM_ENGINES` names, separated by commas; all of them without it.

    Raises:
        EngineError: it names none, or one that nobody knows.
    """
    named = environment.get("SLAGBOOM_ENGINES", ",".join(NAMES))
    names = tuple(name.strip() for name in named.split(","))
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        message = f"SLAGBOOM_ENGINES: {unknown[0]!r} is none of {', '.join(NAMES)}"
        raise EngineError(message)
    return names


def start_engine(
    name: str, playwright: Playwright, environment: Mapping[str, str] = os.environ
) -> Engine:
    """Starts the engine of that name.

    environment: `PATH` is where the system's browsers are looked for.

    Raises:
        EngineError: neither Playwright's build nor the system's browser is there and starts.
    """
    options: dict[str, Any] = {}
    if name == "chromium":
        options = {"executable_path": find_chromium(environment), "args": launch_arguments()}
    try:
        return PlaywrightEngine(getattr(playwright, name).launch(**options))
    except PlaywrightError as error:
        path = environment.get("PATH", os.defpath)
        if name == "firefox" and (
            program := _which("firefox-esr", path) or _which("firefox", path)
        ):
            return Firefox(program)
        driver, screen = _which("WebKitWebDriver", path), _which("Xvfb", path)
        if name == "webkit" and driver and screen:
            return WebKit(driver, screen)
        reason = str(error).partition("\n")[0].removeprefix("BrowserType.launch: ")
        message = f"{name}: none on the path, and Playwright's does not start ({reason})"
        raise EngineError(message) from None


def _which(program: str, path: str) -> Path | None:
    found = shutil.which(program, path=path)
    return Path(found) if found else None


class PlaywrightEngine:
    """A browser that Playwright has started."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.version = browser.version

    def visit(self) -> PlaywrightVisitor:
        """A new context."""
        return PlaywrightVisitor(self._browser)

    def close(self) -> None:
        """Ends the browser."""
        self._browser.close()


class PlaywrightVisitor:
    """A visitor in any of Playwright's engines; see `slagboom_e2e.driver.Driver`."""

    def __init__(self, browser: Browser) -> None:
        self._context = browser.new_context()
        self._context.set_default_timeout(WAIT_SECONDS * 1000)
        self._page = self._context.new_page()

    def open(self, address: str) -> None:
        """Goes to the address and returns when its load event has fired."""
        self._page.goto(address)

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401  whatever JSON the page answers
        """The value of a JavaScript expression in the page; a promise is awaited."""
        return self._page.evaluate(f"() => ({expression})")

    def click(self, selector: str) -> None:
        """Clicks the middle of the first element a CSS selector finds, as a mouse does."""
        self._page.locator(selector).first.click()

    def wait_for(self, expression: str) -> None:
        """Returns when the expression, or what it promises, is truthy; also across a reload."""
        self._page.wait_for_function(f"() => ({expression})")

    def cookies(self) -> dict[str, str]:
        """Name and value of every cookie of the visitor's context, whatever its host."""
        return {
            cookie.get("name", ""): cookie.get("value", "") for cookie in self._context.cookies()
        }

    def close(self) -> None:
        """Closes the page and forgets everything in its context."""
        self._context.close()
