"""The core journey in every engine: silent, accept, return, withdraw, refuse.

The vendors are the stand-ins of `slagboom demo --vendors local`, and what reached them is what they
say they received: the same evidence in each engine, whatever can be observed inside it.
"""

from __future__ import annotations

import json
import urllib.request
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from slagboom_e2e.driver import EngineError, await_true
from slagboom_e2e.engines import start_engine, wanted_engines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Playwright

    from conftest import Company, KitProcess
    from slagboom_e2e.driver import Driver, Engine

MARK = "/slagboom-mark"
COLLECTORS = {
    "leadinfo": "collector.leadinfo.net",
    "google-analytics": "www.google-analytics.com",
}
"""By service, a vendor host that the site's Content Security Policy lets the page itself call."""

SILENCED_BY_RELOAD = ("leadinfo",)

ASKED = "window.slagboom && document.querySelector('.sb-first')"
DECIDED = "window.slagboom && slagboom.decision && !localStorage.getItem('slagboom-unsent')"
HEAR = "(document.addEventListener('slagboom:change', () => { window.heard = true; }), true)"
REOPEN = "document.querySelector('.sb-reopen')"

STIR = "[document.body.click(), dispatchEvent(new Event('scrollend'))].length"
"""Does what makes a tag that still runs send something."""


@pytest.fixture(scope="module", params=wanted_engines())
def engine(request: pytest.FixtureRequest, playwright: Playwright) -> Iterator[Engine]:
    try:
        started = start_engine(request.param, playwright)
    except EngineError as error:
        pytest.fail(f"{error}: `make test` installs the engines", pytrace=False)
    yield started
    started.close()


class Journey:
    """A visitor of one company's site, and what has reached the vendors since `forget`."""

    def __init__(self, kit: KitProcess, company: Company, driver: Driver) -> None:
        self.kit = kit
        self.company = company
        self.driver = driver
        self.forget()

    def open(self, path: str, expected: str) -> None:
        self.driver.open(self.kit.address(self.company, path))
        self.driver.wait_for(expected)

    def answer(self, button: str) -> None:
        """Clicks one of the first layer's buttons and waits until the log has acknowledged."""
        self.driver.wait_for(ASKED)
        self.driver.evaluate(HEAR)
        self.driver.click(f".sb-first .sb-{button}")
        # What is to be sent is kept by then.
        self.driver.wait_for("window.heard")
        self.driver.wait_for(DECIDED)

    def await_vendor(self) -> None:
        """Waits until the company's tag has arrived and stored its cookie."""
        self.driver.wait_for(f"document.cookie.includes('{self.company.cookies[0]}')")
        await_true(lambda: set(self.company.vendor_hosts) <= set(self.hosts()), "the vendor")

    def mark(self) -> None:
        """Ends a period: the page's own request to a vendor has arrived, behind all before it."""
        collector = COLLECTORS[self.company.service]
        self.driver.wait_for(
            f"""new Promise((done) => requestAnimationFrame(() => setTimeout(() =>
            fetch("http://{collector}.localhost:{self.kit.port}{MARK}", {{ mode: "no-cors" }})
            .then(() => done(true), () => done(false)))))"""
        )
        await_true(lambda: MARK in [arrival["path"] for arrival in self._arrivals()], "the mark")

    def forget(self) -> None:
        """Begins a new period."""
        self._ask("/received/clear", method="POST")

    def hosts(self) -> list[str]:
        """The vendor of each request in this period but the mark."""
        return [arrival["host"] for arrival in self._arrivals() if arrival["path"] != MARK]

    def recorded(self) -> list[str]:
        """What the log holds of this visitor, oldest first, as the page itself can read it."""
        path = f"/s/{self.company.site}/records/"
        answer = self.driver.evaluate(
            f"fetch('{path}' + slagboom.decision.consent_id).then((answer) => answer.json())"
        )
        records = sorted(answer["records"], key=lambda record: record["given_at"])
        return [record["action"] for record in records]

    def _arrivals(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self._ask("/received.json"))["received"]
        return found

    def _ask(self, path: str, method: str = "GET") -> bytes:
        address = f"http://127.0.0.1:{self.kit.port}{path}"
        request = urllib.request.Request(address, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 -- our own loopback
            body: bytes = answer.read()
            return body


@pytest.fixture
def journey(local_kit: KitProcess, company: Company, engine: Engine) -> Iterator[Journey]:
    with closing(engine.visit()) as driver:
        yield Journey(local_kit, company, driver)


def test_every_engine_is_silent_before_a_choice(journey: Journey) -> None:
    driver = journey.driver

    for path in ("/", journey.company.other_page):
        journey.open(path, ASKED)
        journey.mark()

    assert journey.hosts() == []
    assert driver.cookies() == {}
    assert driver.evaluate("[document.cookie, localStorage.length, sessionStorage.length]") == [
        "",
        0,
        0,
    ]
    assert driver.evaluate("slagboom.decision") is None
    assert not driver.evaluate(f"slagboom.granted('{journey.company.service}')")


def test_every_engine_starts_the_vendor_on_accept_and_asks_no_more_on_return(
    journey: Journey,
) -> None:
    driver = journey.driver
    journey.open("/", ASKED)
    journey.answer("accept")
    journey.await_vendor()

    assert "slagboom" in driver.cookies()
    assert journey.recorded() == ["accept_all"]
    assert not driver.evaluate(ASKED)

    journey.forget()
    journey.open(journey.company.other_page, REOPEN)
    journey.await_vendor()
    journey.mark()

    assert not driver.evaluate(ASKED)
    assert journey.recorded() == ["accept_all"]


def test_every_engine_stops_everything_with_one_click(journey: Journey) -> None:
    driver = journey.driver
    journey.open("/", ASKED)
    journey.answer("accept")
    journey.await_vendor()

    driver.evaluate("(window.beforeWithdrawal = true)")
    driver.click(".sb-withdraw")
    if journey.company.service in SILENCED_BY_RELOAD:
        # Until it is gone, the old page may look decided while its tag still runs.
        driver.wait_for("!window.beforeWithdrawal")
    driver.wait_for(f"{REOPEN} && !document.querySelector('.sb-withdraw')")
    driver.wait_for(f"{DECIDED} && !Object.values(slagboom.decision.choices).some(Boolean)")
    driver.wait_for(f"!document.cookie.includes('{journey.company.cookies[0]}')")
    journey.mark()
    journey.forget()
    driver.wait_for(STIR)
    journey.mark()

    assert list(driver.cookies()) == ["slagboom"]
    assert journey.hosts() == []
    assert journey.recorded() == ["accept_all", "withdraw"]

    journey.open(journey.company.other_page, REOPEN)
    journey.mark()

    assert list(driver.cookies()) == ["slagboom"]
    assert journey.hosts() == []
    assert not driver.evaluate(ASKED)


def test_every_engine_keeps_everything_shut_after_a_refusal(journey: Journey) -> None:
    driver = journey.driver
    journey.open("/", ASKED)
    journey.answer("reject")

    for path in ("/", journey.company.other_page):
        journey.open(path, REOPEN)
        journey.mark()

        assert not driver.evaluate(ASKED)

    assert journey.hosts() == []
    assert list(driver.cookies()) == ["slagboom"]
    assert driver.evaluate("localStorage.length + sessionStorage.length") == 0
    assert journey.recorded() == ["reject_all"]
