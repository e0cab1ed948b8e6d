"""A server from its settings to its last stored decision, in one process or several."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import secrets
import signal
from typing import TYPE_CHECKING

import uvicorn

from slagboom_banner.errors import SlagboomError
from slagboom_server.app import build_app
from slagboom_server.checkpointer import Checkpointer
from slagboom_server.demo.app import build_demo
from slagboom_server.demo.policies import adapt_policy
from slagboom_server.demo.received import Received
from slagboom_server.geo import CountryDatabase, NoCountry
from slagboom_server.handover import KEY_BYTES, KEY_NAME, Tokens
from slagboom_server.keyring import key_folder, read_or_make_secret
from slagboom_server.kit import Kit, prepare_sites
from slagboom_server.migration import migrate
from slagboom_server.settings import MAX_WAITING_DECISIONS
from slagboom_server.store_sql import open_store
from slagboom_server.workers import Lifeline, Workers, open_ports
from slagboom_server.writer import Writer

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Sequence

    from starlette.types import ASGIApp

    from slagboom_banner.errors import Finding
    from slagboom_banner.load import LoadedPolicy
    from slagboom_server.demo.hosts import VendorMode
    from slagboom_server.geo import Countries
    from slagboom_server.kit import Prepared
    from slagboom_server.settings import Settings

    Report = Callable[[tuple[Finding, ...]], None]
    Adapt = Callable[[LoadedPolicy], LoadedPolicy] | None
    Wrap = Callable[[ASGIApp], ASGIApp]

_log = logging.getLogger(__name__)

_NOT_RELOADED = "policies not reloaded, the earlier ones stay in force:\n%s"


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
            _log.error(_NOT_RELOADED, error)
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


def _open_ports(settings: Settings) -> Sequence[socket.socket]:
    """The port, listening; who calls before the kit is ready waits instead of being turned away.

    Raises SlagboomError where the port cannot be had.
    """
    try:
        return open_ports(settings.host, settings.port, settings.workers)
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
    life: Lifeline,
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

        def follow_parent(descriptor: int) -> None:
            loop.remove_reader(descriptor)
            server.handle_exit(signal.SIGTERM, None)

        if life.parent is not None:
            loop.add_reader(life.parent, follow_parent, life.parent)
        life.tell_ready()
        try:
            await server.serve([port])
        finally:
            reloads.cancel()

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(run())


def _read_token_key(settings: Settings) -> bytes:
    folder = key_folder(settings.database, settings.keys)
    return read_or_make_secret(folder, KEY_NAME, lambda: secrets.token_bytes(KEY_BYTES))


@contextlib.contextmanager
def _open_kit(settings: Settings, countries: Countries, adapt: Adapt) -> Iterator[Kit]:
    """A kit with a writer of its own; what was submitted is stored when the block is left."""
    with (
        contextlib.closing(open_store(settings.database)) as store,
        # Around the writer, so that the last checkpoint covers the last decision.
        Checkpointer(
            store.evidence,
            key_folder(settings.database, settings.keys),
            _now,
            settings.timestamp_url,
        ),
        Writer(store, MAX_WAITING_DECISIONS) as writer,
    ):
        yield Kit(
            policies=settings.policies,
            store=store,
            writer=writer,
            countries=countries,
            clock=_now,
            adapt=adapt,
            tokens=Tokens(_read_token_key(settings)),
        )


def _run(settings: Settings, report: Report, adapt: Adapt, wrap: Wrap) -> None:
    countries = CountryDatabase(settings.geo_database) if settings.geo_database else NoCountry()
    with contextlib.ExitStack() as open_now:
        ports = [open_now.enter_context(port) for port in _open_ports(settings)]
        migrate(settings.database)
        # A key that cannot be used stops the start, not each of the workers.
        _read_token_key(settings)
        if settings.workers > 1:
            _Crew(settings, countries, adapt, wrap).run(ports, report)
            return
        with _open_kit(settings, countries, adapt) as kit:
            warnings = kit.read()
            app = wrap(build_app(kit))
            _listen(
                kit, app, ports[0], settings.trusted_proxies, Lifeline(lambda: report(warnings))
            )


class _Crew:
    """The workers of one server, and what their parent has prepared for them."""

    def __init__(self, settings: Settings, countries: Countries, adapt: Adapt, wrap: Wrap) -> None:
        self._settings = settings
        self._countries = countries
        self._adapt = adapt
        self._wrap = wrap
        self._prepared = self._prepare()

    def run(self, ports: Sequence[socket.socket], report: Report) -> None:
        """Serves until told to stop."""
        Workers(ports, self._work, self._reload).run(lambda: report(self._prepared.warnings))

    def _prepare(self) -> Prepared:
        # No connection may be open while the process forks.
        with contextlib.closing(open_store(self._settings.database)) as store:
            return prepare_sites(self._settings.policies, store, _now(), self._adapt)

    def _reload(self) -> bool:
        """Whether the policies are right; then they are also those of a worker started later."""
        try:
            self._prepared = self._prepare()
        except SlagboomError as error:
            _log.error(_NOT_RELOADED, error)
            return False
        return True

    def _work(self, port: socket.socket, life: Lifeline) -> None:
        with _open_kit(self._settings, self._countries, self._adapt) as kit:
            kit.take(self._prepared)
            app = self._wrap(build_app(kit))
            _listen(kit, app, port, self._settings.trusted_proxies, life)


def serve(settings: Settings, report: Report) -> None:
    """Serves until it is told to stop, then stores what still waits.

    report: told the lint's warnings once everything is ready.
    Raises SlagboomError where a policy, the database, the country file or the port cannot be used.
    """
    _run(settings, report, None, lambda app: app)


def serve_demo(settings: Settings, vendors: VendorMode, report: Report) -> None:
    """As `serve`, with the three demo sites and stand-in vendors around the kit."""
    _run(
        settings,
        report,
        lambda loaded: adapt_policy(loaded, settings.port, vendors),
        lambda app: build_demo(app, settings.port, Received(), vendors),
    )
