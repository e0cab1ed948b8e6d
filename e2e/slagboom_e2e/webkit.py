"""WebKitGTK's MiniBrowser, spoken to over WebDriver (https://www.w3.org/TR/webdriver2/)."""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from slagboom_e2e.driver import COMMAND_SECONDS, EngineError, await_page
from slagboom_e2e.program import free_port, running

_SCREEN = "1280x800x24"


class WebKit:
    """WebKitWebDriver, which starts a MiniBrowser for each visitor, one at a time.

    driver: the WebKitWebDriver. screen: the Xvfb whose screen the windows open on.
    """

    def __init__(self, driver: Path, screen: Path) -> None:
        self._driver = driver
        self._screen = screen
        self._start()

    def _start(self) -> None:
        self._port = free_port()
        with ExitStack() as stack:
            folder = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="slagboom-webkit-"))
            )
            screen = [str(self._screen), "-displayfd", "1", "-screen", "0", _SCREEN]
            xvfb = stack.enter_context(running([*screen, "-nolisten", "tcp"], folder))
            number = xvfb.await_true(
                lambda: xvfb.output.read_text().rpartition("\n")[0], "its display's number"
            )
            webdriver = stack.enter_context(
                running(
                    [str(self._driver), f"--port={self._port}"], folder, {"DISPLAY": f":{number}"}
                )
            )
            webdriver.await_true(self._is_ready, "its readiness")
            # Only a session knows the version.
            visitor = WebKitVisitor(self)
            self.version = visitor.version
            visitor.close()
            self._running = stack.pop_all()

    def _is_ready(self) -> bool:
        try:
            return bool(self.send("GET", "/status")["ready"])
        except ConnectionError:
            return False

    def send(self, method: str, path: str, **parameters: object) -> Any:  # noqa: ANN401  each command's own
        """The value that one WebDriver command answers with.

        Raises:
            EngineError: WebKitWebDriver answered with an error.
        """
        connection = HTTPConnection("127.0.0.1", self._port, timeout=COMMAND_SECONDS)
        try:
            body = json.dumps(parameters) if method == "POST" else None
            connection.request(method, path, body)
            value = json.load(connection.getresponse())["value"]
        finally:
            connection.close()
        if isinstance(value, dict) and "error" in value:
            message = f"webkit: {method} {path}: {value['error']}: {value['message']}"
            raise EngineError(message)
        return value

    def visit(self) -> WebKitVisitor:
        """A new MiniBrowser; under automation it keeps nothing when it ends."""
        try:
            return WebKitVisitor(self)
        except TimeoutError:
            # One in some hundreds never reports to its driver, which then serves nobody any more.
            self.close()
            self._start()
            return WebKitVisitor(self)

    def close(self) -> None:
        """Ends WebKitWebDriver and the screen."""
        self._running.close()


class WebKitVisitor:
    """A visitor in WebKitGTK; see `slagboom_e2e.driver.Driver`. version: WebKitGTK's."""

    def __init__(self, webkit: WebKit) -> None:
        self._webkit = webkit
        session = webkit.send("POST", "/session", capabilities={})
        self._session = f"/session/{session['sessionId']}"
        self.version: str = session["capabilities"]["browserVersion"]

    def _send(self, method: str, path: str, **parameters: object) -> Any:  # noqa: ANN401  each command's own
        return self._webkit.send(method, f"{self._session}{path}", **parameters)

    def open(self, address: str) -> None:
        """Goes to the address and returns when its load event has fired."""
        self._send("POST", "/url", url=address)

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401  whatever JSON the page answers
        """The value of a JavaScript expression in the page; a promise is awaited."""
        return self._send("POST", "/execute/sync", script=f"return ({expression})", args=[])

    def click(self, selector: str) -> None:
        """Clicks the middle of the first element a CSS selector finds, as a mouse does."""
        found = self._send("POST", "/element", using="css selector", value=selector)
        (reference,) = found.values()  # its only key is a constant of the standard
        self._send("POST", f"/element/{reference}/click")

    def wait_for(self, expression: str) -> None:
        """Returns when the expression, or what it promises, is truthy; also across a reload."""
        await_page(self, expression)

    def cookies(self) -> dict[str, str]:
        """Name and value of each cookie the open page's host has, those of HTTP alone included."""
        return {cookie["name"]: cookie["value"] for cookie in self._send("GET", "/cookie")}

    def close(self) -> None:
        """Ends the visitor's MiniBrowser."""
        self._send("DELETE", "")
