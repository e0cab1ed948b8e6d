"""Errors for machines: `application/problem+json` (RFC 9457). Nothing of the request is repeated in
them beyond names the caller sent and can mend."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

SAFE_HEADERS: dict[str, str] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""On every answer of the kit that is not a page."""


def answer_problem(
    status: int, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer to a request that cannot be carried out.

    detail: one sentence: what is wrong and what to do.
    """
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    return Response(
        json.dumps({**body, "detail": detail}),
        status,
        {**SAFE_HEADERS, "Cache-Control": "no-store", **(headers or {})},
        "application/problem+json",
    )
