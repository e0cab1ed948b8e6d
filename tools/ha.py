"""Makes sure that `make test-ha` has what docs/high-availability.md sets up.

Programs that are there are taken as they are; for others Debian's packages are installed (root
only).
"""

from __future__ import annotations

import os
import shutil
import sys

from install import install_debians, refuse
from postgresql import find_postgresql

PACKAGES = {
    "etcd": "etcd-server",
    "haproxy": "haproxy",
    "patroni": "patroni",
    "patronictl": "patroni",
}


def main() -> int:
    """Find or install; 0 when all is there, 2 with one line on what to do otherwise."""
    if sys.platform != "linux":
        return refuse(
            "make test-ha needs Linux: each machine of the cluster has a loopback address"
        )
    packages = _list_missing()
    if packages and not (install_debians(*packages) and not _list_missing()):
        return refuse(
            f"make test-ha needs {', '.join(packages)}, and they could not be installed;"
            f" install them as root: apt-get install {' '.join(packages)}"
        )
    return 0


def _list_missing() -> list[str]:
    places = os.pathsep.join((os.environ["PATH"], "/usr/sbin"))
    missing = {
        package
        for program, package in PACKAGES.items()
        if shutil.which(program, path=places) is None
    }
    return sorted(missing) + ([] if find_postgresql() else ["postgresql"])


if __name__ == "__main__":
    sys.exit(main())
