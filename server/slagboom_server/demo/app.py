"""The demo as one app: sites, vendors and start page around the kit, told apart by Host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocketClose

from slagboom_server.demo.hosts import SUFFIX, VendorMode, request_host
from slagboom_server.demo.sites import SITES, build_site
from slagboom_server.demo.start import build_start
from slagboom_server.demo.vendors import build_vendors

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from slagboom_server.demo.received import Received

_START_HOSTS = ("localhost", "127.0.0.1")


def build_demo(
    kit: ASGIApp, port: int, received: Received, vendors: VendorMode = "local"
) -> ASGIApp:
    """The demo around a kit that answers under `/s/`.

    port: where the demo will listen, since its pages name each other. vendors: where the pages
    expect the vendors; the stand-ins answer under `.localhost` either way. Start and stop of the
    server are passed on to the kit.
    """
    return _Demo(
        kit,
        {site.id: build_site(site, port, vendors) for site in SITES.values()},
        build_vendors(received),
        build_start(port, received),
    )


class _Demo:
    """ASGI app that picks the answering app by the request's Host."""

    def __init__(
        self, kit: ASGIApp, sites: dict[str, ASGIApp], vendors: ASGIApp, start: ASGIApp
    ) -> None:
        self._kit = kit
        self._sites = sites
        self._vendors = vendors
        self._start = start

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass the server's start and stop on."""
        if scope["type"] == "lifespan":
            await self._kit(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
        else:
            app = self._find_app(request_host(scope), scope["path"])
            await app(scope, receive, send)

    def _find_app(self, host: str, path: str) -> ASGIApp:
        if host in _START_HOSTS:
            return self._start
        name = host.removesuffix(SUFFIX)
        if name == host:
            return _unknown_host
        site = name.removeprefix("www.")
        if site in self._sites:
            return self._kit if path.startswith("/s/") else self._sites[site]
        # A vendor's name has a dot of its own; a single label is a site that does not exist.
        belongs_to_site = name.rpartition(".")[2] in self._sites
        return self._vendors if "." in name and not belongs_to_site else _unknown_host


async def _unknown_host(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("Unknown host.\n", 404)(scope, receive, send)
