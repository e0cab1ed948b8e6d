"""Makes sure that the browser tests have a Chromium, and that Playwright can drive it.

A Chromium that is there is taken as it is. Otherwise Playwright's own is fetched, and where its
server cannot be reached, Debian's package is installed (root only).
"""

from __future__ import annotations

import os
import subprocess
import sys

from install import install_debians, install_playwrights, refuse

from slagboom_e2e.browser import find_chromium


def main() -> int:
    """Find or install; 0 when all is there, 2 with one line on what to do otherwise."""
    if not find_chromium():
        if os.environ.get("SLAGBOOM_CHROMIUM"):
            return refuse("SLAGBOOM_CHROMIUM does not name a Chromium that runs")
        if not (_fetch_playwrights() or _install_debians()):
            return refuse(
                "No Chromium found and none could be installed; install one"
                " (Debian: apt-get install chromium) or name one in SLAGBOOM_CHROMIUM"
            )
    # The Node inside Playwright's wheel needs a library that the smallest Debian lacks.
    if not (_driver_runs() or (install_debians("libatomic1") and _driver_runs())):
        return refuse(
            "Playwright's driver does not start; install libatomic (Debian: apt-get install"
            " libatomic1), or see what .venv/bin/playwright --version says"
        )
    return 0


def _fetch_playwrights() -> bool:
    print("No Chromium on the path; fetching Playwright's", flush=True)
    install_playwrights("chromium")
    return find_chromium() is not None


def _install_debians() -> bool:
    packages = ("chromium", "chromium-sandbox", "fonts-liberation")
    return install_debians(*packages) and find_chromium() is not None


def _driver_runs() -> bool:
    command = [sys.executable, "-m", "playwright", "--version"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
