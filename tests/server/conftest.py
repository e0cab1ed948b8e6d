from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from command import Run
    from playwright.sync_api import Browser, Playwright
    from postgresql_server import Server

    from slagboom_server.kit import Kit
    from slagboom_server.sites import Site
    from slagboom_server.store_sql import SqlStore

# The contract of a store is shared by the tests of every engine.
pytest.register_assert_rewrite("contract_store", "contract_evidence", "contract_retention")
pytest.register_assert_rewrite("contract_publications", "contract_signed_publications")
pytest.register_assert_rewrite("contract_receipts")


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from slagboom_server.migration import migrate  # noqa: PLC0415 -- only tests of the log need it

    file = tmp_path_factory.mktemp("migrated") / "slagboom.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def database_url(tmp_path: Path, migrated_file: Path) -> str:
    """An empty consent log of its own for each test."""
    file = tmp_path / "slagboom.db"
    shutil.copy(migrated_file, file)
    return f"sqlite:///{file}"


@pytest.fixture
def store(database_url: str) -> Iterator[SqlStore]:
    from slagboom_server.store_sql import open_store  # noqa: PLC0415 -- as above

    opened = open_store(database_url)
    yield opened
    opened.close()


@pytest.fixture
def slagboom(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs `slagboom …` on that log."""
    from command import make_run  # noqa: PLC0415 -- as above

    monkeypatch.setenv("SLAGBOOM_DATABASE", database_url)
    monkeypatch.setenv("COLUMNS", "80")
    return make_run(monkeypatch, capsys)


@pytest.fixture
def run(slagboom: Run) -> Run:
    """Runs `slagboom log …`; the tests of other commands have one of their own."""
    return partial(slagboom, "log")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server for the whole session; a test that stops one starts its own."""
    from postgresql_server import running  # noqa: PLC0415 -- as above

    with running() as server:
        yield server


@pytest.fixture
def own_postgresql() -> Iterator[Server]:
    """A server that the test may stop and kill."""
    from postgresql_server import running  # noqa: PLC0415 -- as above

    with running() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_template(postgresql: Server) -> str:
    """The name of an empty, migrated database, of which copies are quick."""
    from slagboom_server.migration import migrate  # noqa: PLC0415 -- as above

    postgresql.execute("CREATE DATABASE migrated")
    migrate(postgresql.url("migrated"))
    return "migrated"


@pytest.fixture
def postgresql_url(postgresql: Server, migrated_template: str) -> Iterator[str]:
    """An empty consent log on PostgreSQL, of its own for each test."""
    with postgresql.database(template=migrated_template) as url:
        yield url


@pytest.fixture(scope="session")
def plain_browser(playwright: Playwright) -> Iterator[Browser]:
    """A Chromium without the arguments that e2e gives the one of the plugin's own fixture."""
    from slagboom_e2e.browser import find_chromium, launch_arguments  # noqa: PLC0415 -- as above

    browser = playwright.chromium.launch(executable_path=find_chromium(), args=launch_arguments())
    yield browser
    browser.close()


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """A folder with the policies of two sites, `acme` and `other`."""
    from kit_samples import copy_policies  # noqa: PLC0415 -- as above

    return copy_policies(tmp_path)


def _read_folder(folder: Path) -> dict[Path, bytes]:
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*.yaml")}


@pytest.fixture(scope="session")
def built_sites(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[Path, bytes], dict[str, Site]]:
    """The policies of the fixture above, and what they ask for: building it takes long."""
    from kit_samples import copy_policies  # noqa: PLC0415 -- as above

    from slagboom_banner.load import read_policies  # noqa: PLC0415 -- as above
    from slagboom_server.sites import build_site, read_sources  # noqa: PLC0415 -- as above

    folder = copy_policies(tmp_path_factory.mktemp("built"))
    sources = read_sources()
    built = {name: build_site(policy, sources) for name, policy in read_policies(folder).items()}
    return _read_folder(folder), built


@pytest.fixture
def kit(
    policies: Path, store: SqlStore, built_sites: tuple[dict[Path, bytes], dict[str, Site]]
) -> Iterator[Kit]:
    """A running kit with an empty log, which has read its policies."""
    from kit_samples import make_kit  # noqa: PLC0415 -- as above

    from slagboom_server.writer import Writer  # noqa: PLC0415 -- as above

    files, built = built_sites
    is_same = _read_folder(policies) == files
    with Writer(store) as writer:
        yield make_kit(policies, store, writer, built if is_same else None)
