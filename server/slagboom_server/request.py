"""What every answer to a visitor begins with: the kit, the site, the origin, the body."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from slagboom_server.problems import Refusal
from slagboom_server.settings import MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from slagboom_server.kit import Kit
    from slagboom_server.sites import Site

OWN_PAGES: Final = {"Access-Control-Allow-Credentials": "true", "Vary": "Origin"}
"""On every answer that the site's own pages may read, beside the origin it is for."""


def find_kit(request: Request) -> Kit:
    """The kit that answers."""
    kit: Kit = request.app.state.kit
    return kit


def find_site(request: Request) -> Site:
    """The site the path names. Raises Refusal."""
    return require_site(find_kit(request), request.path_params["site"])


def require_site(kit: Kit, name: str) -> Site:
    """The site of this name. Raises Refusal where there is none."""
    site = kit.sites.get(name)
    if site is None:
        raise Refusal(404, "There is no such site here; check the address of the script tag.")
    return site


def require_origin(site: Site, origin: str | None) -> str:
    """The origin of one of the site's own pages. Raises Refusal for a foreign one, or none."""
    if origin is None or origin not in site.loaded.policy.origins:
        raise Refusal(403, "This origin is not among the policy's `origins`.")
    return origin


def allow_origin(origin: str) -> dict[str, str]:
    """The headers that let a page read an answer. origin: of one of the site's own pages."""
    return {"Access-Control-Allow-Origin": origin, **OWN_PAGES}


def require_rate(
    kit: Kit, kind: str, site: str, address: str, headers: Mapping[str, str] | None = None
) -> None:
    """Raises Refusal where the visitor's network has sent too many of this kind.

    address: "" where there is none. headers: more of them for the answer.
    """
    wait = kit.limiter.wait_seconds(kind, site, address)
    if wait:
        kit.metrics.count_limited(site, kind)
        detail = "Too many came from this network; send it again later."
        raise Refusal(429, detail, {**(headers or {}), "Retry-After": str(math.ceil(wait))})


async def read_body(request: Request) -> bytes:
    """The whole body, as far as the kit reads one."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Refusal(413, f"A body has at most {MAX_BODY_BYTES} bytes.")
    return bytes(body)
