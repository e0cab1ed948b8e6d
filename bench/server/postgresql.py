"""A PostgreSQL for one run, with the settings it comes with: every commit is flushed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from bench.errors import BenchError
from slagboom_e2e.driver import EngineError
from slagboom_e2e.program import free_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLACES = "usr/lib/postgresql/*/bin/initdb"  # Debian's, which are not on the path


@dataclass(frozen=True, slots=True)
class Postgresql:
    """A running server. version: as it says it itself. data: the folder of its files."""

    port: int
    version: str
    data: Path

    def address(self, database: str) -> str:
        """Where one of its databases is."""
        return f"postgresql://bench@127.0.0.1:{self.port}/{database}"

    def make_database(self, name: str) -> str:
        """An empty database; its address."""
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.address(name)

    def files(self, database: str) -> list[Path]:
        """Where a database is kept."""
        with psycopg.connect(self.address(database)) as connection:
            query = "SELECT oid FROM pg_database WHERE datname = current_database()"
            row = connection.execute(query).fetchone()
        return [*(self.data / "base" / str(row[0])).iterdir()] if row else []

    def tidy(self, *databases: str) -> None:
        """Does at once what the server would do while it is measured.

        What was stored in minutes instead of a year waits to be vacuumed and written out.
        """
        for name in databases:
            with psycopg.connect(self.address(name), autocommit=True) as connection:
                connection.execute("VACUUM (ANALYZE)")
                connection.execute("CHECKPOINT")


@contextmanager
def running_postgresql() -> Iterator[Postgresql | None]:
    """A server of its own, gone with its data when the block ends; None where none is installed.

    Raises BenchError where one is installed and does not start.
    """
    programs = _find_programs()
    if programs is None:
        yield None
        return
    # PostgreSQL refuses to run as root, and its account must be able to reach its data.
    account = _account()
    switch = ["runuser", "-u", account, "--"] if account else []
    with tempfile.TemporaryDirectory(prefix="slagboom-bench-pg-") as name:
        folder = Path(name)
        if account:
            shutil.chown(folder, account)
        data = folder / "data"
        made = [*switch, str(programs / "initdb"), "--username=bench", "--auth=trust"]
        made += ["--encoding=UTF8", "--locale=C", "--pgdata", str(data)]
        ended = subprocess.run(made, cwd="/", capture_output=True, text=True, check=False)  # noqa: S603  PostgreSQL's own
        if ended.returncode != 0:
            message = f"initdb failed: {ended.stderr.strip().splitlines()[-1]}"
            raise BenchError(message)
        port = free_port()
        command = [*switch, str(programs / "postgres"), "-D", str(data), "-k", str(folder)]
        command += ["-p", str(port), "-c", "listen_addresses=127.0.0.1"]
        with running(command, folder) as program:
            server = Postgresql(port, _version(programs), data)
            try:
                program.await_true(lambda: _answers(server), "PostgreSQL does not answer")
            except EngineError as error:
                raise BenchError(str(error)) from error
            yield server


def _find_programs() -> Path | None:
    named = os.environ.get("SLAGBOOM_POSTGRESQL")
    if named:
        return Path(named)
    found = sorted(Path("/").glob(_PLACES), key=lambda place: int(place.parts[4]))
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    return Path(on_path).resolve().parent if on_path else None


def _account() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _version(programs: Path) -> str:
    said = subprocess.run(  # noqa: S603  as above
        [str(programs / "postgres"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    return said.split(")")[1].split()[0] if ")" in said else said.split()[-1]


def _answers(server: Postgresql) -> bool:
    try:
        psycopg.connect(server.address("postgres"), connect_timeout=1).close()
    except psycopg.OperationalError:
        return False
    return True
