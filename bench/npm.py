"""Packages from npm at pinned versions, installed once outside of the repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from bench.errors import BenchError

_INSTALL_SECONDS = 900


def install_locked(source: Path, cache: Path) -> dict[str, str]:
    """The version of each package asked for; what is there already is taken as it is.

    source: the folder with `package.json`, its lock and `.npmrc`. cache: where `node_modules` goes.
    Raises BenchError where npm is missing or fails.
    """
    manifest = json.loads(source.joinpath("package.json").read_text(encoding="utf-8"))
    versions: dict[str, str] = manifest["dependencies"]
    if not all(_version(cache / "node_modules" / name) == versions[name] for name in versions):
        cache.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copyfile(source / name, cache / name)
        run_tool("npm", "ci", "--loglevel=error", "--no-progress", folder=cache)
    return versions


def cache_folder() -> Path:
    """`SLAGBOOM_BENCH_CACHE`, or else a folder below the user's cache."""
    named = os.environ.get("SLAGBOOM_BENCH_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slagboom-bench"


def _version(package: Path) -> str | None:
    try:
        manifest = json.loads(package.joinpath("package.json").read_text(encoding="utf-8"))
    except OSError:
        return None
    version: str = manifest["version"]
    return version


def run_tool(*command: str, folder: Path) -> None:
    """Runs npm, or what it installed. Raises BenchError where it does not do its work."""
    try:
        result = subprocess.run(  # noqa: S603  npm, and what it installed
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=_INSTALL_SECONDS,
        )
    except OSError as error:
        message = (
            f"{command[0]} does not start: {error.strerror}; the peers come from npm,"
            " install Node 18 or newer with npm (Debian 12: apt-get install nodejs npm)"
        )
        raise BenchError(message) from error
    except subprocess.TimeoutExpired as error:
        message = f"{command[0]}: no answer within {_INSTALL_SECONDS} s"
        raise BenchError(message) from error
    if result.returncode != 0:
        words = [line for line in (result.stderr or result.stdout).splitlines() if line.strip()]
        message = f"{command[0]} failed in {folder}: {words[-1] if words else 'no reason given'}"
        raise BenchError(message)
