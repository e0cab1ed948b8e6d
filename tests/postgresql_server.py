"""A PostgreSQL server for tests: a real one, in a folder of its own, as an account without rights.

PostgreSQL refuses to run as root, so root hands it to `postgres` or else `nobody`. Its settings are
the default ones: every commit is flushed to the disk.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from ports import find_port
from postgresql import find_postgresql

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "not-to-be-printed"  # noqa: S105 -- of a server that lives for one test run
SECONDS = 60


def _account() -> str | None:
    """The account that runs the server; None for the one that runs the tests."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


class Server:
    """One server on a loopback port. It can be stopped, killed and started again."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._data = folder / "data"
        self._log = folder / "log"
        self._socket = folder
        self.port = find_port()

    def url(self, database: str = "postgres", password: str = PASSWORD) -> str:
        """The address of one of its databases."""
        return f"postgresql://slagboom:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Returns once it takes connections."""
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c max_connections=200"
            # It would hold a lock now and then that a test waits for in vain.
            f" -c unix_socket_directories={self._socket} -c autovacuum=off"
        )
        self._control("start", "--log", self._log, "--options", options)

    def stop(self) -> None:
        """Ends every session and stops."""
        self._control("stop", "--mode", "fast")

    def kill(self) -> None:
        """Ends it at once: nothing is written any more, the next start recovers from its log."""
        self._control("stop", "--mode", "immediate")

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Runs one statement outside of a transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type] # of the tests themselves

    def end_sessions(self, database: str) -> None:
        """Ends every session of a database, as an operator may."""
        statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement, (database,))

    @contextlib.contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """A database of its own, gone when the block is left; its address."""
        name = f"test_{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def initialise(self) -> None:
        """Makes the empty cluster."""
        secret = self._socket / "password"
        secret.write_text(PASSWORD, "utf-8")
        account = _account()
        if account is not None:
            for path in (self._socket, secret):
                shutil.chown(path, account)
        options = ["--username=slagboom", f"--pwfile={secret}", "--auth=scram-sha-256"]
        self._run("initdb", "--encoding=UTF8", "--locale=C", *options, "--pgdata", self._data)

    def _control(self, *arguments: object) -> None:
        self._run("pg_ctl", "--silent", "--wait", f"--timeout={SECONDS}", *arguments)

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self._programs / program), *map(str, arguments)]
        account = _account()
        if account is not None:
            command = ["runuser", "-u", account, "--", *command]
        ended = subprocess.run(
            command,
            # pg_ctl finds the cluster by this; no setting of the developer's own may reach it.
            env={"PATH": os.environ["PATH"], "PGDATA": str(self._data), "LC_ALL": "C"},
            cwd="/",
            stdin=subprocess.DEVNULL,
            # A pipe would stay open for as long as the server runs.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        if ended.returncode != 0:
            log = self._log.read_text("utf-8") if self._log.exists() else ended.stderr
            message = f"{program} ended with code {ended.returncode}:\n{log}"
            raise RuntimeError(message)


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """An empty server that is gone with its data when the block is left."""
    programs = find_postgresql()
    if programs is None:
        message = "no PostgreSQL 15 or newer; tools/postgresql.py installs one or says how"
        raise RuntimeError(message)
    # Not below pytest's own folder, which is closed to other accounts.
    with tempfile.TemporaryDirectory(prefix="slagboom-pg-") as name:
        server = Server(programs, Path(name))
        server.initialise()
        server.start()
        try:
            yield server
        finally:
            # A test may have ended it.
            with contextlib.suppress(RuntimeError):
                server.kill()
