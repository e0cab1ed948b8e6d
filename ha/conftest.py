from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

ROOT = Path(__file__).parents[1]
# The kit's processes and policies are those of the server's tests.
sys.path[:0] = [str(ROOT / "ha"), str(ROOT / "tests"), str(ROOT / "tools")]
pytest.register_assert_rewrite("load", "programs", "server_process")

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cluster import Cluster
    from server_process import Server


@pytest.fixture(scope="session")
def running_cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    from cluster import Cluster  # noqa: PLC0415 -- found since the lines above

    # Not below pytest's own folder, which is closed to other accounts.
    with tempfile.TemporaryDirectory(prefix="slagboom-ha-") as name:
        Path(name).chmod(0o755)
        with contextlib.closing(Cluster(Path(name))) as cluster:
            is_right = False
            try:
                cluster.start()
                yield cluster
                is_right = not request.session.testsfailed
            finally:
                if not is_right:
                    print(cluster.last_words())  # noqa: T201 -- its folder goes with it


@pytest.fixture
def cluster(running_cluster: Cluster) -> Cluster:
    """A cluster with a primary and a synchronous standby, whatever the test before did to it."""
    running_cluster.mend()
    return running_cluster


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The keys of the one log."""
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
def nodes(
    cluster: Cluster, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sequence[Server]]:
    """The two kit nodes, each by way of its own HAProxy to the one log, with the same keys."""
    from kit_samples import copy_policies  # noqa: PLC0415 -- as above
    from server_process import serving  # noqa: PLC0415 -- as above

    monkeypatch.setenv("SLAGBOOM_KEYS", str(keys))
    policies = copy_policies(tmp_path)
    with (
        serving(policies, tmp_path, cluster.url("kit1")) as first,
        serving(policies, tmp_path, cluster.url("kit2")) as second,
    ):
        yield first, second
