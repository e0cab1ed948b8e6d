"""The peers as npm packages, installed once outside of the repository, c15t bundled."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.npm import cache_folder, install_locked, run_tool

PEERS_DIRECTORY = Path(__file__).parent / "peers"


@dataclass(frozen=True, slots=True)
class Packages:
    """Folders of the packages and of the bundles, and the version of each package asked for."""

    packages: Path
    bundles: Path
    versions: dict[str, str]


def install_packages() -> Packages:
    """The peers at the versions of `peers/package.json`; raises as `install_locked`."""
    cache = cache_folder()
    versions = install_locked(PEERS_DIRECTORY, cache)
    installed = Packages(cache / "node_modules", cache / "bundles", versions)
    _bundle(installed)
    return installed


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
    run_tool(
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
