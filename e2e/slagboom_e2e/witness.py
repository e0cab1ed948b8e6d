"""What a browser really did: every request it sent, every cookie and key it holds.

A negative claim ("nothing left before the click") holds over a recorded period with an explicit
end: `mark` sends one request of its own, and all that came before it has been recorded by then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Request

_MARK = "slagboom-mark"
_READ_STORAGE = """async () => ({
  local: Object.keys(localStorage),
  session: Object.keys(sessionStorage),
  databases: (await indexedDB.databases()).map((database) => database.name),
  caches: "caches" in window ? await caches.keys() : [],
})"""


class Witness:
    """Listens to one browser context from its first request on."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self._requests: list[Request] = []
        self._violations: list[str] = []
        context.on("request", self._note_request)
        context.on("console", self._note_console)

    def _note_request(self, request: Request) -> None:
        self._requests.append(request)

    def _note_console(self, message: object) -> None:
        text = getattr(message, "text", "")
        if "Content Security Policy" in text or "Refused to" in text:
            self._violations.append(text)

    def mark(self, page: Page) -> None:
        """Ends a recorded period: returns when the browser has nothing queued before the mark."""
        with page.expect_request(lambda request: _MARK in request.url):
            page.evaluate(
                f"""() => new Promise((done) => requestAnimationFrame(() => setTimeout(() =>
                fetch("/?{_MARK}", {{ method: "HEAD" }}).then(done, done))))"""
            )

    def hosts(self, *, own: str) -> list[str]:
        """Every host contacted so far other than `own` and its subdomains, in order."""
        hosts = (urlsplit(request.url).hostname or "" for request in self._requests)
        return [host for host in hosts if host and host != own and not host.endswith(f".{own}")]

    def urls(self, part: str) -> list[str]:
        """The addresses requested so far that contain `part`."""
        return [request.url for request in self._requests if part in request.url]

    def forget(self) -> None:
        """Begins a new period."""
        self._requests.clear()

    def violations(self) -> list[str]:
        """What the page's own Content Security Policy has stopped."""
        return list(self._violations)

    def cookies(self) -> dict[str, str]:
        """Name and value of every cookie of the context, whatever its host."""
        return {
            cookie.get("name", ""): cookie.get("value", "") for cookie in self._context.cookies()
        }

    def stored(self, page: Page) -> list[str]:
        """Names in local and session storage, of databases and of caches, for the page's origin."""
        found: dict[str, list[str]] = page.evaluate(_READ_STORAGE)
        return [name for names in found.values() for name in names]
