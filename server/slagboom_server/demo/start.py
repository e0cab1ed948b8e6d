"""The start page at `localhost`: what to try, and what has reached the vendors."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from slagboom_server.demo.hosts import site_origin
from slagboom_server.demo.security import SecurityHeaders, build_csp
from slagboom_server.demo.sites import SITES
from slagboom_server.demo.templates import PAGES, read_templates

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from slagboom_server.demo.received import Received

_REFRESH_SECONDS = 2


def build_start(port: int, received: Received) -> ASGIApp:
    """`/`, `/received`, `/received.json` and the button that clears the list.

    `/received?watch` loads itself again every two seconds; without `watch` the page stands still,
    because a page that moves by itself is hard to read with a screen reader.
    """
    templates = read_templates()
    addresses = {site.id: f"{site_origin(site.id, port)}/" for site in SITES.values()}

    async def show_start(_: Request) -> Response:
        page = templates.get_template("start/start.html")
        return HTMLResponse(page.render(sites=SITES, addresses=addresses))

    async def show_received(request: Request) -> Response:
        page = templates.get_template("start/received.html")
        arrivals = [
            (arrival, parse_qsl(arrival.query, keep_blank_values=True))
            for arrival in reversed(received.arrivals)
        ]
        refresh = _REFRESH_SECONDS if "watch" in request.query_params else None
        return HTMLResponse(page.render(arrivals=arrivals, addresses=addresses, refresh=refresh))

    async def list_received(_: Request) -> Response:
        return JSONResponse({"received": [each.as_json() for each in received.arrivals]})

    async def clear_received(_: Request) -> Response:
        received.clear()
        return RedirectResponse("/received", status_code=303)

    routes: list[Route | Mount] = [
        Route("/", show_start),
        Route("/received", show_received),
        Route("/received.json", list_received),
        Route("/received/clear", clear_received, methods=["POST"]),
        Mount("/", StaticFiles(directory=PAGES / "start" / "static")),
    ]
    return SecurityHeaders(Starlette(routes=routes), build_csp())
