"""The kit as it runs in production: `slagboom serve`, with the policy of the bench."""

from __future__ import annotations

import http.client
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError
from slagboom_banner.assets import policies_directory
from slagboom_e2e.driver import EngineError
from slagboom_e2e.program import free_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator

_POLICY = Path(__file__).parent / "policy"


@contextmanager
def running_kit(folder: Path, website_port: int) -> Iterator[int]:
    """The port of a kit that answers, until the block ends.

    folder: an empty one for its policy and log. website_port: of the site that carries the banner.
    Raises BenchError where it does not start.
    """
    policies = folder / "policies"
    shutil.copytree(_POLICY, policies)
    policy = policies / "bench.yaml"
    text = policy.read_text(encoding="utf-8").replace("PORT", str(website_port))
    policy.write_text(text, encoding="utf-8")
    shutil.copy(policies_directory() / "services" / "slagboom.yaml", policies / "services")
    port = free_port()
    command = [sys.executable, "-m", "slagboom_server", "serve"]
    options = {
        "--policies": policies,
        "--database": f"sqlite:///{folder / 'log.db'}",
        "--host": "127.0.0.1",
        "--port": port,
    }
    command += [str(part) for option in options.items() for part in option]
    with running(command, folder) as program:
        try:
            program.await_true(lambda: _answers(port), "the kit does not answer")
        except EngineError as error:
            raise BenchError(str(error)) from error
        yield port


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/s/bench/gate.js")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
