"""Stand-in vendors: scripts, endpoints and frames that behave like the real ones and record.

They answer under the vendors' real host names, so the code paths that run in a browser are the real
ones. What they do follows the vendors' published contracts: Google's tag with Consent Mode v2,
Leadinfo's queue, YouTube's embed.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route, Router

from slagboom_server.demo.hosts import SUFFIX, request_host
from slagboom_server.demo.received import MAX_BODY_BYTES, Arrival, Received
from slagboom_server.demo.security import SecurityHeaders
from slagboom_server.demo.templates import PAGES, read_templates

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_STATIC = PAGES / "vendors" / "static"
_TWO_YEARS_SECONDS = 63_072_000


def build_vendors(received: Received) -> ASGIApp:
    """The stand-ins, by Host: a vendor's real name, or that name with `.localhost` appended.

    Every request is added to `received`, also one to a host or path that nobody answers (404).
    """
    youtube = Router([Route("/embed/{video}", _Player()), *_files("player.css", "player.js")])
    collect = Router([Route("/g/collect", _no_content, methods=["GET", "POST", "OPTIONS"])])
    leadinfo = Router([Route("/hit", _no_content, methods=["GET", "POST", "OPTIONS"])])
    return _Recorder(
        {
            "www.googletagmanager.com": Router([_file("/gtag/js", "gtag.js")]),
            "www.google-analytics.com": collect,
            "region1.google-analytics.com": collect,
            "cdn.leadinfo.net": Router(_files("ping.js")),
            "collector.leadinfo.net": leadinfo,
            "collector4.leadinfo.net": leadinfo,
            "www.youtube.com": youtube,
            "www.youtube-nocookie.com": youtube,
            "i.ytimg.com": Router([_file("/vi/{video}/hqdefault.jpg", "still.svg")]),
        },
        received,
    )


class _Recorder:
    """ASGI app that notes each request, then lets the vendor of its host answer."""

    def __init__(self, vendors: dict[str, Router], received: Received) -> None:
        self._vendors = vendors
        self._received = received

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        host = request_host(scope).removesuffix(SUFFIX)
        self._received.add(await _read_arrival(request, host))

        async def send_shared(message: Message) -> None:
            if message["type"] == "http.response.start":
                _allow_origin(MutableHeaders(scope=message), request)
            await send(message)

        vendor = self._vendors.get(host, _not_found)
        await vendor(scope, receive, send_shared)


async def _read_arrival(request: Request, host: str) -> Arrival:
    start = b""
    async for chunk in request.stream():
        start += chunk[: MAX_BODY_BYTES - len(start)]
    return Arrival(
        at=dt.datetime.now(dt.UTC),
        host=host,
        method=request.method,
        path=request.url.path,
        query=request.url.query,
        referrer=request.headers.get("referer", ""),
        cookies=tuple(sorted(request.cookies)),
        body_empty=not start,
        body=start.decode(errors="replace"),
        address_seen=request.client is not None,
    )


def _allow_origin(headers: MutableHeaders, request: Request) -> None:
    # A stored copy would hide the next page's request from the record.
    headers["Cache-Control"] = "no-store"
    origin = request.headers.get("origin")
    if origin is None:
        return
    headers["Access-Control-Allow-Origin"] = origin
    headers["Access-Control-Allow-Credentials"] = "true"
    headers["Access-Control-Allow-Headers"] = "content-type"
    headers["Vary"] = "Origin"


class _Player:
    """The page inside a video frame. www.youtube.com leaves cookies, the other host does not."""

    def __init__(self) -> None:
        self._template = read_templates().get_template("vendors/embed.html")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        host = request_host(scope).removesuffix(SUFFIX)
        images = f"{request.url.scheme}://{request.headers['host'].replace(host, 'i.ytimg.com')}"
        page = HTMLResponse(
            self._template.render(host=host, images=images, video=request.path_params["video"])
        )
        if host == "www.youtube.com":
            for name, max_age in (("VISITOR_INFO1_LIVE", _TWO_YEARS_SECONDS), ("YSC", None)):
                page.set_cookie(
                    name, "stand-in", max_age, secure=True, httponly=True, samesite="none"
                )
        csp = f"default-src 'none'; script-src 'self'; style-src 'self'; img-src {images}"
        await SecurityHeaders(page, csp)(scope, receive, send)


def _file(path: str, name: str) -> Route:
    async def serve(_: Request) -> Response:
        return FileResponse(_STATIC / name)

    return Route(path, serve)


def _files(*names: str) -> list[Route]:
    return [_file(f"/{name}", name) for name in names]


async def _no_content(_: Request) -> Response:
    return Response(status_code=204)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("No such vendor in this demo.\n", 404)(scope, receive, send)
