"""What is measured: the kit as it is served, limits written for the bench, and a peer."""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.errors import BenchError
from bench.npm import cache_folder, install_locked, run_tool
from bench.server.load import HEADERS, Target
from slagboom_banner.assets import policies_directory
from slagboom_banner.load import read_policies
from slagboom_e2e.driver import EngineError
from slagboom_e2e.program import free_port, running
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from slagboom_server.record import OfferedNotice

SITE: Final = "dsoft"
PEER: Final = "c15t"
_PEER_FILES: Final = Path(__file__).parent / "peers"
_PEER_ORIGIN: Final = "https://www.example.com"


def find_origin() -> str:
    """An origin of the site, as its visitors' browsers send it."""
    return read_policies(policies_directory())[SITE].policy.origins[0]


def find_offer(database: str) -> OfferedNotice:
    """The notice of the site that its visitors read, from a log a kit has opened before."""
    store = open_store(database)
    try:
        return store.latest_notices(SITE)[0].offer
    finally:
        store.close()


def compose_decisions(offer: OfferedNotice) -> list[str]:
    """Bodies for decisions.lua: of eight visitors four accept, three refuse, one chooses."""
    common = {
        "decision_id": "{v7}",
        "consent_id": "{v4}",
        "previous": None,
        "revision": offer.revision,
        "notice": offer.digest,
        "language": offer.language,
    }
    kept_off = {
        service.id
        for service in offer.services
        if service.needs_full_ip and offer.accept_anonymises
    }
    first = offer.purposes[0]
    accepts = (
        *("first", "accept_all", dict.fromkeys(offer.purposes, True)),
        {service.id: service.id not in kept_off for service in offer.services},
    )
    refuses = (
        *("first", "reject_all", dict.fromkeys(offer.purposes, False)),
        {service.id: False for service in offer.services},
    )
    chooses = (
        *("second", "save", {purpose: purpose == first for purpose in offer.purposes}),
        {
            service.id: service.purpose == first and service.id not in kept_off
            for service in offer.services
        },
    )
    return [
        json.dumps(
            {
                **common,
                "layer": layer,
                "action": action,
                "choices": choices,
                "services": services,
                "anonymise_ip": offer.accept_anonymises,
                "gpc": False,
                "given_at": "2026-11-21T10:00:00.000Z",
            },
            separators=(",", ":"),
        )
        for layer, action, choices, services in (accepts, refuses) * 3 + (accepts, chooses)
    ]


_PEER_DECISION: Final = json.dumps(
    {
        "type": "cookie_banner",
        "subjectId": "sub_{id}",
        "domain": "www.example.com",
        "preferences": {"necessary": True, "measurement": True, "marketing": False},
        "givenAt": "MILLISECONDS",
        "jurisdiction": "GDPR",
        "jurisdictionModel": "opt-in",
        "uiSource": "banner",
        "consentAction": "custom",
        "metadata": {"bannerVersion": "1", "lang": "nl"},
    },
    separators=(",", ":"),
).replace('"MILLISECONDS"', "{ms}")


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers. process: its number, and that of its group."""

    port: int
    process: int


@contextmanager
def running_kit(folder: Path, database: str) -> Iterator[Running]:
    """`slagboom serve` with the shipped policies. Raises BenchError, as all here."""
    port = free_port()
    options = {
        "--policies": policies_directory(),
        "--database": database,
        "--keys": folder / "keys",
        "--host": "127.0.0.1",
        "--port": port,
        # All load comes from one network; the limit is counted all the same.
        "--rate-limit": 1_000_000_000,
    }
    command = [sys.executable, "-m", "slagboom_server", "serve"]
    command += [str(part) for option in options.items() for part in option]
    with _serving(command, folder, port, {}) as server:
        yield server


@contextmanager
def running_limit(folder: Path, mode: str, database: str) -> Iterator[Running]:
    """One of `limits.py`."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.server.limits:build_limit", "--factory"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--no-access-log"]
    command += ["--log-level", "warning"]
    variables = {"BENCH_MODE": mode, "BENCH_DATABASE": database}
    with _serving(command, folder, port, variables) as server:
        yield server


@contextmanager
def running_peer(folder: Path, database: str) -> Iterator[Running]:
    """c15t's backend."""
    port = free_port()
    packages = cache_folder() / "server"
    script = packages / "c15t.mjs"
    shutil.copyfile(_PEER_FILES / "c15t.mjs", script)
    variables = {"DATABASE": database, "PORT": str(port), "NODE_ENV": "production"}
    with _serving(["node", str(script)], folder, port, variables, packages) as server:
        yield server


def install_peer() -> str:
    """The peer's version, installed below the cache folder. Raises BenchError."""
    packages = cache_folder() / "server"
    versions = install_locked(_PEER_FILES, packages)
    driver = packages / "node_modules" / "better-sqlite3"
    if not any(driver.glob("build/Release/*.node")):
        # The only package that has to be compiled.
        run_tool("npm", "rebuild", "better-sqlite3", "--ignore-scripts=false", folder=packages)
    return versions["@c15t/backend"]


def aim_at_site(server: Running, folder: Path, decisions: Sequence[str]) -> Target:
    """The kit or a limit, and what is sent there."""
    headers = ("Content-Type: text/plain", f"Origin: {find_origin()}", *HEADERS)
    address = f"http://127.0.0.1:{server.port}/s/{SITE}/decisions"
    return Target(address, _write_templates(folder / "decisions.txt", decisions), headers)


def aim_at_peer(server: Running, folder: Path) -> Target:
    """The peer, and what is sent there."""
    headers = ("Content-Type: application/json", f"Origin: {_PEER_ORIGIN}", *HEADERS)
    templates = _write_templates(folder / "peer.txt", [_PEER_DECISION])
    return Target(f"http://127.0.0.1:{server.port}/subjects", templates, headers)


def _write_templates(file: Path, bodies: Sequence[str]) -> Path:
    file.write_text("".join(f"{body}\n" for body in bodies), encoding="utf-8")
    return file


@contextmanager
def _serving(
    command: Sequence[str],
    folder: Path,
    port: int,
    variables: Mapping[str, str],
    place: Path | None = None,
) -> Iterator[Running]:
    folder.mkdir(parents=True, exist_ok=True)
    here = os.environ.get("PYTHONPATH", "")
    added = {"PYTHONPATH": f"{Path.cwd()}:{here}", **variables}
    if place is not None:
        command = ["env", "-C", str(place), *command]
    with running(command, folder, added) as program:
        try:
            program.await_true(lambda: _answers(port), f"{command[-1]} does not answer")
        except EngineError as error:
            raise BenchError(str(error)) from error
        yield Running(port, program.process.pid)


def _answers(port: int) -> bool:
    """Whether anything is answered: a port may listen before what is behind it is ready."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/")
        connection.getresponse()
    except OSError:
        return False
    else:
        return True
    finally:
        connection.close()
