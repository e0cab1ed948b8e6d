"""A program that runs beside the tests and leaves nothing running behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from slagboom_e2e.driver import EngineError, await_true

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_Found = TypeVar("_Found")

_STOP_SECONDS = 10


@dataclass(frozen=True)
class Program:
    """A started program. name: for messages. output, complaints: where its two streams go."""

    name: str
    process: subprocess.Popen[bytes]
    output: Path
    complaints: Path

    def await_true(self, check: Callable[[], _Found | None], what: str) -> _Found:
        """What `check` gives as soon as that is truthy, while the program runs.

        Raises:
            EngineError: the program ended, with its last words, or time was up.
        """

        def check_alive() -> _Found | None:
            if self.process.poll() is not None:
                words = self.complaints.read_text(errors="replace").split("\n")
                last = next((line for line in reversed(words) if line.strip()), "no reason given")
                message = f"{self.name} ended with {self.process.returncode}: {last.strip()}"
                raise EngineError(message)
            return check()

        return await_true(check_alive, f"{self.name}: {what}")


@contextmanager
def running(
    command: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """Runs the command until the block ends, then ends it and every process it has started.

    folder: where its output is kept. variables: added to the environment.
    """
    name = Path(command[0]).name
    output, complaints = folder / f"{name}.out", folder / f"{name}.err"
    with output.open("wb") as out, complaints.open("wb") as err:
        process = subprocess.Popen(  # noqa: S603  the engines' own programs
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env={**os.environ, **(variables or {})},
            # A group of its own, so that the browsers a driver starts end with it.
            start_new_session=True,
        )
    try:
        yield Program(name, process, output, complaints)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
