"""The kit as an ASGI app."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from slagboom_server.decisions import ROUTE as DECISION_ROUTE
from slagboom_server.decisions import find_decider, take_decision
from slagboom_server.errors import StoreUnavailable
from slagboom_server.handover_routes import ROUTES as HANDOVER_ROUTES
from slagboom_server.health import Health
from slagboom_server.metrics import MeasuredApp
from slagboom_server.own_record import ROUTES as OWN_RECORD_ROUTES
from slagboom_server.problems import Refusal, answer_problem
from slagboom_server.shown_routes import ROUTES as SHOWN_ROUTES
from slagboom_server.visitor import ROUTES

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from slagboom_server.kit import Kit

_log = logging.getLogger(__name__)

_FAULT = "The server failed on this request; nothing was stored."
_DETAILS = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
}


async def _answer_http_error(_request: Request, error: Exception) -> Response:
    """An unknown path, or a method a path does not have."""
    if not isinstance(error, HTTPException):
        raise error
    return answer_problem(error.status_code, _DETAILS.get(error.status_code, ""), error.headers)


async def _answer_refusal(_request: Request, error: Exception) -> Response:
    if not isinstance(error, Refusal):
        raise error
    return answer_problem(error.status, error.detail, error.headers)


async def _answer_unavailable(_request: Request, error: Exception) -> Response:
    """The log cannot be read; why is for the server's own log alone."""
    _log.error("%s", error)
    detail = "The log cannot be read at the moment; try again later."
    return answer_problem(503, detail, {"Retry-After": "30"})


async def _answer_fault(_request: Request, _error: Exception) -> Response:
    """A fault of ours; what it was stands in the server's own log."""
    return answer_problem(500, _FAULT)


class _App(Starlette):
    """The framework's app, but for decisions, which do not go through its layers."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        site = find_decider(scope)
        if site is None:
            await super().__call__(scope, receive, send)
        else:
            await self.take(site, scope, receive, send)

    async def take(self, site: str, scope: Scope, receive: Receive, send: Send) -> int:
        """Answers a decision; the answer's status, 0 where the browser had gone before it."""
        try:
            return await take_decision(self.state.kit, site, scope, receive, send)
        except Refusal as refusal:
            answer = answer_problem(refusal.status, refusal.detail, refusal.headers)
            await answer(scope, receive, send)
            return refusal.status
        except Exception:
            answer = answer_problem(500, _FAULT)
            await answer(scope, receive, send)
            raise


class _MeasuredDoor:
    """The app with every request timed.

    Decisions are timed here, without a look at what is sent: their answers go out undisturbed.
    """

    def __init__(self, app: _App, kit: Kit) -> None:
        routes = {route.endpoint: route.path for route in app.routes if isinstance(route, Route)}
        self._app = app
        self._metrics = kit.metrics
        self._others = MeasuredApp(app, kit.metrics, routes, time.perf_counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        site = find_decider(scope)
        if site is None:
            await self._others(scope, receive, send)
            return
        begun = time.perf_counter()
        status = 500
        try:
            status = await self._app.take(site, scope, receive, send)
        finally:
            seconds = time.perf_counter() - begun
            self._metrics.observe_request("POST", DECISION_ROUTE.path, status, seconds)


def build_app(kit: Kit, health: Health | None = None) -> _App:
    """The app of a kit whose policies have been read.

    health: answers whether the kit is ready; left out, whoever answers is.
    """
    operator = Health({}) if health is None else health
    app = _App(
        routes=[
            *operator.routes(),
            DECISION_ROUTE,
            *ROUTES,
            *HANDOVER_ROUTES,
            *SHOWN_ROUTES,
            *OWN_RECORD_ROUTES,
        ],
        exception_handlers={
            HTTPException: _answer_http_error,
            Refusal: _answer_refusal,
            StoreUnavailable: _answer_unavailable,
            Exception: _answer_fault,
        },
    )
    # An address is right or it is not; a redirect would send a decision round twice.
    app.router.redirect_slashes = False
    app.state.kit = kit
    return app


def measured(app: _App, kit: Kit) -> ASGIApp:
    """The app of `build_app` with every request timed."""
    return _MeasuredDoor(app, kit)
