"""`POST shown`: a browser says that it has shown the first layer, and nothing of itself.

The answer sets nothing and the request's cookies are not read. Address and user agent give country
and class of device, as for a decision, and are gone with the request.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from slagboom_server.problems import SAFE_HEADERS, Refusal
from slagboom_server.request import (
    allow_origin,
    find_kit,
    find_site,
    read_body,
    require_origin,
    require_rate,
)
from slagboom_server.rollup import Shown

if TYPE_CHECKING:
    from starlette.requests import Request

_DIGEST: Final = re.compile(rb"[0-9a-f]{64}")


async def count_shown(request: Request) -> Response:
    """204 once it is counted; the body is the digest of the notice that was shown."""
    kit, site = find_kit(request), find_site(request)
    headers = allow_origin(require_origin(site, request.headers.get("origin")))
    name = site.loaded.policy.site
    address = request.client.host if request.client else ""
    require_rate(kit, "shown", name, address, headers)
    try:
        body = await read_body(request)
    except ClientDisconnect:
        return Response(status_code=400)
    notice = None
    if _DIGEST.fullmatch(body):
        digest = body.decode("ascii")
        # One that is new here, another node may have published since.
        notice = kit.notices.get((name, digest)) or await run_in_threadpool(
            kit.find_notice, name, digest
        )
    if notice is None:
        raise Refusal(422, "Send the digest of a notice that this site has published.", headers)
    user_agent = request.headers.get("user-agent", "")
    client = kit.clients.recall(user_agent)
    if client is None:
        client = await run_in_threadpool(kit.clients, user_agent)
    now = kit.clock()
    shown = Shown(
        site=name,
        day=now.date(),
        revision=notice.revision,
        language=notice.language,
        purposes=notice.purposes,
        country=kit.countries.country(address),
        device=client.device,
    )
    kit.writer.count_shown(shown, now)
    return Response(
        status_code=204, headers={**SAFE_HEADERS, **headers, "Cache-Control": "no-store"}
    )


ROUTES: Final = [Route("/s/{site}/shown", count_shown, methods=["POST"])]
