"""A stock Firefox, spoken to over WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/)."""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from websockets.sync.client import connect

from slagboom_e2e.driver import COMMAND_SECONDS, EngineError, await_page
from slagboom_e2e.program import running

if TYPE_CHECKING:
    from slagboom_e2e.program import Program


class Firefox:
    """A headless Firefox with a profile of its own. program: the Firefox to start."""

    def __init__(self, program: Path) -> None:
        self._numbers = count(1)
        with ExitStack() as stack:
            folder = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="slagboom-firefox-", ignore_cleanup_errors=True)
            )
            profile = Path(folder, "profile")
            profile.mkdir()
            command = [str(program), "--headless", "--no-remote", "--profile", str(profile)]
            # The port is its own choice; it writes it into the profile.
            command += ["--remote-debugging-port", "0", "about:blank"]
            firefox = stack.enter_context(running(command, Path(folder)))
            self._socket = stack.enter_context(
                connect(f"{_read_address(firefox, profile)}/session", proxy=None, max_size=None)
            )
            session = self.send("session.new", capabilities={})
            self.version: str = session["capabilities"]["browserVersion"]
            self._running = stack.pop_all()

    def send(self, method: str, **parameters: object) -> Any:  # noqa: ANN401  each command's own
        """The result of one BiDi command.

        Raises:
            EngineError: Firefox answered with an error.
        """
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        answer: dict[str, Any] = {}
        while answer.get("id") != number:  # events nobody asked for may come in between
            answer = json.loads(self._socket.recv(timeout=COMMAND_SECONDS))
        if answer["type"] == "error":
            message = f"firefox: {method}: {answer['error']}: {answer['message']}"
            raise EngineError(message)
        return answer["result"]

    def visit(self) -> FirefoxVisitor:
        """A new tab in a container of its own: no cookie, storage or cache of anybody else."""
        return FirefoxVisitor(self)

    def close(self) -> None:
        """Ends Firefox and removes the profile."""
        self._running.close()


def _read_address(firefox: Program, profile: Path) -> str:
    file = profile / "WebDriverBiDiServer.json"

    def read() -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None  # not yet, or not yet whole
        return found

    server = firefox.await_true(read, "its BiDi address")
    return f"ws://{server['ws_host']}:{server['ws_port']}"


class FirefoxVisitor:
    """A visitor in Firefox; see `slagboom_e2e.driver.Driver`."""

    def __init__(self, firefox: Firefox) -> None:
        self._firefox = firefox
        self._container: str = firefox.send("browser.createUserContext")["userContext"]
        created = firefox.send("browsingContext.create", type="tab", userContext=self._container)
        self._page: str = created["context"]

    def open(self, address: str) -> None:
        """Goes to the address and returns when its load event has fired."""
        self._firefox.send(
            "browsingContext.navigate", context=self._page, url=address, wait="complete"
        )

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401  whatever JSON the page answers
        """The value of a JavaScript expression in the page; a promise is awaited."""
        answer = self._firefox.send(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})) ?? 'null')()",
            target={"context": self._page},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            message = f"firefox: {answer['exceptionDetails']['text']} in {expression}"
            raise EngineError(message)
        return json.loads(answer["result"]["value"])

    def click(self, selector: str) -> None:
        """Clicks the middle of the first element a CSS selector finds, as a mouse does."""
        found = self._firefox.send(
            "browsingContext.locateNodes",
            context=self._page,
            locator={"type": "css", "value": selector},
            maxNodeCount=1,
        )
        if not found["nodes"]:
            message = f"firefox: nothing to click at {selector}"
            raise EngineError(message)
        middle = {"type": "element", "element": {"sharedId": found["nodes"][0]["sharedId"]}}
        mouse = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": middle},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self._firefox.send(
            "input.performActions",
            context=self._page,
            actions=[{"type": "pointer", "id": "mouse", "actions": mouse}],
        )

    def wait_for(self, expression: str) -> None:
        """Returns when the expression, or what it promises, is truthy; also across a reload."""
        await_page(self, expression)

    def cookies(self) -> dict[str, str]:
        """Name and value of every cookie of the visitor's container, whatever its host."""
        found = self._firefox.send(
            "storage.getCookies",
            partition={"type": "storageKey", "userContext": self._container},
        )
        return {cookie["name"]: cookie["value"]["value"] for cookie in found["cookies"]}

    def close(self) -> None:
        """Closes the tab and forgets everything in its container."""
        self._firefox.send("browser.removeUserContext", userContext=self._container)
