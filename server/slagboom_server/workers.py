"""Several processes that serve one port: started, replaced when one dies, stopped together.

Each worker is a fork of the process that has prepared everything, so a replacement serves within
milliseconds, and what it serves is what was last found right. Each has a listening socket of its
own (SO_REUSEPORT), which the parent keeps: visitors who call a dead worker wait for the next one.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from slagboom_banner.errors import SlagboomError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Work = Callable[[socket.socket, "Lifeline"], None]

_log = logging.getLogger(__name__)

_PAUSE_SECONDS: Final = 1.0
"""Between two starts for one port, so that what always fails does not keep the machine busy."""

_READY: Final = b"+"
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


@dataclass(frozen=True, slots=True)
class Lifeline:
    """What ties a serving process to those who wait for it.

    tell_ready: to be called once it serves and handles signals. parent: a file descriptor that
    comes to its end when the parent does, and then this process must stop; None where it has none.
    """

    tell_ready: Callable[[], None]
    parent: int | None = None


@dataclass(slots=True)
class _Worker:
    """A worker as its parent sees it. news: where it tells that it serves, or why it cannot."""

    port: socket.socket
    process: int
    news: int
    started: float
    is_ready: bool = False


class Workers:
    """The workers of one port.

    ports: a listening socket for each. work: serves one of them until it is told to stop; runs in
    the worker's process. reload: run before the workers are told to read their policies again,
    which does not happen where it returns False.
    """

    def __init__(
        self, ports: Sequence[socket.socket], work: Work, reload: Callable[[], bool]
    ) -> None:
        self._ports = ports
        self._work = work
        self._reload = reload
        self._workers: list[_Worker] = []
        self._waiting: list[tuple[float, socket.socket]] = []
        self._is_stopping = False
        self._end_of_parent, self._life = os.pipe()

    def run(self, tell_ready: Callable[[], None]) -> None:
        """Serves until it is told to stop and every worker has ended.

        tell_ready: called once every worker serves.
        Raises SlagboomError where one of them cannot start in the first place.
        """
        has_started = False
        with _signals() as signals:
            try:
                for port in self._ports:
                    self._start(port)
                while self._workers or (self._waiting and not self._is_stopping):
                    starting = [worker.news for worker in self._workers if not worker.is_ready]
                    pause = _PAUSE_SECONDS if self._waiting else None
                    heard, _, _ = select.select([signals, *starting], [], [], pause)
                    if signals in heard:
                        self._obey(os.read(signals, 1024))
                    for reason in self._hear(heard):
                        if not has_started and not self._is_stopping:
                            raise SlagboomError(reason)
                        _log.error("a worker did not start: %s", reason)
                    self._replace()
                    if not has_started and all(worker.is_ready for worker in self._workers):
                        has_started = True
                        tell_ready()
            finally:
                self._end()

    def _start(self, port: socket.socket) -> None:
        read, write = os.pipe()
        # A signal that came before the worker can handle it would end it.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        process = os.fork()
        if process == 0:
            os.close(read)
            self._become_worker(port, write)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        os.close(write)
        self._workers.append(_Worker(port, process, read, time.monotonic()))

    def _become_worker(self, port: socket.socket, news: int) -> None:
        """Never returns: the parent's stack above must not unwind in two processes."""
        code = 1
        try:
            # A Ctrl+C in the terminal is the parent's to pass on.
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            os.close(self._life)
            for worker in self._workers:
                os.close(worker.news)
            for other in self._ports:
                if other is not port:
                    other.close()

            def tell_ready() -> None:
                os.write(news, _READY)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

            self._work(port, Lifeline(tell_ready, self._end_of_parent))
            code = 0
        except SlagboomError as error:
            os.write(news, str(error).encode()[: select.PIPE_BUF])
            code = 2
        except BaseException:  # noqa: BLE001 -- the process's edge
            _log.exception("a worker failed")
        finally:
            logging.shutdown()
            os._exit(code)

    def _obey(self, numbers: bytes) -> None:
        for number in numbers:
            if number == signal.SIGHUP and not self._is_stopping and self._reload():
                self._tell(signal.SIGHUP)
            elif number in {signal.SIGTERM, signal.SIGINT}:
                self._is_stopping = True
                # With the workers' own copies closed, later callers are turned away.
                for port in self._ports:
                    port.close()
                self._tell(signal.SIGTERM)

    def _tell(self, number: signal.Signals) -> None:
        for worker in self._workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.process, number)

    def _hear(self, heard: Sequence[int]) -> Iterator[str]:
        """Notes who serves now and who has ended; why, for each that ended before it served."""
        for worker in list(self._workers):
            told = os.read(worker.news, select.PIPE_BUF) if worker.news in heard else _READY
            if worker.news in heard and told == _READY:
                worker.is_ready = True
            ended, status = os.waitpid(worker.process, os.WNOHANG if told == _READY else 0)
            if not ended:
                continue
            self._workers.remove(worker)
            os.close(worker.news)
            self._waiting.append((worker.started + _PAUSE_SECONDS, worker.port))
            if worker.is_ready:
                if not self._is_stopping:
                    _log.error("a worker ended (%s); it is replaced", _describe(status))
            else:
                yield told.decode() if told not in {b"", _READY} else _describe(status)

    def _replace(self) -> None:
        if self._is_stopping:
            return
        due = [port for at, port in self._waiting if at <= time.monotonic()]
        self._waiting = [(at, port) for at, port in self._waiting if port not in due]
        for port in due:
            self._start(port)

    def _end(self) -> None:
        """Ends who still runs, which happens only where the parent itself cannot go on."""
        self._tell(signal.SIGTERM)
        for worker in self._workers:
            os.waitpid(worker.process, 0)
            os.close(worker.news)
        for port in self._ports:
            port.close()
        os.close(self._life)
        os.close(self._end_of_parent)


def _describe(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


@contextlib.contextmanager
def _signals() -> Iterator[int]:
    """A file descriptor from which each signal that came is read as one byte."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    earlier_fd = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    earlier = {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}
    try:
        yield read
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(earlier_fd)
        os.close(read)
        os.close(write)


def open_ports(host: str, port: int, count: int) -> list[socket.socket]:
    """Listening sockets on one address, among which the system shares out the visitors.

    Raises OSError where the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if count == 1:
        return [socket.create_server((host, port), family=family)]
    # Sharing is asked of no other program: while this one holds the port alone, nobody else does.
    socket.create_server((host, port), family=family).close()
    return [
        socket.create_server((host, port), family=family, reuse_port=True) for _ in range(count)
    ]
