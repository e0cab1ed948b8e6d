"""Makes sure that the tests have a PostgreSQL to start, 15 or newer.

One that is there is taken as it is; otherwise Debian's package is installed (root only).
`SLAGBOOM_POSTGRESQL` may name the folder that holds `initdb` and `postgres`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from install import install_debians, refuse

OLDEST = 15
# Debian and its kin, Red Hat's, and the two of Homebrew.
PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)


def main() -> int:
    """Find or install; 0 when it is there, 2 with one line on what to do otherwise."""
    if not find_postgresql():
        if os.environ.get("SLAGBOOM_POSTGRESQL"):
            return refuse(f"SLAGBOOM_POSTGRESQL does not name a PostgreSQL {OLDEST} or newer")
        if not (install_debians("postgresql") and find_postgresql()):
            return refuse(
                f"No PostgreSQL {OLDEST} or newer found and none could be installed; install one"
                " (Debian: apt-get install postgresql) or name its folder of programs in"
                " SLAGBOOM_POSTGRESQL"
            )
    return 0


def find_postgresql() -> Path | None:
    """The folder with the programs of the newest PostgreSQL here, None where none will do."""
    named = os.environ.get("SLAGBOOM_POSTGRESQL")
    if named:
        folders = [Path(named)]
    else:
        folders = [folder for place in PLACES for folder in Path("/").glob(place[1:])]
        on_path = shutil.which("initdb")
        folders += [Path(on_path).resolve().parent] if on_path else []
    versions = [(version, folder) for folder in folders if (version := _version(folder)) >= OLDEST]
    return max(versions)[1] if versions else None


def _version(folder: Path) -> int:
    """The major version of the server in a folder, 0 where there is none."""
    try:
        said = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return 0
    number = re.search(r"\d+", said)
    return int(number[0]) if number and (folder / "initdb").exists() else 0


if __name__ == "__main__":
    sys.exit(main())
