"""HTTP for visitors: the scripts, their decisions, their own record, the notices once shown."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from slagboom_banner.cookie import COOKIE_NAME, is_answered
from slagboom_banner.errors import SlagboomError
from slagboom_server.errors import StoreUnavailable
from slagboom_server.export import describe_record
from slagboom_server.problems import SAFE_HEADERS, Refusal
from slagboom_server.receipts import MOST_ONLINE, MOST_RECEIPTS
from slagboom_server.request import allow_origin, find_kit, find_site, require_rate

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from starlette.requests import Request

    from slagboom_server.kit import Kit
    from slagboom_server.record import ConsentRecord
    from slagboom_server.sites import Script

GATE_CACHE = "private, max-age=300, stale-while-revalidate=86400"
PART_CACHE = "public, max-age=31536000, immutable"
_log = logging.getLogger(__name__)

_NEVER = re.compile(r";\s*q=0(\.0*)?\s*$")


def _accepted_encoding(request: Request) -> str:
    offered = {
        part.partition(";")[0].strip()
        for part in request.headers.get("accept-encoding", "").lower().split(",")
        if not _NEVER.search(part)
    }
    return next((name for name in ("br", "gzip") if name in offered), "identity")


def _answer_script(request: Request, script: Script, cache: str, vary: str) -> Response:
    headers = {
        **SAFE_HEADERS,
        "Cache-Control": cache,
        "ETag": script.etag,
        "Vary": vary,
        "Cross-Origin-Resource-Policy": "cross-origin",
        # Parts are modules, which other origins read only where they may.
        "Access-Control-Allow-Origin": "*",
    }
    if script.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    encoding = _accepted_encoding(request)
    if encoding != "identity":
        headers["Content-Encoding"] = encoding
    return Response(
        script.bodies[encoding], headers=headers, media_type="text/javascript; charset=utf-8"
    )


def _preferred_language(request: Request, known: Collection[str], fallback: str) -> str:
    """The first language of Accept-Language, in its order, that the policy has."""
    for part in request.headers.get("accept-language", "").lower().split(","):
        wanted = part.partition(";")[0].strip().partition("-")[0]
        # Both written forms of Norwegian read the one file there is.
        for language in (wanted, "no" if wanted in {"nb", "nn"} else wanted):
            if language in known:
                return language
    return fallback


async def send_gate(request: Request) -> Response:
    """`GET gate.js`: the one script of the site, with the first layer while a choice is due.

    The page's language is not known here: the first layer comes in the visitor's language and in
    the policy's first, and a page in a third one costs one request more.
    """
    site = find_site(request)
    policy = site.loaded.policy
    cookie = request.cookies.get(COOKIE_NAME, "")
    now = int(find_kit(request).clock().timestamp())
    if is_answered(policy.site, cookie, site.bundle.offer.scope, now):
        gate = site.gate
    else:
        language = _preferred_language(request, site.asking_gates, policy.languages[0])
        gate = site.asking_gates[language]
    return _answer_script(request, gate, GATE_CACHE, "Accept-Encoding, Accept-Language, Cookie")


async def send_part(request: Request) -> Response:
    """`GET first-{language}-{build}.js`, `second-…`: a layer in one language, for ever the same."""
    kit = find_kit(request)
    name = (request.path_params["site"], f"{request.path_params['part']}.js")
    part = kit.parts.get(name) or await run_in_threadpool(kit.find_part, *name)
    if part is None:
        raise Refusal(404, "There is no such part; reload the page.")
    return _answer_script(request, part, PART_CACHE, "Accept-Encoding")


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


async def _make_receipts(kit: Kit, records: Sequence[ConsentRecord]) -> list[dict[str, Any]]:
    newest = records[-MOST_RECEIPTS:]
    try:
        await kit.receipts.wait_for_checkpoint(newest)
        return await run_in_threadpool(kit.receipts.make, newest, kit.clock(), MOST_ONLINE)
    except StoreUnavailable:
        raise
    except SlagboomError as error:
        # The visitor still gets what is recorded; only the signed form has to wait.
        _log.error("no receipt could be made: %s", error)
        return []


async def send_records(request: Request) -> Response:
    """`GET records/{consent_id}`: the visitor's own records and receipts. The id is the secret."""
    kit, policy = find_kit(request), find_site(request).loaded.policy
    origin = request.headers.get("origin")
    headers = {
        **SAFE_HEADERS,
        **(allow_origin(origin) if origin in policy.origins else {}),
        "Cache-Control": "no-store",
    }
    require_rate(kit, "records", policy.site, _address(request), headers)
    records: list[ConsentRecord] = []
    with contextlib.suppress(ValueError):
        consent_id = UUID(request.path_params["consent_id"])
        found = await run_in_threadpool(kit.store.records_of, consent_id)
        records = [record for record in found if record.site == policy.site]
    if not records:
        raise Refusal(404, "There is no record under this number.", headers)
    answer: dict[str, Any] = {
        "consent_id": str(records[0].consent_id),
        "controller": policy.controller.name,
        "records": [describe_record(record) for record in records],
        "receipts": await _make_receipts(kit, records),
    }
    return Response(
        json.dumps(answer, ensure_ascii=False, indent=2),
        headers=headers,
        media_type="application/json",
    )


async def send_notice(request: Request) -> Response:
    """`GET notices/{digest}`: exactly what was shown, for as long as the log is kept."""
    kit, policy = find_kit(request), find_site(request).loaded.policy
    readable = {"Access-Control-Allow-Origin": "*"}
    require_rate(kit, "notices", policy.site, _address(request), readable)
    notice = await run_in_threadpool(kit.store.notice, policy.site, request.path_params["digest"])
    if notice is None:
        raise Refusal(404, "This site never published such a notice.")
    return JSONResponse(
        {**dataclasses.asdict(notice.offer), "document": notice.document},
        # Published texts, which a page with an interface of its own reads from any host.
        headers={
            **SAFE_HEADERS,
            "Cache-Control": PART_CACHE,
            **readable,
        },
    )


ROUTES = [
    Route("/s/{site}/gate.js", send_gate),
    Route("/s/{site}/records/{consent_id}", send_records),
    Route("/s/{site}/notices/{digest}", send_notice),
    Route("/s/{site}/{part}.js", send_part),
]
