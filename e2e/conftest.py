"""The real server as a process, a real Chromium, and recording stand-ins in the vendors' names."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
import trustme
import uvicorn
from ports import find_port
from typer.testing import CliRunner

from slagboom_banner.assets import policies_directory
from slagboom_e2e.browser import find_chromium, launch_arguments
from slagboom_e2e.witness import Witness
from slagboom_server.cli import app
from slagboom_server.demo.received import Received
from slagboom_server.demo.vendors import build_vendors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page, Route

VISITOR_ADDRESS = "203.0.113.77"
"""A documentation address (RFC 5737), given as a trusted proxy would give the visitor's."""

SECONDS = 60
"""How long a busy machine may take."""

AXE = Path(__file__).parent / "vendor" / "axe.min.js"


@dataclass(frozen=True)
class Company:
    """A demo site and what the tests need to know of its policy."""

    site: str
    language: str
    service: str
    purpose: str
    vendor_hosts: tuple[str, ...]
    cookies: tuple[str, ...]
    other_page: str


COMPANIES = (
    Company(
        "dsoft",
        "nl",
        "leadinfo",
        "marketing",
        ("cdn.leadinfo.net",),
        ("_li_id", "_li_ses"),
        "/nl/services",
    ),
    Company(
        "kresoft",
        "nl",
        "google-analytics",
        "statistics",
        ("www.googletagmanager.com",),
        ("_ga",),
        "/nl/services",
    ),
    Company(
        "soft4doc",
        "en",
        "google-analytics",
        "statistics",
        ("www.googletagmanager.com",),
        ("_ga",),
        "/en/services",
    ),
)


_C_LIBRARY = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _end_with_parent() -> None:
    """Lets Linux end this process when the tests' own is killed and can stop nothing any more."""
    if sys.platform == "linux":
        _C_LIBRARY.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class KitProcess:
    """`slagboom demo` as its own process, which tests may stop, start, reload and kill."""

    def __init__(self, folder: Path, vendors: str = "real") -> None:
        self.port = find_port()
        self.vendors = vendors
        self.policies = folder / "policies"
        self.database = folder / "log.db"
        self.output = folder / "output.txt"
        shutil.copytree(policies_directory(), self.policies)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"sqlite:///{self.database}"

    def address(self, company: Company, path: str = "/", *, www: bool = False) -> str:
        prefix = "www." if www else ""
        return f"http://{prefix}{company.site}.localhost:{self.port}{path}"

    def command(self) -> list[str]:
        """Which of the program's commands serves, with what belongs to it alone."""
        return ["demo", "--vendors", self.vendors]

    def start(self) -> None:
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "slagboom_server",
                    *self.command(),
                    "--port",
                    str(self.port),
                    "--database",
                    self.url,
                    "--policies",
                    str(self.policies),
                ],
                stdout=output,
                stderr=output,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 -- it takes no lock
            )
        try:
            self._await_alive()
        except BaseException:
            self.stop(signal.SIGKILL)
            raise

    def _await_alive(self) -> None:
        deadline = time.monotonic() + SECONDS
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/s/dsoft/gate.js", headers={"Host": "dsoft.localhost"}
        )
        while True:
            try:
                with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310 -- our own loopback
                    return
            except OSError:
                assert self._process is not None
                ended = self._process.poll() is not None
                assert not ended, self.output.read_text()
                assert time.monotonic() < deadline, self.output.read_text()
                threading.Event().wait(0.1)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(SECONDS)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def reload(self, expected: str) -> None:
        """Sends SIGHUP and waits for the line that says what came of it."""
        before = self.output.stat().st_size
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + SECONDS
        while expected not in self.output.read_text()[before:]:
            assert time.monotonic() < deadline, self.output.read_text()[before:]
            threading.Event().wait(0.05)

    def log(self, *arguments: str) -> Any:
        """The answer of `slagboom log … --format json`."""
        # A process of its own would take longer to start than to answer.
        command = ["log", *arguments, "--format", "json", "--database", self.url]
        return json.loads(CliRunner().invoke(app, command, catch_exceptions=False).stdout)

    def records(self, consent_id: str) -> list[dict[str, Any]]:
        """One visitor's records, oldest first."""
        found: list[dict[str, Any]] = self.log("list", "--consent-id", consent_id)
        return sorted(found, key=lambda record: record["seq"])


class Vendors:
    """The stand-ins behind TLS, under the vendors' real host names."""

    def __init__(self) -> None:
        self.received = Received()
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("*.example.test").configure_cert(context)
        self.port = find_port()
        config = uvicorn.Config(
            build_vendors(self.received), port=self.port, log_level="error", access_log=False
        )
        config.load()
        config.ssl = context
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()


@pytest.fixture(scope="session")
def vendors() -> Iterator[Vendors]:
    running = Vendors()
    yield running
    running.close()


@pytest.fixture(scope="session")
def browser_type_launch_args(vendors: Vendors) -> dict[str, Any]:
    """A Chromium that finds every public name at the stand-ins, and nobody else."""
    chromium = find_chromium()
    assert chromium, "no Chromium found: `make test` installs one"
    rules = (
        f"EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1, MAP * 127.0.0.1:{vendors.port}"
    )
    return {
        "executable_path": str(chromium),
        "args": [
            *launch_arguments(),
            f"--host-resolver-rules={rules}",
            "--ignore-certificate-errors",
            # A page that Playwright answers counts as public, and may not ask for loopback then.
            "--disable-features=LocalNetworkAccessChecks",
        ],
    }


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KitProcess]:
    """One running kit for the tests of a module; each visitor is a new browser context."""
    with KitProcess(tmp_path_factory.mktemp("kit")) as process:
        yield process


@pytest.fixture(scope="module")
def local_kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KitProcess]:
    """As `kit`, with stand-ins that any browser finds without TLS or a map of hosts."""
    with KitProcess(tmp_path_factory.mktemp("local-kit"), vendors="local") as process:
        yield process


@pytest.fixture
def own_kit(tmp_path: Path) -> Iterator[KitProcess]:
    """A kit of the test's own, to be stopped, changed or killed."""
    with KitProcess(tmp_path) as process:
        yield process


@pytest.fixture(scope="session")
def companies() -> dict[str, Company]:
    """The companies by site, for tests about one of them."""
    return {company.site: company for company in COMPANIES}


@pytest.fixture(params=COMPANIES, ids=lambda company: company.site)
def company(request: pytest.FixtureRequest) -> Company:
    chosen: Company = request.param
    return chosen


class Visitor:
    """A person with a fresh browser: opens pages, answers, and is watched."""

    def __init__(self, browser: Browser, **options: Any) -> None:
        self.context: BrowserContext = browser.new_context(
            extra_http_headers={"X-Forwarded-For": VISITOR_ADDRESS}, **options
        )
        self.context.set_default_timeout(SECONDS * 1000)
        self.witness = Witness(self.context)
        self.page: Page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, address: str) -> None:
        self.page.goto(address, wait_until="load")
        self.page.wait_for_function("() => window.slagboom")

    def asked(self) -> None:
        self.page.locator(".sb-first").wait_for()

    def answer(self, button: str) -> None:
        """Clicks one of the first layer's buttons and waits until the log has acknowledged."""
        self.asked()
        with self.page.expect_response("**/decisions") as response:
            self.page.click(f".sb-first .sb-{button}")
        assert response.value.status in {200, 201}, response.value.text()
        self.settled()

    def settled(self) -> None:
        """Waits until nothing is left to be sent.

        A choice is kept for sending by a timer of 100 ms at most behind the click: before that,
        nothing kept means nothing. A timer set later and for longer comes after it, on a machine of
        any speed.
        """
        self.page.wait_for_function(
            """() => {
              document.slagboomTimer ??= setTimeout(() => { document.slagboomTimer = "over" }, 101);
              if (document.slagboomTimer !== "over") return false;
              if (localStorage.getItem("slagboom-unsent")) return false;
              delete document.slagboomTimer;
              return true;
            }"""
        )

    def decision(self) -> dict[str, Any] | None:
        return self.page.evaluate("() => window.slagboom.decision")

    def fetch(self, path: str) -> Any:
        """JSON from the page's own origin, asked for by the page."""
        return self.page.evaluate("path => fetch(path).then((answer) => answer.json())", path)

    def hold(self, pattern: str) -> list[Route]:
        """Holds back every request for `pattern`; the list fills as they come."""
        held: list[Route] = []
        self.context.route(
            pattern,
            lambda route: held.append(route),  # noqa: PLW0108 -- Playwright keeps no built-in
        )
        return held

    def expire_cache(self) -> None:
        """Lets the browser's copy of the scripts grow old at once."""
        session = self.context.new_cdp_session(self.page)
        session.send("Network.clearBrowserCache")

    def axe(self) -> list[str]:
        """Rules of axe-core the page breaks, best practice included."""
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{violation['id']}: {node['target']}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    person = Visitor(browser)
    yield person
    person.context.close()


@pytest.fixture
def new_visitor(browser: Browser) -> Iterator[Any]:
    """Makes visitors with browser options of their own."""
    people: list[Visitor] = []

    def make(**options: Any) -> Visitor:
        people.append(Visitor(browser, **options))
        return people[-1]

    yield make
    for person in people:
        person.context.close()


@pytest.fixture(scope="session", autouse=True)
def _no_proxy() -> None:
    """The tests speak to this machine only."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        os.environ.pop(name, None)
