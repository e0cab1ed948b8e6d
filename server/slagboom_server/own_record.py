"""`DELETE records/{consent_id}`: a visitor erases their own records. The id is the secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from slagboom_server.chain import Reason
from slagboom_server.problems import SAFE_HEADERS, Refusal
from slagboom_server.request import (
    allow_origin,
    find_kit,
    find_site,
    require_origin,
    require_rate,
)
from slagboom_server.retention import RecordsHeld

if TYPE_CHECKING:
    from starlette.requests import Request

    from slagboom_server.sites import Site


_PATH: Final = "/s/{site}/records/{consent_id}"


def _allow(request: Request, site: Site) -> dict[str, str]:
    """The answer's headers. Raises Refusal for a page that is not the site's own."""
    origin = request.headers.get("origin")
    # Without an origin it is no page that asks, but somebody who knows the number.
    headers = {} if origin is None else allow_origin(require_origin(site, origin))
    return {**SAFE_HEADERS, **headers, "Cache-Control": "no-store"}


async def erase_records(request: Request) -> Response:
    """Erases this site's records of one visitor, and tells how many there were."""
    kit, site = find_kit(request), find_site(request)
    headers = _allow(request, site)
    address = request.client.host if request.client else ""
    require_rate(kit, "records", site.loaded.policy.site, address, headers)
    erased = 0
    try:
        consent_id = UUID(request.path_params["consent_id"])
    except ValueError:
        consent_id = None
    if consent_id is not None:
        try:
            erased = await run_in_threadpool(
                kit.store.retention.erase,
                consent_id,
                Reason.VISITOR,
                kit.clock(),
                site.loaded.policy.site,
            )
        except RecordsHeld as error:
            # Why it must be kept is not for whoever happens to know the number.
            detail = "These records must be kept for now; ask the controller."
            raise Refusal(409, detail, headers) from error
    if not erased:
        raise Refusal(404, "There is no record under this number.", headers)
    return Response(json.dumps({"erased": erased}), headers=headers, media_type="application/json")


async def allow_erasing(request: Request) -> Response:
    """What a browser asks before a page on another host may erase."""
    headers = _allow(request, find_site(request))
    allowed = {"Access-Control-Allow-Methods": "GET, DELETE", "Access-Control-Max-Age": "600"}
    return Response(status_code=204, headers={**headers, **allowed})


ROUTES: Final = [
    Route(_PATH, erase_records, methods=["DELETE"]),
    Route(_PATH, allow_erasing, methods=["OPTIONS"]),
]
