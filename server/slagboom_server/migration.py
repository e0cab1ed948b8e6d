"""The schema of a database brought to the newest revision, and checked before use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from slagboom_banner.errors import SlagboomError
from slagboom_server import postgresql
from slagboom_server.engine import (
    name_database,
    open_engine,
    parse_url,
    reading,
    sqlite_file,
    writing,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

UNFINISHED: Final = "unfinished-"
"""Before the revision of a database that a backup is being put into; see `unfinished.py`."""

_SCRIPTS: Final = Path(__file__).parent / "migrations"


def migrate(database_url: str) -> bool:
    """Brings a database to the newest schema; makes the file of an SQLite one.

    Returns whether anything had to be done. Several processes may call it at once.
    Raises SlagboomError where the database is newer than this program or its place cannot be
    written, and StoreUnavailable where it cannot be reached.
    """
    url = parse_url(database_url)
    _make_sqlite_file(url)
    engine = open_engine(url)
    config = _config()
    try:
        with writing(engine) as connection:
            if engine.name == "postgresql":
                postgresql.lock_schema(connection)
            if _is_current(connection, url):
                return False
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            return True
    finally:
        engine.dispose()


def open_current(database_url: str) -> Engine:
    """An engine for a database that has the newest schema.

    Raises SlagboomError where the database is missing, older or newer, and StoreUnavailable where
    it cannot be reached.
    """
    url = parse_url(database_url)
    file = sqlite_file(url)
    if file is not None and not file.is_file():
        message = f"{file}: no such database; start the server once, or give --database"
        raise SlagboomError(message)
    engine = open_engine(url)
    try:
        with reading(engine) as connection:
            if _is_current(connection, url):
                return engine
    except BaseException:
        engine.dispose()
        raise
    engine.dispose()
    message = f"{name_database(url)}: has an older schema; run `slagboom migrate` first"
    raise SlagboomError(message)


def read_revision(connection: Connection) -> str | None:
    """The schema's revision; None where there is no schema yet."""
    return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str:
    """The revision that this program works with."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config


def _is_current(connection: Connection, url: URL) -> bool:
    scripts = ScriptDirectory.from_config(_config())
    revision = read_revision(connection)
    if revision is not None and revision.startswith(UNFINISHED):
        message = (
            f"{name_database(url)}: holds a part of a log, for `slagboom restore` did not come to "
            "its end; run it again with the same backup, or give another database"
        )
        raise SlagboomError(message)
    known = {script.revision for script in scripts.walk_revisions()}
    if revision is not None and revision not in known:
        message = (
            f"{name_database(url)}: was written by a newer Slagboom (schema {revision}, this one "
            f"knows {scripts.get_current_head()}); install that version"
        )
        raise SlagboomError(message)
    return revision == scripts.get_current_head()


def _make_sqlite_file(url: URL) -> None:
    file = sqlite_file(url)
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Personal data: for the operator's account alone.
        file.touch(mode=0o600)
    except OSError as error:
        message = f"{file}: cannot make the database: {error.strerror}"
        raise SlagboomError(message) from error
