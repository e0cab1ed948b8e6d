"""Makes sure that the examples of docs/api.md can be run: npm's packages, PHP, WordPress.

What is missing is installed below `build`, and Debian's Node, npm and PHP as packages (root only).
`SLAGBOOM_EXAMPLES` names the examples to run, separated by commas; without it they are all, and
empty it is none. `SLAGBOOM_WORDPRESS` may name a folder that holds a WordPress.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import playwright
from install import DOWNLOAD_SECONDS, PACKAGE_SECONDS, attempt, install_debians, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "e2e" / "applications"
TARGET = ROOT / "build" / "examples"
NAMES = ("react", "vue", "next", "wordpress")
# Debian's own is too old for Next; this one is there wherever a browser is driven.
NODE = Path(playwright.__file__).parent / "driver" / "node"
OTHERWISE = "; or leave examples out by naming those to run, such as SLAGBOOM_EXAMPLES=react,vue"


def main() -> int:
    """Find or install; 0 when all wanted is there, 2 with one line on what to do otherwise."""
    wanted = wanted_examples()
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        return refuse(f"SLAGBOOM_EXAMPLES: {unknown[0]!r} is none of {', '.join(NAMES)}")
    if {"react", "vue", "next"} & set(wanted) and not (_has_packages() or _install_packages()):
        return refuse(
            "npm's packages for the examples could not be installed; install npm (Debian:"
            f" apt-get install nodejs npm) and see that it reaches a registry{OTHERWISE}"
        )
    if "wordpress" not in wanted:
        return 0
    if not (_has_php() or (install_debians("php-cli", "php-mysql") and _has_php())):
        return refuse(
            "No PHP with mysqli found and none could be installed; install one"
            f" (Debian: apt-get install php-cli php-mysql){OTHERWISE}"
        )
    if not (find_wordpress() or (_fetch_wordpress() and find_wordpress())):
        return refuse(
            "No WordPress found and none could be fetched; name the folder of one in"
            f" SLAGBOOM_WORDPRESS{OTHERWISE}"
        )
    return 0


def wanted_examples(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The names in `SLAGBOOM_EXAMPLES`, known or not; all there are without it."""
    named = environment.get("SLAGBOOM_EXAMPLES", ",".join(NAMES))
    return tuple(name.strip() for name in named.split(",")) if named.strip() else ()


def find_wordpress(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The folder of a WordPress, None where there is none."""
    folder = Path(environment.get("SLAGBOOM_WORDPRESS") or TARGET / "wordpress")
    return folder if (folder / "wp-settings.php").is_file() else None


def _has_packages() -> bool:
    """Whether what is installed is what the lock says."""
    stamp = TARGET / "installed.json"
    lock = SOURCES / "package-lock.json"
    return stamp.is_file() and stamp.read_bytes() == lock.read_bytes()


def _install_packages() -> bool:
    if not shutil.which("npm"):
        install_debians("nodejs", "npm")
    if not shutil.which("npm"):
        return False
    print("Installing what the examples are bundled with (once)", flush=True)
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(SOURCES / name, TARGET / name)
    with contextlib.chdir(TARGET):
        if not attempt(["npm", "ci", "--loglevel=error"], {}, DOWNLOAD_SECONDS):
            return False
    shutil.copyfile(SOURCES / "package-lock.json", TARGET / "installed.json")
    return True


def _has_php() -> bool:
    program = shutil.which("php")
    if not program:
        return False
    # WordPress does not start without mysqli, even where it asks no database.
    check = "exit(extension_loaded('mysqli') ? 0 : 1);"
    return subprocess.run([program, "-r", check], check=False).returncode == 0


def _fetch_wordpress() -> bool:
    """Unpacks Debian's package: installed, it would bring a web server and a database along."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return False
    print("Fetching Debian's wordpress", flush=True)
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TARGET) as folder, contextlib.chdir(folder):
        download = ["apt-get", "download", "-qq", "wordpress"]
        update = ["apt-get", "update", "-qq"]
        if not attempt(download, {}, PACKAGE_SECONDS):
            attempt(update, {}, PACKAGE_SECONDS)
            if not attempt(download, {}, PACKAGE_SECONDS):
                return False
        (package,) = Path().glob("wordpress_*.deb")
        if not attempt(["dpkg-deb", "--extract", str(package), "files"], {}, PACKAGE_SECONDS):
            return False
        Path("files/usr/share/wordpress").rename(TARGET / "wordpress")
    return True


if __name__ == "__main__":
    sys.exit(main())
