"""The peers as npm packages, installed once outside of the repository, c15t bundled."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError

PEERS_DIRECTORY = Path(__file__).parent / "peers"
_INSTALL_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Packages:
    """Folders of the packages and of the bundles, and the version of each package asked for."""

    packages: Path
    bundles: Path
    versions: dict[str, str]


def install_packages() -> Packages:
    """The peers at the versions of `peers/package.json`; what is there already is taken as it is.

    They go to `SLAGBOOM_BENCH_CACHE`, or else below the user's cache folder.
    Raises BenchError where npm is missing or fails.
    """
    cache = Path(os.environ.get("SLAGBOOM_BENCH_CACHE") or _user_cache() / "slagboom-bench")
    manifest = json.loads(PEERS_DIRECTORY.joinpath("package.json").read_text(encoding="utf-8"))
    versions: dict[str, str] = manifest["dependencies"]
    installed = Packages(cache / "node_modules", cache / "bundles", versions)
    if not all(_version(installed.packages / name) == versions[name] for name in versions):
        cache.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copyfile(PEERS_DIRECTORY / name, cache / name)
        _run("npm", "ci", "--loglevel=error", "--no-progress", folder=cache)
    _bundle(installed)
    return installed


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _version(package: Path) -> str | None:
    try:
        manifest = json.loads(package.joinpath("package.json").read_text(encoding="utf-8"))
    except OSError:
        return None
    version: str = manifest["version"]
    return version


def _bundle(installed: Packages) -> None:
    """c15t comes as modules for a bundler, as a React application would have one."""
    source = PEERS_DIRECTORY / "c15t.jsx"
    target = installed.bundles / "c15t.js"
    if target.is_file() and target.stat().st_mtime >= source.stat().st_mtime:
        return
    installed.bundles.mkdir(exist_ok=True)
    # A bundler looks for packages from where the source lies.
    entry = installed.bundles / source.name
    shutil.copyfile(source, entry)
    _run(
        str(installed.packages / ".bin" / "esbuild"),
        str(entry),
        "--bundle",
        "--minify",
        "--jsx=automatic",
        '--define:process.env.NODE_ENV="production"',
        f"--outfile={target}",
        "--log-level=error",
        folder=installed.bundles,
    )


def _run(*command: str, folder: Path) -> None:
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
