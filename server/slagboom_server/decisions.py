"""`POST decisions`: a visitor's decision, taken in and answered once it is durable.

Every answer of every visitor of every site comes through here, so this one speaks ASGI itself, and
the app hands decisions to it before the framework looks at them: its layers, request and response
cost as much as all that is done with a decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import cookie_parser
from starlette.routing import Route

from slagboom_banner.cookie import COOKIE_NAME
from slagboom_server.choice_cookie import DAY_SECONDS, cookie_header, cookie_value
from slagboom_server.decision_body import parse_decision, split_body
from slagboom_server.direct_answer import send_answer
from slagboom_server.entry import to_entry
from slagboom_server.errors import QueueFull, RecordRejected, ReplayConflict, StoreUnavailable
from slagboom_server.familiar import Circumstances
from slagboom_server.metrics import UNKNOWN, result_of
from slagboom_server.problems import SAFE_HEADERS, Refusal
from slagboom_server.record import RequestFacts, build_record
from slagboom_server.request import (
    OWN_PAGES,
    allow_origin,
    require_origin,
    require_rate,
    require_site,
)
from slagboom_server.row import ACTION_OF, service_ids, to_ms
from slagboom_server.settings import ANSWER_SECONDS, MAX_BODY_BYTES
from slagboom_server.store import Conflict, Stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from slagboom_banner.model import Decision
    from slagboom_server.anonymise import Client
    from slagboom_server.entry import Entry
    from slagboom_server.kit import Kit
    from slagboom_server.record import ConsentRecord, OfferedNotice
    from slagboom_server.sites import Site

_BEFORE: Final = "/s/"
_BEHIND: Final = "/decisions"

_HEADERS: Final = [
    (name.lower().encode(), value.encode())
    for name, value in {
        **SAFE_HEADERS,
        "Cache-Control": "no-store",
        "Content-Type": "application/json",
        **OWN_PAGES,
    }.items()
]


def find_decider(scope: Scope) -> str | None:
    """The site a decision is sent to; None for every other request."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    path: str = scope["path"]
    if not (path.startswith(_BEFORE) and path.endswith(_BEHIND)):
        return None
    site = path[len(_BEFORE) : -len(_BEHIND)]
    return site if site and "/" not in site else None


async def take_decision(kit: Kit, name: str, scope: Scope, receive: Receive, send: Send) -> int:
    """201 once the record is durable, 200 where it had been stored before, 0 where nobody waits.

    name: the site's. Raises Refusal.
    """
    # Both before the first wait: behind it, another policy may be served.
    site, familiar = require_site(kit, name), kit.familiar
    # The first of several headers of one name, as the framework reads them.
    headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))
    origin = require_origin(site, headers.get(b"origin", b"").decode("latin-1"))
    action = UNKNOWN
    facts = _facts(scope, headers)
    try:
        require_rate(kit, "decisions", name, facts.address)
        body = await _read_body(receive)
        if body is None:
            return 0
        split = split_body(body)
        around = _look_around(kit, name, facts)
        entry = None
        if split is not None and around is not None:
            entry = familiar.recall(split, around, facts.address, to_ms(kit.clock()))
        if entry is None:
            decision = parse_decision(body)
            action = decision.action.value
            record, offer = await _make_record(kit, site, decision, facts)
            entry = to_entry(record, offer.purposes, service_ids(offer))
            if split is not None and around is not None:
                familiar.remember(split, around, entry, offer)
        action = ACTION_OF[entry.kind.action].value
        is_new = await _store(kit, entry)
    except (RecordRejected, StoreUnavailable, Refusal) as error:
        kit.metrics.count_decision(name, action, result_of(error))
        raise _refuse(error, origin) from error
    kit.metrics.count_decision(name, action, "stored" if is_new else "repeated")
    answer = b'{"receipt":"%s"}' % _write_uuid(entry.decision_id).encode()
    sent = [*_HEADERS, (b"access-control-allow-origin", headers[b"origin"])]
    if b"cookie" in headers:
        cookie = _choice_cookie(scope, headers[b"cookie"].decode("latin-1"), site, entry)
        if cookie is not None:
            sent.append((b"set-cookie", cookie.encode("latin-1")))
    status = 201 if is_new else 200
    await send_answer(send, status, sent, answer)
    return status


def _write_uuid(uuid: bytes) -> str:
    # Several times as fast as by way of an object.
    digits = uuid.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _refuse(error: RecordRejected | StoreUnavailable | Refusal, origin: str) -> Refusal:
    """The answer to a decision that is not stored, which the site's own page may read."""
    headers = allow_origin(origin)
    match error:
        case Refusal():
            return Refusal(error.status, error.detail, {**headers, **error.headers})
        case RecordRejected():
            return Refusal(error.status, error.reason, headers)
        case QueueFull():
            return Refusal(503, str(error), {**headers, "Retry-After": "5"})
        case StoreUnavailable():
            # The reason stands in the server's own log; a visitor's browser only has to wait.
            detail = "The log cannot be used at the moment; send the decision again later."
            return Refusal(503, detail, {**headers, "Retry-After": "30"})


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body; None where the browser has gone."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk: bytes = message.get("body", b"")
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Refusal(413, f"A decision has at most {MAX_BODY_BYTES} bytes.")
        if not message.get("more_body", False):
            return body


def _facts(scope: Scope, headers: dict[bytes, bytes]) -> RequestFacts:
    client: tuple[str, int] | None = scope.get("client")
    signal = headers.get(b"sec-gpc")
    return RequestFacts(
        address=client[0] if client else "",
        user_agent=headers.get(b"user-agent", b"").decode("latin-1"),
        origin=headers[b"origin"].decode("latin-1"),
        gpc_header=None if signal is None else signal.decode("latin-1"),
    )


def _look_around(kit: Kit, name: str, facts: RequestFacts) -> Circumstances | None:
    """What a record depends on beside the decision; None for a user agent that is new here."""
    client = kit.clients.recall(facts.user_agent)
    if client is None:
        return None
    country = kit.countries.country(facts.address)
    return Circumstances(name, client, facts.origin, facts.gpc_header == "1", country)


async def _make_record(
    kit: Kit, site: Site, decision: Decision, facts: RequestFacts
) -> tuple[ConsentRecord, OfferedNotice]:
    client = kit.clients.recall(facts.user_agent)
    if client is not None and (site.loaded.policy.site, decision.notice) in kit.notices:
        return _build_record(kit, site, decision, facts, lambda _: client)
    # A notice or user agent that is new here takes milliseconds, for which nobody else should wait.
    return await run_in_threadpool(_build_record, kit, site, decision, facts, kit.clients)


def _build_record(
    kit: Kit,
    site: Site,
    decision: Decision,
    facts: RequestFacts,
    clients: Callable[[str], Client],
) -> tuple[ConsentRecord, OfferedNotice]:
    notice = kit.find_notice(site.loaded.policy.site, decision.notice)
    if notice is None:
        message = "notice: it was never published by this site; reload the page"
        raise RecordRejected(message)
    record = build_record(
        decision,
        notice,
        facts,
        kit.clock(),
        is_current=notice.digest in site.notices,
        countries=kit.countries,
        clients=clients,
    )
    return record, notice


async def _store(kit: Kit, entry: Entry) -> bool:
    """Whether the decision is new; returns once it is durable, and raises as `Writer.submit`."""
    appended = await kit.writer.submit(entry, ANSWER_SECONDS)
    if isinstance(appended, Conflict):
        raise ReplayConflict(appended.decision_id)
    return isinstance(appended, Stored)


def _choice_cookie(scope: Scope, cookies: str, site: Site, entry: Entry) -> str | None:
    """The Set-Cookie header that keeps the choice past a browser's limit for script cookies.

    Only for the choice the browser holds at this moment: the answer to a decision sent late must
    not bring back what the visitor has changed since.
    """
    offer = site.notices.get(entry.kind.notice)
    if offer is None or _write_uuid(entry.decision_id) not in cookies:
        return None
    value = cookie_value(entry, offer, site.bundle.offer.scope)
    if value is None or cookie_parser(cookies).get(COOKIE_NAME) != value:
        return None
    is_secure = scope["scheme"] == "https"
    seconds = offer.consent_lifetime_days * DAY_SECONDS
    return cookie_header(site.loaded.policy, value, seconds, is_secure=is_secure)


class _Endpoint:
    """The framework takes an object for an ASGI app, a function for one of requests."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Takes one decision."""
        await take_decision(
            scope["app"].state.kit, scope["path_params"]["site"], scope, receive, send
        )


ROUTE: Final = Route(f"{_BEFORE}{{site}}{_BEHIND}", _Endpoint(), methods=["POST"])
"""For the framework, which answers other methods here."""
