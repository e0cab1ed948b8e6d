"""The set-up of docs/high-availability.md on one machine: its files, at addresses of the loopback.

Each machine of the document has an address of its own, 127.0.0.11 where the files say 10.0.0.11, so
that only the addresses and the ports differ, and the folders.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from postgresql import find_postgresql
from programs import SECONDS, Program, find_account, kill_tree, wait_until

if TYPE_CHECKING:
    from psycopg.abc import Query

EXAMPLES = Path(__file__).parents[1] / "docs" / "ha"
MACHINES = {"db1": "127.0.0.11", "db2": "127.0.0.12", "kit1": "127.0.0.21", "kit2": "127.0.0.22"}
DATABASES = ("db1", "db2")
KITS = ("kit1", "kit2")
MEMBERS = ("db1", "db2", "kit1")
PASSWORD = "not-to-be-printed"  # noqa: S105 -- of a cluster that lives for one test run
PORTS = ("2379", "2380", "5432", "8008")


def _find_port() -> str:
    # On every address of the loopback.
    with socket.create_server(("0.0.0.0", 0)) as taken:  # noqa: S104 -- closed at once
        return str(taken.getsockname()[1])


class Cluster:
    """etcd on three machines, Patroni with PostgreSQL on two, HAProxy on the kit's two."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = {number: _find_port() for number in PORTS}
        self._account = find_account()
        self._running: dict[tuple[str, str], Program] = {}
        programs = find_postgresql()
        assert programs is not None, "no PostgreSQL; tools/ha.py installs one or says how"
        self._programs = programs
        for name in MACHINES:
            home = folder / name
            home.mkdir()
            if self._account is not None:
                shutil.chown(home, self._account, self._account)

    def start(self) -> None:
        """Returns once there are a primary, a synchronous standby and the kit's database."""
        self.mend()
        wait_until("HAProxy has found the primary", lambda: self._answers("kit1"))
        with self.connect("kit1", "postgres", "postgres") as connection:
            connection.execute(f"CREATE ROLE slagboom LOGIN PASSWORD '{PASSWORD}'")
            connection.execute("CREATE DATABASE slagboom OWNER slagboom")

    def close(self) -> None:
        """Ends whatever still runs."""
        for name in MACHINES:
            self.kill_machine(name)

    def mend(self) -> None:
        """Starts what was killed, and returns once commits wait for a second machine again."""
        for name in MACHINES:
            self.start_machine(name)
        wait_until("a primary and a synchronous standby", self.is_whole)

    def start_machine(self, name: str) -> None:
        """Starts what a machine runs and is dead, as its system does when it comes up."""
        starts = {
            "etcd": (self._start_etcd, MEMBERS),
            "patroni": (self._start_patroni, DATABASES),
            "haproxy": (self._start_haproxy, KITS),
        }
        for part, (start, machines) in starts.items():
            if name in machines and (name, part) not in self._running:
                start(name)

    def _start_etcd(self, name: str) -> None:
        lines = self._fill("etcd.env", name).splitlines()
        variables = dict(line.split("=", 1) for line in lines if line.startswith("ETCD_"))
        self._start(name, "etcd", ["etcd"], variables)

    def _start_patroni(self, name: str) -> None:
        """Starts Patroni, which starts PostgreSQL as what it should be now."""
        self._start(name, "patroni", ["patroni", self._write("patroni.yml", name)], {})

    def _start_haproxy(self, name: str) -> None:
        command = ["haproxy", "-db", "-f", self._write("haproxy.cfg", name)]
        # Root hands itself over to an account of its own, as the file says.
        self._running[name, "haproxy"] = Program(
            command, self._folder / f"{name}-haproxy.log", {"PATH": "/usr/sbin:/usr/bin:/bin"}
        )

    def kill_machine(self, name: str) -> None:
        """Ends all that runs on a machine at once, as a loss of power does."""
        for part in ("patroni", "haproxy", "etcd"):
            self.kill(name, part)
        if name in DATABASES:
            self.kill_postgresql(name)

    def kill(self, name: str, part: str) -> None:
        """Ends one program; Patroni's PostgreSQL stays."""
        running = self._running.pop((name, part), None)
        if running is not None:
            running.kill()

    def kill_postgresql(self, name: str) -> None:
        """Ends PostgreSQL with all its sessions."""
        noted = self._folder / name / "data" / "postmaster.pid"
        if noted.exists():
            kill_tree(int(noted.read_text("ascii").splitlines()[0]))

    def last_words(self) -> str:
        """The end of what each program has said, for whoever reads a failure."""
        return "\n".join(
            f"==> {log.name}\n{log.read_text('utf-8', 'replace')[-3000:]}"
            for log in sorted(self._folder.glob("*.log"))
        )

    def url(self, name: str) -> str:
        """The kit's database, as a kit machine reaches it."""
        port = self._ports["5432"]
        return f"postgresql://slagboom:{PASSWORD}@{MACHINES[name]}:{port}/slagboom"

    def connect(
        self, name: str, user: str = "slagboom", database: str = "slagboom"
    ) -> psycopg.Connection[Any]:
        """A session with a database machine, or with the primary by way of a kit machine."""
        port = self._ports["5432"]
        address = f"host={MACHINES[name]} port={port} user={user} password={PASSWORD}"
        return psycopg.connect(f"{address} dbname={database} connect_timeout=5", autocommit=True)

    def ask(self, name: str, query: Query) -> Any:
        """One value, from the PostgreSQL of a machine."""
        with self.connect(name, "postgres", "postgres") as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]

    def roles(self) -> dict[str, str]:
        """What each PostgreSQL that runs is, as Patroni says; empty while nobody can be asked."""
        for name in DATABASES:
            address = f"http://{MACHINES[name]}:{self._ports['8008']}/cluster"
            try:
                with urllib.request.urlopen(address, timeout=5) as answer:
                    members = json.load(answer)["members"]
            except (OSError, ValueError):
                continue
            return {
                member["name"]: member["role"]
                for member in members
                if member["state"] in {"running", "streaming"}
            }
        return {}

    def primary(self) -> str | None:
        """The machine that is primary now."""
        return next((name for name, role in self.roles().items() if role == "leader"), None)

    def names_by_role(self) -> tuple[str, str]:
        """The primary and the synchronous standby of a whole cluster."""
        roles = self.roles()
        first, second = sorted(roles, key=lambda name: roles[name] != "leader")
        return first, second

    def is_whole(self) -> bool:
        """Whether every commit waits for a second machine."""
        return sorted(self.roles().values()) == ["leader", "sync_standby"]

    def configure(self, setting: str, value: str) -> None:
        """Changes one of the cluster's settings."""
        file = self._folder / DATABASES[0] / "patroni.yml"
        change = ["edit-config", "--force", "-s", f"{setting}={value}"]
        command = ["patronictl", "-c", str(file), *change]
        subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)

    def _answers(self, name: str) -> bool:
        try:
            self.connect(name, "postgres", "postgres").close()
        except psycopg.Error:
            return False
        return True

    def _start(
        self, name: str, part: str, command: list[object], variables: dict[str, str]
    ) -> None:
        log = self._folder / f"{name}-{part}.log"
        self._running[name, part] = Program(command, log, variables, self._account)

    def _write(self, example: str, name: str) -> Path:
        file = self._folder / name / example
        file.write_text(self._fill(example, name), "utf-8")
        return file

    def _fill(self, example: str, name: str) -> str:
        """A shipped file for one machine: its address, free ports, folders of the test's own."""
        home = self._folder / name
        text = (EXAMPLES / example).read_text("utf-8")
        text = text.replace("@NAME@", name).replace("@ADDRESS@", MACHINES[name])
        text = re.sub(r"@\w+_PASSWORD@", PASSWORD, text)
        text = text.replace("bind 127.0.0.1:", f"bind {MACHINES[name]}:")
        text = text.replace("10.0.0.", "127.0.0.")
        for port, free in self._ports.items():
            text = re.sub(rf"(?<=[: ]){port}\b", free, text)
        for place, own in {
            "/var/lib/etcd/consent": home / "etcd",
            "/var/lib/postgresql/15/consent": home / "data",
            "/usr/lib/postgresql/15/bin": self._programs,
            "/var/lib/postgresql/patroni.pgpass": home / "pgpass",
            "/var/run/postgresql": home,
        }.items():
            text = text.replace(place, str(own))
        if self._account is None:
            text = re.sub(r"^    (user|group) haproxy\n", "", text, flags=re.MULTILINE)
        return text
