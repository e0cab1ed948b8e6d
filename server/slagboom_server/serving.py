"""One server process from its settings to its last stored decision."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import signal
import socket
from typing import TYPE_CHECKING

import uvicorn

from slagboom_banner.errors import SlagboomError
from slagboom_server.app import build_app
from slagboom_server.demo.app import build_demo
from slagboom_server.demo.policies import adapt_policy
from slagboom_server.demo.received import Received
from slagboom_server.geo import CountryDatabase, NoCountry
from slagboom_server.kit import Kit
from slagboom_server.migration import migrate
from slagboom_server.settings import MAX_WAITING_DECISIONS
from slagboom_server.store_sql import open_store
from slagboom_server.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp

    from slagboom_banner.errors import Finding
    from slagboom_banner.load import LoadedPolicy
    from slagboom_server.demo.hosts import VendorMode
    from slagboom_server.settings import Settings

_log = logging.getLogger(__name__)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


async def _reload_when_asked(kit: Kit, asked: asyncio.Event) -> None:
    """Reads the policies again, one time after the other; wrong ones leave the served in force.

    Visitors are served meanwhile: reading and compressing have a thread of their own.
    """
    while True:
        await asked.wait()
        asked.clear()
        try:
            prepared = await asyncio.to_thread(kit.prepare)
        except SlagboomError as error:
            _log.error("policies not reloaded, the earlier ones stay in force:\n%s", error)
        except Exception:  # noqa: BLE001 -- the task's edge: it must outlive any reload
            _log.exception("policies not reloaded, the earlier ones stay in force")
        else:
            kit.take(prepared)
            _log.info("policies reloaded")


class _Server(uvicorn.Server):
    """Leaves the signals to `_listen`.

    Uvicorn raises a signal again once it has shut down, which would end the process before the
    last decisions are stored.
    """

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures nothing."""
        yield


def _open_port(settings: Settings) -> socket.socket:
    """The port, listening; who calls before the kit is ready waits instead of being turned away.

    Raises SlagboomError where the port cannot be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        message = (
            f"{settings.host}:{settings.port}: cannot listen there: {error.strerror}; "
            "give another --host or --port"
        )
        raise SlagboomError(message) from error


def _listen(
    kit: Kit,
    app: ASGIApp,
    port: socket.socket,
    trusted_proxies: str,
    tell_ready: Callable[[], None],
) -> None:
    config = uvicorn.Config(
        app,
        # An access log would hold each visitor's address.
        access_log=False,
        log_level="warning",
        proxy_headers=True,
        forwarded_allow_ips=trusted_proxies,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    server = _Server(config)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        asked = asyncio.Event()
        reloads = asyncio.create_task(_reload_when_asked(kit, asked))
        loop.add_signal_handler(signal.SIGHUP, asked.set)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, server.handle_exit, number, None)
        tell_ready()
        try:
            await server.serve([port])
        finally:
            reloads.cancel()

    asyncio.run(run())


def _run(
    settings: Settings,
    report: Callable[[tuple[Finding, ...]], None],
    adapt: Callable[[LoadedPolicy], LoadedPolicy] | None,
    wrap: Callable[[ASGIApp], ASGIApp],
) -> None:
    countries = CountryDatabase(settings.geo_database) if settings.geo_database else NoCountry()
    with _open_port(settings) as port:
        migrate(settings.database)
        with (
            contextlib.closing(open_store(settings.database)) as store,
            Writer(store, MAX_WAITING_DECISIONS) as writer,
        ):
            kit = Kit(
                policies=settings.policies,
                store=store,
                writer=writer,
                countries=countries,
                clock=_now,
                adapt=adapt,
            )
            warnings = kit.read()
            app = wrap(build_app(kit))
            _listen(kit, app, port, settings.trusted_proxies, lambda: report(warnings))


def serve(settings: Settings, report: Callable[[tuple[Finding, ...]], None]) -> None:
    """Serves until it is told to stop, then stores what still waits.

    report: told the lint's warnings once everything is ready.
    Raises SlagboomError where a policy, the database, the country file or the port cannot be used.
    """
    _run(settings, report, None, lambda app: app)


def serve_demo(
    settings: Settings, vendors: VendorMode, report: Callable[[tuple[Finding, ...]], None]
) -> None:
    """As `serve`, with the three demo sites and stand-in vendors around the kit."""
    _run(
        settings,
        report,
        lambda loaded: adapt_policy(loaded, settings.port, vendors),
        lambda app: build_demo(app, settings.port, Received(), vendors),
    )
