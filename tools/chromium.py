"""Makes sure that the browser tests have a Chromium, and that Playwright can drive it.

A Chromium that is there is taken as it is. Otherwise Playwright's own is fetched, and where its
server cannot be reached, Debian's package is installed (root only).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from slagboom_e2e.browser import find_chromium

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CONNECTION_MS = 5000  # a machine that reaches only its package mirrors should not wait long
DOWNLOAD_SECONDS = 300
PACKAGE_SECONDS = 600


def main() -> int:
    """Find or install; 0 when all is there, 2 with one line on what to do otherwise."""
    if not find_chromium():
        if os.environ.get("SLAGBOOM_CHROMIUM"):
            return _refuse("SLAGBOOM_CHROMIUM does not name a Chromium that runs")
        if not (_fetch_playwrights() or _install_debians()):
            return _refuse(
                "No Chromium found and none could be installed; install one"
                " (Debian: apt-get install chromium) or name one in SLAGBOOM_CHROMIUM"
            )
    # The Node inside Playwright's wheel needs a library that the smallest Debian lacks.
    if not (_driver_runs() or (_install("libatomic1") and _driver_runs())):
        return _refuse(
            "Playwright's driver does not start; install libatomic (Debian: apt-get install"
            " libatomic1), or see what .venv/bin/playwright --version says"
        )
    return 0


def _refuse(reason: str) -> int:
    print(reason, file=sys.stderr)
    return 2


def _fetch_playwrights() -> bool:
    print("No Chromium on the path; fetching Playwright's", flush=True)
    _attempt(
        [sys.executable, "-m", "playwright", "install", "chromium"],
        {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": str(CONNECTION_MS)},
        DOWNLOAD_SECONDS,
    )
    return find_chromium() is not None


def _install_debians() -> bool:
    return (
        _install("chromium", "chromium-sandbox", "fonts-liberation") and find_chromium() is not None
    )


def _driver_runs() -> bool:
    command = [sys.executable, "-m", "playwright", "--version"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _install(*packages: str) -> bool:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print(f"Installing Debian's {', '.join(packages)}", flush=True)
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    _attempt(["apt-get", "update", "-qq"], quiet, PACKAGE_SECONDS)
    install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages]
    return _attempt(install, quiet, PACKAGE_SECONDS)


def _attempt(command: Sequence[str], variables: Mapping[str, str], seconds: int) -> bool:
    """Whether the command succeeded; a failure costs one line, for there may be another way."""
    try:
        result = subprocess.run(
            command,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        print(f"{' '.join(command)}: gave up after {seconds} s", flush=True)
        return False
    if result.returncode != 0:
        output = (result.stderr or result.stdout).strip().splitlines()
        reason = next((line for line in output if "rror" in line), f"exit {result.returncode}")
        print(f"{' '.join(command)}: {reason.strip()}", flush=True)
    return result.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
