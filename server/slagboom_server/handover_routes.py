"""HTTP for handing over: a token for a link, its acceptance at the other end, a lasting cookie."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated, Final, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from slagboom_banner.cookie import COOKIE_NAME
from slagboom_banner.model import Model
from slagboom_server.choice_cookie import cookie_header
from slagboom_server.handover import (
    NOT_GOOD,
    HandedChoice,
    HandOverRefused,
    Question,
    Traveller,
    Way,
    find_choice,
    find_traveller,
)
from slagboom_server.problems import SAFE_HEADERS, Refusal
from slagboom_server.request import (
    allow_origin,
    find_kit,
    find_site,
    read_body,
    require_origin,
    require_rate,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request

    from slagboom_server.sites import Site


_SCOPE, _GIVEN, _CONSENT_ID, _DECISION_ID, _PURPOSES, _SERVICES, _FLAGS = 2, 3, 5, 6, 7, 8, 9
"""Places among the parts of the choice cookie (banner/slagboom_banner/cookie.py)."""

_ANONYMISED: Final = frozenset({"1", "3"})
"""Flags of choices that the visitor's full address goes to nobody by."""

Origin = Annotated[str, Field(max_length=300)]
Cookie = Annotated[str, Field(max_length=400)]


class Wish(Model):
    """Asks for a token. choice: the choice cookie. to: where the link leads."""

    choice: Cookie
    to: Origin


class Arrival(Model):
    """Redeems a token.

    source: the origin of the page with the link, by the browser's referrer. held: the choice cookie
    this domain has; null where it has none.
    """

    token: Annotated[str, Field(max_length=100)]
    source: Origin
    held: Cookie | None


M = TypeVar("M", bound=Model)


def _parse(model: type[M], body: bytes) -> M:
    try:
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        fields = ", ".join(model.model_fields)
        raise Refusal(422, f"Send one JSON object with {fields}.") from error


def _decision_of(cookie: str) -> UUID:
    try:
        return UUID(cookie.split(".")[_DECISION_ID])
    except (IndexError, ValueError) as error:
        message = "the cookie holds no choice"
        raise HandOverRefused(message) from error


def _may_replace(choice: HandedChoice, held: str | None) -> bool:
    """Whether a choice takes the place of the one a domain has.

    The newer one stands; of one visitor's decisions the log has told which is the newest, while a
    cookie knows only seconds. Under another consent number it may be anybody's, and so takes away
    what is granted here but never grants what was refused here.
    """
    parts, new = (held or "").split("."), choice.value.split(".")
    if len(parts) <= _FLAGS or not (parts[_GIVEN].isascii() and parts[_GIVEN].isdecimal()):
        return True
    later_seconds = choice.given_at - int(parts[_GIVEN])
    if parts[_CONSENT_ID] == new[_CONSENT_ID]:
        return later_seconds >= 0
    return later_seconds > 0 and not _widens(new, parts)


def _widens(new: Sequence[str], held: Sequence[str]) -> bool:
    """Whether one choice grants what the other one refuses. new, held: parts of their cookies."""
    grants, held_grants = (parts[_PURPOSES] + parts[_SERVICES] for parts in (new, held))
    if "1" not in grants:
        return False
    if new[_SCOPE] != held[_SCOPE] or len(grants) != len(held_grants):
        # Digits of another question stand for other things; a refusal of all of it is plain.
        return "1" not in held_grants
    if held[_FLAGS] in _ANONYMISED and new[_FLAGS] not in _ANONYMISED:
        return True
    return any(one == "1" != other for one, other in zip(grants, held_grants, strict=True))


def _traveller(request: Request) -> Traveller:
    address = request.client.host if request.client else ""
    return find_traveller(address, request.headers.get("user-agent", ""))


async def _find(request: Request, site: Site, decision_id: UUID, origin: str) -> HandedChoice:
    kit = find_kit(request)
    question = Question(site.loaded.policy.site, site.bundle.offer.scope, kit.clock())
    return await run_in_threadpool(find_choice, kit.store, question, decision_id, origin)


def _targets(site: Site) -> tuple[str, ...]:
    hand_over = site.loaded.policy.hand_over
    return hand_over.to if hand_over else ()


async def _make_token(request: Request, site: Site, origin: str) -> Response:
    wish = _parse(Wish, await read_body(request))
    if wish.to not in _targets(site) or wish.to == origin:
        message = "the policy names no hand-over to there"
        raise HandOverRefused(message)
    decision_id = _decision_of(wish.choice)
    choice = await _find(request, site, decision_id, wish.to)
    # Who knows the whole cookie holds the choice; a decision's number alone is no secret.
    if choice.value != wish.choice:
        message = "the log holds another choice under this number"
        raise HandOverRefused(message)
    kit = find_kit(request)
    way = Way(site.loaded.policy.site, origin, wish.to, _traveller(request))
    return JSONResponse({"token": kit.tokens.make(way, decision_id, kit.clock())})


async def _accept(request: Request, site: Site, origin: str) -> Response:
    kit = find_kit(request)
    address = request.client.host if request.client else ""
    # Tokens cost their maker nothing, and each one redeemed costs the log a commit.
    require_rate(kit, "hand-over", site.loaded.policy.site, address)
    arrival = _parse(Arrival, await read_body(request))
    policy = site.loaded.policy
    if origin not in _targets(site):
        message = "the policy names no hand-over to here"
        raise HandOverRefused(message)
    way = Way(policy.site, arrival.source, origin, _traveller(request))
    voucher = kit.tokens.read(arrival.token, way, kit.clock())
    choice = await _find(request, site, voucher.decision_id, origin)
    if not _may_replace(choice, arrival.held):
        message = "this domain has a choice of its own that stands"
        raise HandOverRefused(message)
    # Last, because it is a commit: whoever is refused above costs the log none.
    is_first = await run_in_threadpool(
        kit.store.spend_token, voucher.digest, voucher.expires_at, kit.clock()
    )
    if not is_first:
        raise HandOverRefused(NOT_GOOD)
    is_secure = urlsplit(origin).scheme == "https"
    cookie = cookie_header(policy, choice.value, choice.seconds_left, is_secure=is_secure)
    # The page sets it, when it has made sure that the visitor has not decided meanwhile.
    return JSONResponse({"cookie": cookie})


async def _keep(request: Request, site: Site, origin: str) -> Response:
    value = request.cookies.get(COOKIE_NAME, "")
    answer = Response(status_code=204)
    # A kit on another site than the page gets no cookie, and can keep none.
    with contextlib.suppress(HandOverRefused):
        choice = await _find(request, site, _decision_of(value), origin)
        if choice.value == value:
            is_secure = request.url.scheme == "https"
            header = cookie_header(
                site.loaded.policy, value, choice.seconds_left, is_secure=is_secure
            )
            answer.headers.append("Set-Cookie", header)
    return answer


def _answer(
    act: Callable[[Request, Site, str], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of an act: for the site's own pages only, never cached, refusals as problems."""

    async def answer(request: Request) -> Response:
        site = find_site(request)
        origin = require_origin(site, request.headers.get("origin"))
        headers = allow_origin(origin)
        try:
            response = await act(request, site, origin)
        except ClientDisconnect:
            return Response(status_code=400)
        except HandOverRefused as error:
            detail = f"Nothing is handed over: {error}."
            raise Refusal(409, detail, headers) from error
        except Refusal as refusal:
            merged = {**headers, **refusal.headers}
            raise Refusal(refusal.status, refusal.detail, merged) from refusal
        response.headers.update({**SAFE_HEADERS, **headers, "Cache-Control": "no-store"})
        return response

    return answer


ROUTES = [
    Route("/s/{site}/hand-over", _answer(_make_token), methods=["POST"]),
    Route("/s/{site}/hand-over/accept", _answer(_accept), methods=["POST"]),
    Route("/s/{site}/hand-over/keep", _answer(_keep), methods=["POST"]),
]
"""Making a token, redeeming it, and setting again from the server the cookie the page has set, so
that a browser which shortens the life of cookies set by scripts keeps the choice."""
