"""What an operator's machines ask, on a port of its own: figures and health, no visitors."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Final

from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from slagboom_banner.errors import SlagboomError
from slagboom_server.checkpoint import read_checkpoint
from slagboom_server.row import to_ms

if TYPE_CHECKING:
    from starlette.requests import Request

    from slagboom_server.evidence import Evidence
    from slagboom_server.health import Health
    from slagboom_server.kit import Kit

_MS: Final = 1000


def register_gauges(kit: Kit, evidence: Evidence) -> None:
    """Adds what is read at the moment somebody asks."""

    def checkpoint_age() -> float:
        with contextlib.suppress(SlagboomError):
            last = evidence.last_checkpoint()
            if last is not None:
                return (to_ms(kit.clock()) - read_checkpoint(last.text).made_at) / _MS
        return math.nan

    def database_size() -> float:
        with contextlib.suppress(SlagboomError):
            return kit.store.size_bytes()
        return math.nan

    gauge = kit.metrics.gauge
    gauge(
        "slagboom_queue_decisions",
        "Decisions that wait for the disk.",
        lambda: kit.writer.waiting,
    )
    gauge(
        "slagboom_checkpoint_age_seconds",
        "Since the newest checkpoint was made; it grows while there is no news.",
        checkpoint_age,
    )
    gauge("slagboom_database_bytes", "The database with its indexes.", database_size)
    gauge(
        "slagboom_rate_limit_passed",
        "Requests let pass unchecked since the start, because the limiter's table was full.",
        lambda: kit.limiter.let_pass,
    )


def build_metrics(kit: Kit, health: Health) -> Starlette:
    """The app of the metrics port."""

    async def tell_metrics(_request: Request) -> Response:
        wrong = await health.look()
        for part in health.parts:
            kit.metrics.note_ready(part, is_ready=part not in wrong)
        # Two of the figures come from the database.
        told = await run_in_threadpool(kit.metrics.tell)
        return Response(told, media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/metrics", tell_metrics), *health.routes()])
