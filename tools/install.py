"""Runs what the set-up installs with: a failure costs one line, for there may be another way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CONNECTION_MS = 5000  # a machine that reaches only its package mirrors should not wait long
DOWNLOAD_SECONDS = 300
PACKAGE_SECONDS = 600


def install_playwrights(*browsers: str) -> bool:
    """Whether Playwright's own builds of these browsers have been fetched."""
    return attempt(
        [sys.executable, "-m", "playwright", "install", *browsers],
        {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": str(CONNECTION_MS)},
        DOWNLOAD_SECONDS,
    )


def install_debians(*packages: str) -> bool:
    """Whether these packages have been installed; only root on Debian and its kin can."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print(f"Installing Debian's {', '.join(packages)}", flush=True)
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    attempt(["apt-get", "update", "-qq"], quiet, PACKAGE_SECONDS)
    install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages]
    return attempt(install, quiet, PACKAGE_SECONDS)


def attempt(command: Sequence[str], variables: Mapping[str, str], seconds: int) -> bool:
    """Whether the command succeeded within that time, with these variables in its environment."""
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


def refuse(reason: str) -> int:
    """Says in one line why the set-up cannot go on; the exit code for that."""
    print(reason, file=sys.stderr)
    return 2
