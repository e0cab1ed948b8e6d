"""Copies of a process that share its work: they end with it, however it ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pytest

from slagboom_server.side_by_side import run_side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = r"""
import os, signal
from slagboom_server.side_by_side import run_side_by_side

# Where tests run interrupts may be ignored, which is inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The other process closes its own standard input.
gate = os.dup(0)

def say(text):
    # Both write into one pipe: a line that is one call is not torn by the other's.
    os.write(1, f"{text}\n".encode())

def here(task):
    say("here")
    signal.pause()

def elsewhere(task):
    say(os.getpid())
    try:
        os.read(gate, 1)
    except KeyboardInterrupt:
        say("interrupted")

try:
    list(run_side_by_side(here, elsewhere, range(9), 2, lambda: None))
except KeyboardInterrupt:
    say("stopped")
"""
PATIENCE_SECONDS = 30


@pytest.fixture
def busy() -> Iterator[tuple[subprocess.Popen[str], int, int]]:
    """A program whose processes work until its input ends, its copy's number and a handle."""
    with ExitStack() as stack:
        program = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        )
        stack.callback(program.kill)
        assert program.stdout is not None
        # Both are at work once both have said so, in whichever order.
        said = {program.stdout.readline().strip() for _ in range(2)}
        [number] = (int(word) for word in said - {"here"})
        other = os.pidfd_open(number)
        stack.callback(os.close, other)
        stack.callback(_kill, other)
        yield program, number, other


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(process, signal.SIGKILL)


def test_a_killed_command_leaves_no_process_behind(
    busy: tuple[subprocess.Popen[str], int, int],
) -> None:
    program, _, other = busy
    assert select.select([other], [], [], 0)[0] == []
    program.kill()

    assert select.select([other], [], [], PATIENCE_SECONDS)[0] == [other]


def test_an_interrupted_command_alone_says_so(
    busy: tuple[subprocess.Popen[str], int, int],
) -> None:
    program, number, other = busy
    os.killpg(program.pid, signal.SIGINT)
    out, errors = program.communicate(timeout=PATIENCE_SECONDS)

    # Its second task was under way, and ended as its first did.
    assert out.splitlines() == [str(number), "stopped"]
    assert errors == ""
    assert select.select([other], [], [], 0)[0] == [other]


def test_what_fails_elsewhere_fails_here() -> None:
    def elsewhere(task: int) -> int:
        raise OSError(task)

    with pytest.raises(OSError, match="0"):
        list(run_side_by_side(lambda task: task, elsewhere, range(9), 2, lambda: None))


def test_results_come_in_the_order_of_the_tasks_from_both_processes() -> None:
    results = list(
        run_side_by_side(
            lambda task: (task, os.getpid()),
            lambda task: (task, os.getpid()),
            range(300),
            2,
            lambda: None,
        )
    )

    assert [task for task, _ in results] == list(range(300))
    assert len({process for _, process in results}) == 2
