"""A server from its settings to its last stored decision, in one process or several."""

from __future__ import annotations

import contextlib
import logging
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slagboom_banner.errors import SlagboomError
from slagboom_server.app import build_app, measured
from slagboom_server.checkpointer import Checkpointer
from slagboom_server.clock import SteadyClock, read_clock
from slagboom_server.daily_purge import DailyPurge
from slagboom_server.demo.app import build_demo
from slagboom_server.demo.policies import adapt_policy
from slagboom_server.demo.received import Received
from slagboom_server.geo import CountryDatabase, NoCountry
from slagboom_server.handover import KEY_BYTES, KEY_NAME, Tokens
from slagboom_server.health import watch_kit
from slagboom_server.keyring import key_folder, read_or_make_secret
from slagboom_server.kit import Kit, prepare_sites
from slagboom_server.listening import (
    NOT_RELOADED,
    Door,
    listen,
    open_metrics_ports,
    open_visitors_ports,
)
from slagboom_server.metrics import Metrics
from slagboom_server.metrics_app import build_metrics, register_gauges
from slagboom_server.migration import migrate
from slagboom_server.scribe import Scribe
from slagboom_server.scribe_writer import ScribeWriter
from slagboom_server.settings import MAX_WAITING_DECISIONS
from slagboom_server.store_sql import open_store
from slagboom_server.workers import Lifeline, Workers

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Sequence

    from starlette.types import ASGIApp

    from slagboom_banner.errors import Finding
    from slagboom_banner.load import LoadedPolicy
    from slagboom_server.demo.hosts import VendorMode
    from slagboom_server.geo import Countries
    from slagboom_server.health import Health
    from slagboom_server.kit import Prepared
    from slagboom_server.settings import Settings

    Report = Callable[[tuple[Finding, ...]], None]
    Adapt = Callable[[LoadedPolicy], LoadedPolicy] | None
    Wrap = Callable[[ASGIApp], ASGIApp]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Running:
    """A kit that serves, and who watches over it."""

    kit: Kit
    health: Health

    def doors(
        self, wrap: Wrap, port: socket.socket, figures: Sequence[socket.socket]
    ) -> list[Door]:
        """Where visitors come in, and then where figures are told, if anywhere."""
        app = wrap(measured(build_app(self.kit, self.health), self.kit))
        told = build_metrics(self.kit, self.health)
        return [Door(port, app), *(Door(other, told) for other in figures)]


def _read_token_key(settings: Settings) -> bytes:
    folder = key_folder(settings.database, settings.keys)
    return read_or_make_secret(folder, KEY_NAME, lambda: secrets.token_bytes(KEY_BYTES))


@contextlib.contextmanager
def _open_kit(settings: Settings, countries: Countries, adapt: Adapt) -> Iterator[_Running]:
    """A kit with a writer of its own; what was submitted is stored when the block is left."""
    metrics = Metrics()
    keys = key_folder(settings.database, settings.keys)

    def observe(records: int, seconds: float) -> None:
        metrics.observe_commit(records, seconds)
        checkpointer.note(records)

    with (
        # First of all: nothing may be open when a process is forked.
        contextlib.closing(Scribe(settings.database)) as scribe,
        contextlib.closing(open_store(settings.database)) as store,
        # Around the writer, so that the last checkpoint covers the last decision.
        Checkpointer(store.evidence, keys, read_clock, settings.timestamp_url) as checkpointer,
        ScribeWriter(scribe, store, MAX_WAITING_DECISIONS, observe=observe) as writer,
    ):
        kit = Kit(
            policies=settings.policies,
            store=store,
            writer=writer,
            countries=countries,
            clock=SteadyClock(),
            adapt=adapt,
            tokens=Tokens(_read_token_key(settings)),
            metrics=metrics,
            rate_limit=settings.rate_limit,
            keys=keys,
            checkpointer=checkpointer,
        )
        register_gauges(kit, store.evidence)
        with DailyPurge(store.retention, kit.retention_days, read_clock):
            yield _Running(kit, watch_kit(kit, checkpointer, settings.database))


def _run(settings: Settings, report: Report, adapt: Adapt, wrap: Wrap) -> None:
    countries = CountryDatabase(settings.geo_database) if settings.geo_database else NoCountry()
    with contextlib.ExitStack() as open_now:
        ports = [open_now.enter_context(port) for port in open_visitors_ports(settings)]
        figures = [open_now.enter_context(port) for port in open_metrics_ports(settings)]
        migrate(settings.database)
        # A key that cannot be used stops the start, not each of the workers.
        _read_token_key(settings)
        if settings.workers > 1:
            _Crew(settings, countries, adapt, wrap, figures).run(ports, report)
            return
        with _open_kit(settings, countries, adapt) as running:
            warnings = running.kit.read()
            doors = running.doors(wrap, ports[0], figures)
            told = Lifeline(lambda: report(warnings))
            listen(running.kit, doors, settings.trusted_proxies, told)


class _Crew:
    """The workers of one server, and what their parent has prepared for them."""

    def __init__(
        self,
        settings: Settings,
        countries: Countries,
        adapt: Adapt,
        wrap: Wrap,
        figures: Sequence[socket.socket],
    ) -> None:
        self._settings = settings
        self._countries = countries
        self._adapt = adapt
        self._wrap = wrap
        self._figures = figures
        self._ports: Sequence[socket.socket] = ()
        self._prepared = self._prepare()

    def run(self, ports: Sequence[socket.socket], report: Report) -> None:
        """Serves until told to stop."""
        self._ports = ports
        Workers(ports, self._work, self._reload).run(lambda: report(self._prepared.warnings))

    def _prepare(self) -> Prepared:
        # No connection may be open while the process forks.
        with contextlib.closing(open_store(self._settings.database)) as store:
            return prepare_sites(self._settings.policies, store, read_clock(), self._adapt)

    def _reload(self) -> bool:
        """Whether the policies are right; then they are also those of a worker started later."""
        try:
            self._prepared = self._prepare()
        except SlagboomError as error:
            _log.error(NOT_RELOADED, error)
            return False
        return True

    def _work(self, port: socket.socket, life: Lifeline) -> None:
        # Each worker tells its own figures, at a port that its successor takes over.
        place = next(i for i, each in enumerate(self._ports) if each is port)
        figures = self._figures[place : place + 1]
        for other in self._figures:
            if other not in figures:
                other.close()
        with _open_kit(self._settings, self._countries, self._adapt) as running:
            running.kit.take(self._prepared)
            doors = running.doors(self._wrap, port, figures)
            listen(running.kit, doors, self._settings.trusted_proxies, life)


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
