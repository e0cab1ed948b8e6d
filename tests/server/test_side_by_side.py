"""Copies of a process that share its work: they end with it, however it ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from slagboom_server.side_by_side import run_side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = """
import os, signal, time
from slagboom_server.side_by_side import run_side_by_side

# Where tests run interrupts may be ignored, which is inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)

def here(task):
    print("here", flush=True)
    signal.pause()

def elsewhere(task):
    print(os.getpid(), flush=True)
    try:
        time.sleep({seconds})
    except KeyboardInterrupt:
        print("interrupted", flush=True)

try:
    list(run_side_by_side(here, elsewhere, range(9), 2, lambda: None))
except KeyboardInterrupt:
    print("stopped")
"""
PATIENCE_SECONDS = 30


def start(seconds: int) -> tuple[subprocess.Popen[str], int]:
    """A program whose process waits while the other one works so long, and that one's number."""
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(seconds=seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert program.stdout is not None
    # Both are at work once both have said so, in whichever order.
    said = {program.stdout.readline().strip() for _ in range(2)}
    [other] = said - {"here"}
    return program, int(other)


@pytest.fixture
def busy() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The program at work for long, and a handle of its other process."""
    program, number = start(seconds=600)
    other = os.pidfd_open(number)
    yield program, other
    program.kill()
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(other, signal.SIGKILL)
    os.close(other)
    program.communicate()


def test_a_killed_command_leaves_no_process_behind(
    busy: tuple[subprocess.Popen[str], int],
) -> None:
    program, other = busy
    assert select.select([other], [], [], 0)[0] == []
    program.kill()

    assert select.select([other], [], [], PATIENCE_SECONDS)[0] == [other]


def test_an_interrupted_command_alone_says_so() -> None:
    program, other = start(seconds=1)
    os.killpg(program.pid, signal.SIGINT)
    out, errors = program.communicate(timeout=PATIENCE_SECONDS)

    assert out.splitlines() == [str(other), "stopped"]
    assert errors == ""
    with pytest.raises(ProcessLookupError):
        os.kill(other, 0)


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
