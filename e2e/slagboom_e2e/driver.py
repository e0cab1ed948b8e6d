"""What the core journey asks of a browser engine, whichever way the engine is driven."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Found = TypeVar("_Found")

WAIT_SECONDS = 60
COMMAND_SECONDS = 120  # the first page of a cold browser on a busy machine, not a hang
_PAUSE_SECONDS = 0.05


class EngineError(Exception):
    """An engine that is missing, does not start or refuses a command; its message is one line."""


class Driver(Protocol):
    """One visitor: a page of a browser that has been nowhere before."""

    def open(self, address: str) -> None:
        """Goes to the address and returns when its load event has fired."""

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401  whatever JSON the page answers
        """The value of a JavaScript expression in the page; a promise is awaited."""

    def click(self, selector: str) -> None:
        """Clicks the middle of the first element a CSS selector finds, as a mouse does."""

    def wait_for(self, expression: str) -> None:
        """Returns when the expression, or what it promises, is truthy; also across a reload.

        Fails after `WAIT_SECONDS`.
        """

    def cookies(self) -> dict[str, str]:
        """Name and value of each cookie the open page's host has, those of HTTP alone included."""
        ...

    def close(self) -> None:
        """Forgets the visitor and everything the visitor's browser holds."""


class Engine(Protocol):
    """A running browser. version: as the browser itself gives it."""

    version: str

    def visit(self) -> Driver:
        """A new visitor; the one before it must have been closed."""
        ...

    def close(self) -> None:
        """Ends the browser."""


def await_true(
    check: Callable[[], _Found | None], what: str, seconds: float = WAIT_SECONDS
) -> _Found:
    """What `check` gives as soon as that is truthy.

    Raises:
        EngineError: it was not within `seconds`; the message names `what`.
    """
    deadline = time.monotonic() + seconds
    while not (found := check()):
        if time.monotonic() > deadline:
            message = f"waited {seconds:g} s in vain: {what}"
            raise EngineError(message)
        time.sleep(_PAUSE_SECONDS)
    return found


def await_page(driver: Driver, expression: str) -> None:
    """`Driver.wait_for` for a driver that can only `evaluate`."""
    refusals: list[EngineError] = []

    def is_true() -> bool:
        try:
            return bool(driver.evaluate(f"Promise.resolve({expression}).then(Boolean)"))
        except EngineError as error:  # a page that is being replaced has no answer yet
            refusals.append(error)
            return False

    try:
        await_true(is_true, expression)
    except EngineError as error:
        if refusals:
            error.add_note(f"last refusal: {refusals[-1]}")
        raise
