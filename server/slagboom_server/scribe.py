"""A process of its own that appends decisions to the log, for one that takes them in.

Both are work for a processor, and two threads of one interpreter would take turns at it and wait
for each other at every statement. The scribe is forked, so it costs no start. It stores what it was
given and ends when the other one does, however that ends: what it was not given was not
acknowledged. Should the scribe itself be killed, the other process writes the log from then on.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from slagboom_banner.errors import SlagboomError
from slagboom_server.engine import parse_url
from slagboom_server.errors import StoreUnavailable
from slagboom_server.failures import Failures
from slagboom_server.parcel import Packer, Unpacker, pack_answers, pack_failure, unpack_answers
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

    from slagboom_server.entry import Entry
    from slagboom_server.record import ConsentRecord
    from slagboom_server.rollup import ShownCounts
    from slagboom_server.store import Appended
    from slagboom_server.store_sql import SqlStore

_log = logging.getLogger(__name__)


class Scribe:
    """The scribe of this process, which must have neither a thread nor a connection open yet.

    database_url: of the log, whose schema is the current one.
    """

    def __init__(self, database_url: str) -> None:
        self._link, others_end = multiprocessing.Pipe()
        self.process = os.fork()
        if not self.process:
            _become_scribe(database_url, others_end)
        others_end.close()
        self._packer = Packer()

    def fileno(self) -> int:
        """What becomes readable when there are answers, or nobody is there any more."""
        return self._link.fileno()

    def send(self, new: Sequence[ConsentRecord | Entry], shown: ShownCounts | None) -> None:
        """Has a group appended; `receive` its answers before the next one.

        Raises OSError where nobody is there any more.
        """
        self._link.send_bytes(self._packer.pack(new, shown))

    def receive(self) -> Sequence[Appended]:
        """The answers of `store.append`; waits for them.

        Raises StoreUnavailable as that does, EOFError or OSError where nobody is there any more.
        """
        return unpack_answers(self._link.recv_bytes())

    def answers_within(self, seconds: float) -> bool:
        """Waits so long for something to receive."""
        return self._link.poll(seconds)

    @property
    def is_stopped(self) -> bool:
        """Whether somebody has stopped the scribe (SIGSTOP), so that it cannot answer."""
        how = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
        try:
            return os.waitid(os.P_PID, self.process, how) is not None
        except ChildProcessError:
            return False

    def close(self) -> None:
        """Waits until what was given is stored and the scribe has ended."""
        self._link.close()
        # One that was stopped would never learn that it is over.
        os.kill(self.process, signal.SIGCONT)
        os.waitpid(self.process, 0)

    def kill(self) -> None:
        """Ends a scribe that waits for a disk in vain."""
        os.kill(self.process, signal.SIGKILL)


def _become_scribe(database_url: str, link: Connection[Any, Any]) -> None:
    """Never returns: the stack above belongs to the other process."""
    code = 1
    try:
        # A signal to all of the group is the other process's to obey; the scribe follows it.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        # Ports among them, which would stay taken.
        os.closerange(3, link.fileno())
        os.closerange(link.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
        gc.freeze()
        if parse_url(database_url).get_backend_name() == "postgresql":
            _leave_processor()
        _write_for(database_url, link)
        code = 0
    except BaseException:  # noqa: BLE001 -- the process's edge
        _log.exception("the process that writes the log failed")
    finally:
        logging.shutdown()
        os._exit(code)


def _leave_processor() -> None:
    """Keeps to all processors but one, where there are several.

    A database server is the third in the talk. Linux then tends to wake this process beside the
    one that takes decisions in, where it waits its turn while another processor has nothing to do:
    on two of them a fifth fewer decisions were taken in.
    """
    # Only Linux has this; not everybody may.
    with suppress(AttributeError, OSError):
        _, *others = sorted(os.sched_getaffinity(0))
        if others:
            os.sched_setaffinity(0, others)


def _write_for(database_url: str, link: Connection[Any, Any]) -> None:
    unpacker = Unpacker()
    failures = Failures()
    store: SqlStore | None = None
    while True:
        try:
            parcel = link.recv_bytes()
        except (EOFError, OSError):
            break
        new, shown = unpacker.unpack(parcel)
        try:
            store = store or open_store(database_url)
            told = pack_answers(store.append(new, shown))
            failures.note_success()
        except StoreUnavailable as error:
            told = pack_failure(error)
        except SlagboomError as error:
            told = pack_failure(StoreUnavailable(str(error)))
        except Exception as error:  # noqa: BLE001 -- the process's edge: it must outlive any group
            failures.note(len(new), f"a defect, {type(error).__name__}", error)
            reason = "the consent log failed; the server's log says how"
            told = pack_failure(StoreUnavailable(reason))
        try:
            link.send_bytes(told)
        except OSError:
            break
    if store is not None:
        store.close()
