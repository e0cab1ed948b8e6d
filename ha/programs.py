"""Programs of other people, started and killed by the test, each with a log of its own."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SECONDS = 90
"""How long a busy machine may take for anything."""
_LOOK_SECONDS = 0.1


def wait_until(told: str, holds: Callable[[], object], seconds: float = SECONDS) -> float:
    """The seconds until it held; `told` says what did not come true."""
    begun = time.monotonic()
    while not holds():
        waited = time.monotonic() - begun
        assert waited < seconds, f"after {seconds:.0f} s still not: {told}"
        time.sleep(_LOOK_SECONDS)
    return time.monotonic() - begun


def find_account() -> str | None:
    """The account for programs that refuse to run as root; None for the one that runs the test."""
    return "postgres" if os.geteuid() == 0 else None


class Program:
    """One program in the foreground. account: None for the one that runs the test."""

    def __init__(
        self,
        command: Sequence[object],
        log: Path,
        variables: Mapping[str, str],
        account: str | None = None,
    ) -> None:
        owner = None if account is None else pwd.getpwnam(account)
        with log.open("ab") as written:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **variables},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
                user=None if owner is None else owner.pw_uid,
                group=None if owner is None else owner.pw_gid,
                extra_groups=None if owner is None else [],
                start_new_session=True,
            )

    def kill(self) -> None:
        """Ends it at once, with no chance to say good-bye."""
        self._process.kill()
        self._process.wait(SECONDS)


def kill_tree(root: int) -> None:
    """Ends a process of nobody's and all it has started, at once.

    The root goes first, so that it starts nothing in place of what dies.
    """
    killed = [root, *_children(root)]
    for number in killed:
        _signal(number)
    wait_until(f"process {root} is gone", lambda: not any(map(_runs, killed)))


def _children(number: int) -> list[int]:
    file = Path(f"/proc/{number}/task/{number}/children")
    children = [int(child) for child in file.read_text("ascii").split()] if file.exists() else []
    return children + [deeper for child in children for deeper in _children(child)]


def _signal(number: int) -> None:
    try:
        os.kill(number, signal.SIGKILL)
    except ProcessLookupError:
        return


def _runs(number: int) -> bool:
    """Whether it does anything still; the dead may wait long for somebody to count them."""
    try:
        state = Path(f"/proc/{number}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}
