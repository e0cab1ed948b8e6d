"""Which Chromium drives the browser checks, and how it is started.

Any Chromium serves; nobody has to download a second one. The standard library alone, because the
set-up asks before anything else is known to work.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
ANSWER_SECONDS = 30  # a cold start from a slow disk, not a hang


def find_chromium(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The first Chromium that runs, or None.

    environment: `SLAGBOOM_CHROMIUM` names a program and then nothing else is tried; otherwise
    `PATH` is searched, then Playwright's own folder,
    `PLAYWRIGHT_BROWSERS_PATH` or the one in `HOME`, newest build first.
    """
    chosen = environment.get("SLAGBOOM_CHROMIUM")
    candidates = [Path(chosen)] if chosen else _installed(environment)
    return next((candidate for candidate in candidates if _runs(candidate)), None)


def launch_arguments() -> list[str]:
    """Arguments that keep Chromium from contacting anybody by itself.

    A recorded request is then the page's own. As root also `--no-sandbox`: Chromium refuses to
    start its sandbox for root.
    """
    arguments = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
        "--no-first-run",
    ]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    return arguments


def _installed(environment: Mapping[str, str]) -> Iterator[Path]:
    for name in NAMES:
        found = shutil.which(name, path=environment.get("PATH", os.defpath))
        if found:
            yield Path(found)
    home = environment.get("HOME", "/")
    folder = environment.get("PLAYWRIGHT_BROWSERS_PATH", f"{home}/.cache/ms-playwright")
    yield from sorted(Path(folder).glob("chromium-*/chrome-linux*/chrome"), reverse=True)


def _runs(program: Path) -> bool:
    """Whether it says its version: Ubuntu's stand-in and one that lacks libraries do not."""
    try:
        answer = subprocess.run(  # noqa: S603  the programs named above or by the developer
            [program, "--version"], capture_output=True, check=False, timeout=ANSWER_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0
