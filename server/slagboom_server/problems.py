"""Errors for machines: `application/problem+json` (RFC 9457).

Nothing of the request is repeated in them beyond names the caller sent and can mend.
"""

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


class Refusal(Exception):  # noqa: N818 -- an answer, not a fault of the program
    """A request that is answered with a problem document.

    detail: one sentence: what is wrong and what to do. headers: more of them for the answer.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.detail = detail
        self.headers = headers or {}
        super().__init__(detail)


def answer_problem(
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, object] | None = None,
) -> Response:
    """The answer to a request that cannot be carried out.

    detail: one sentence: what is wrong and what to do. members: more of them for the document.
    """
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    return Response(
        json.dumps({**body, "detail": detail, **(members or {})}),
        status,
        {**SAFE_HEADERS, "Cache-Control": "no-store", **(headers or {})},
        "application/problem+json",
    )
