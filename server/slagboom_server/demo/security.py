"""Strict security headers: the demo runs under the rules a careful company would set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send


def build_csp(
    *,
    scripts: Iterable[str] = (),
    connections: Iterable[str] = (),
    frames: Iterable[str] = (),
    images: Iterable[str] = (),
) -> str:
    """A Content-Security-Policy that allows the own origin and exactly these other origins.

    Never inline code or inline style. A page may not be framed; a vendor's player, which must be,
    brings its own policy.
    """
    allowed = {
        "script-src": scripts,
        "style-src": (),
        "img-src": images,
        "connect-src": connections,
    }
    directives = ["default-src 'none'"]
    directives += [" ".join((name, "'self'", *origins)) for name, origins in allowed.items()]
    directives.append(" ".join(("frame-src", *(tuple(frames) or ("'none'",)))))
    directives += ["base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"]
    return "; ".join(directives)


class SecurityHeaders:
    """ASGI middleware that puts the same security headers on every answer of an app."""

    def __init__(self, app: ASGIApp, csp: str) -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": csp,
            "Referrer-Policy": "strict-origin-when-cross-origin",
            "X-Content-Type-Options": "nosniff",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self._app(scope, receive, send_secured)
