"""The server's doors: sockets that listen, what is answered at each, and the signals."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn

from slagboom_banner.errors import SlagboomError
from slagboom_server.http_connection import BoundedConnection
from slagboom_server.workers import open_ports

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Sequence

    from starlette.types import ASGIApp

    from slagboom_server.kit import Kit
    from slagboom_server.settings import Settings
    from slagboom_server.workers import Lifeline

_log = logging.getLogger(__name__)

NOT_RELOADED = "policies not reloaded, the earlier ones stay in force:\n%s"


@dataclass(frozen=True, slots=True)
class Door:
    """A listening socket and the app behind it."""

    port: socket.socket
    app: ASGIApp


def open_visitors_ports(settings: Settings) -> list[socket.socket]:
    """The port, listening, once for each worker; who calls before the kit is ready waits.

    Raises SlagboomError where the port cannot be had.
    """
    return _open(settings.host, settings.port, settings.workers, "--host or --port")


def open_metrics_ports(settings: Settings) -> list[socket.socket]:
    """A port for each worker's figures, one after the other; empty where none are asked for.

    Raises SlagboomError where one of them cannot be had.
    """
    if settings.metrics_port is None:
        return []
    opened: list[socket.socket] = []
    try:
        for worker in range(settings.workers):
            port = settings.metrics_port + worker
            opened += _open(settings.host, port, 1, "--metrics-port")
    except BaseException:
        for taken in opened:
            taken.close()
        raise
    return opened


def _open(host: str, port: int, count: int, option: str) -> list[socket.socket]:
    try:
        return open_ports(host, port, count)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "there is no such port"
        message = f"{host}:{port}: cannot listen there: {reason}; give another {option}"
        raise SlagboomError(message) from error


class _Server(uvicorn.Server):
    """Leaves the signals to `listen`.

    Uvicorn raises a signal again once it has shut down, which would end the process before the
    last decisions are stored.
    """

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures nothing."""
        yield


def listen(kit: Kit, doors: Sequence[Door], trusted_proxies: str, life: Lifeline) -> None:
    """Serves until told to stop; what had begun is answered. doors: the visitors' one first."""
    logging.getLogger("uvicorn.error").addFilter(_is_no_cut)
    configs = [_configure(door.app, trusted_proxies) for door in doors]
    servers = [_Server(config) for config in configs]

    def stop(number: int) -> None:
        for server in servers:
            server.handle_exit(number, None)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        asked = asyncio.Event()
        reloads = asyncio.create_task(_reload_when_asked(kit, asked))
        loop.add_signal_handler(signal.SIGHUP, asked.set)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop, number)

        def follow_parent(descriptor: int) -> None:
            loop.remove_reader(descriptor)
            stop(signal.SIGTERM)

        if life.parent is not None:
            loop.add_reader(life.parent, follow_parent, life.parent)
        # What has been loaded stays; each full collection would look through all of it again.
        gc.collect()
        gc.freeze()
        life.tell_ready()
        try:
            pairs = zip(servers, doors, strict=True)
            await asyncio.gather(*(server.serve([door.port]) for server, door in pairs))
        finally:
            reloads.cancel()

    with asyncio.Runner(loop_factory=configs[0].get_loop_factory()) as runner:
        runner.run(run())


def _is_no_cut(record: logging.LogRecord) -> bool:
    """False for the trace of a request that a stop has cut: uvicorn says how many there were."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def _configure(app: ASGIApp, trusted_proxies: str) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedConnection,
        # Nothing here speaks it, and it would bring bounds of its own.
        ws="none",
        # An access log would hold each visitor's address.
        access_log=False,
        # What it has to say goes where our own lines go, in the same form.
        log_config=None,
        log_level="warning",
        proxy_headers=True,
        forwarded_allow_ips=trusted_proxies,
        server_header=False,
        timeout_graceful_shutdown=10,
    )


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
            _log.error(NOT_RELOADED, error)
        except Exception:  # noqa: BLE001 -- the task's edge: it must outlive any reload
            _log.exception("policies not reloaded, the earlier ones stay in force")
        else:
            kit.take(prepared)
            _log.info("policies reloaded")
