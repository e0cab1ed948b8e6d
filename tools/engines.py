"""Makes sure that every engine the core journey runs in starts.

One that does not is fetched as Playwright's own build, and where that does not install, as Debian's
package (root only). `SLAGBOOM_ENGINES` names the engines wanted; without it they are all.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from install import install_debians, install_playwrights, refuse
from playwright.sync_api import sync_playwright

from slagboom_e2e.driver import EngineError
from slagboom_e2e.engines import start_engine, wanted_engines

if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGES = {
    "chromium": ("chromium",),
    "firefox": ("firefox-esr",),
    "webkit": ("webkit2gtk-driver", "xvfb"),
}


def main() -> int:
    """Start each, install what does not; 0 when all start, 2 with one line on what to do if not."""
    try:
        wanted = wanted_engines()
    except EngineError as error:
        return refuse(str(error))
    missing = _start_each(wanted)
    if missing:
        print(f"Fetching Playwright's {', '.join(missing)}", flush=True)
        install_playwrights(*missing)
        missing = _start_each(missing)
    packages = [package for name in missing for package in PACKAGES[name]]
    if missing and install_debians(*packages):
        missing = _start_each(missing)
    if missing:
        return refuse(
            f"{'; '.join(missing.values())}. Install as root: apt-get install"
            f" {' '.join(packages)}; or leave engines out by naming those to test,"
            " such as SLAGBOOM_ENGINES=chromium"
        )
    return 0


def _start_each(names: Iterable[str]) -> dict[str, str]:
    """Why, by name, for each engine that does not start."""
    reasons = {}
    with sync_playwright() as playwright:
        for name in names:
            try:
                engine = start_engine(name, playwright)
            except EngineError as error:
                reasons[name] = str(error)
            else:
                print(f"{name} {engine.version}", flush=True)
                engine.close()
    return reasons


if __name__ == "__main__":
    sys.exit(main())
