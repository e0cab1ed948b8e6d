"""The demo: who answers which host, what its pages allow, and stand-ins that behave like them."""

from __future__ import annotations

import contextlib
import functools
import re
import socket
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from slagboom_server.demo.app import build_demo
from slagboom_server.demo.received import MAX_ARRIVALS, Received
from slagboom_server.demo.sites import SITE_PAGES, SITES, Site, read_site_texts
from slagboom_server.demo.vendors import build_vendors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page
    from playwright.sync_api import Response as Answer
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from slagboom_server.demo.hosts import VendorMode

PORT = 8090
VISITOR = "203.0.113.77"


async def answer_as_kit(request: Request) -> Response:
    if request.url.path.endswith("/blank"):
        tall = "<!doctype html><title>Blank</title><body><br><p>" + "line<br>" * 300
        return HTMLResponse(tall)
    return PlainTextResponse(f"// kit {request.url.path}")


def build_kit() -> Starlette:
    return Starlette(routes=[Route("/{path:path}", answer_as_kit)])


@functools.cache
def build_quiet_demo(vendors: VendorMode) -> ASGIApp:
    """A demo whose vendors nobody asks, built once: its pages never change."""
    return build_demo(build_kit(), PORT, Received(), vendors)


def open_demo(
    host: str, received: Received | None = None, vendors: VendorMode = "local"
) -> TestClient:
    if received is None:
        demo = build_quiet_demo(vendors)
    else:
        demo = build_demo(build_kit(), PORT, received, vendors)
    return TestClient(demo, base_url=f"http://{host}:{PORT}", follow_redirects=False)


def read_csp(answer: Any) -> dict[str, list[str]]:
    rules = answer.headers["content-security-policy"].split("; ")
    return {name: values for name, *values in (rule.split() for rule in rules)}


@pytest.mark.parametrize("host", ["dsoft.localhost", "www.dsoft.localhost", "DSOFT.localhost"])
def test_a_company_host_serves_its_pages_and_the_kit_on_one_origin(host: str) -> None:
    client = open_demo(host)

    assert "D Soft" in client.get("/nl/").text
    assert client.get("/s/dsoft/gate.js").text == "// kit /s/dsoft/gate.js"
    assert client.get("/s/").text == "// kit /s/"
    assert client.get("/site.css").headers["content-type"].startswith("text/css")
    assert client.get("/nothing").status_code == 404


@pytest.mark.parametrize(
    "host", ["example.com", "other.localhost", "www.other.localhost.", "a.dsoft.localhost", "[::1]"]
)
def test_an_unknown_host_is_not_served_and_not_recorded(host: str) -> None:
    received = Received()

    answer = open_demo("localhost", received).get("/", headers={"Host": host})

    assert (answer.status_code, answer.text) == (404, "Unknown host.\n")
    assert received.arrivals == ()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_the_start_page_leads_to_every_site_and_to_the_vendors(host: str) -> None:
    answer = open_demo(host).get("/")

    for site in SITES:
        assert f'href="http://{site}.localhost:{PORT}/"' in answer.text
    assert 'href="/received?watch"' in answer.text
    assert read_csp(answer)["script-src"] == ["'self'"]


def test_the_server_start_and_stop_reach_the_kit() -> None:
    events: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> Any:
        events.append("start")
        yield
        events.append("stop")

    with TestClient(build_demo(Starlette(lifespan=lifespan), PORT, Received())):
        assert events == ["start"]
    assert events == ["start", "stop"]


def all_pages() -> list[tuple[Site, str, str]]:
    return [
        (site, lang, page)
        for site in SITES.values()
        for lang in site.languages
        for page in SITE_PAGES
    ]


@pytest.mark.parametrize(("site", "language", "page"), all_pages())
def test_a_page_has_its_language_one_kit_script_and_nothing_inline(
    site: Site, language: str, page: str
) -> None:
    tail = "" if page == "home" else page

    html = open_demo(f"{site.id}.localhost").get(f"/{language}/{tail}").text

    assert f'<html lang="{language}">' in html
    head = html.partition("</head>")[0]
    assert head.count("<script") == 1
    assert f'<script src="/s/{site.id}/gate.js" async></script>' in head
    assert "<style" not in html
    assert " style=" not in html
    assert not re.search(r" on[a-z]+=", html)
    assert '<a href="#" data-slagboom="open">' in html
    assert f'href="http://localhost:{PORT}/received"' in html
    for other in site.languages:
        assert f'<a href="/{other}/{tail}" lang="{other}"' in html


@pytest.mark.parametrize(
    ("site", "default"), [("dsoft", "nl"), ("kresoft", "nl"), ("soft4doc", "en")]
)
def test_the_root_redirects_to_the_default_language(site: str, default: str) -> None:
    answer = open_demo(f"{site}.localhost").get("/")

    assert answer.status_code == 307
    assert answer.headers["location"] == f"/{default}/"


def shape(value: object) -> object:
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize("site", SITES.values(), ids=list(SITES))
def test_the_languages_of_a_site_say_the_same_things(site: Site) -> None:
    first, second = (
        {key: shape(value) for key, value in texts.items()}
        for texts in read_site_texts(site).values()
    )

    assert first == second


@pytest.mark.parametrize(
    ("site", "statement_date"),
    [("dsoft", "2024-06-13"), ("kresoft", "2018-05-20"), ("soft4doc", "2019-12-16")],
)
def test_the_privacy_page_dates_the_statement_it_quotes(site: str, statement_date: str) -> None:
    html = open_demo(f"{site}.localhost").get("/en/privacy").text

    assert f'<time datetime="{statement_date}">' in html
    assert html.count("<blockquote>") == 4


GOOGLE_COLLECTS = ["www.google-analytics.com", "region1.google-analytics.com"]
ALLOWED = {
    "dsoft": {
        "script-src": ["cdn.leadinfo.net"],
        "connect-src": ["collector.leadinfo.net", "collector4.leadinfo.net"],
    },
    "kresoft": {"script-src": ["www.googletagmanager.com"], "connect-src": GOOGLE_COLLECTS},
    "soft4doc": {
        "script-src": ["www.googletagmanager.com"],
        "connect-src": GOOGLE_COLLECTS,
        "frame-src": ["www.youtube.com", "www.youtube-nocookie.com"],
    },
}


@pytest.mark.parametrize(
    ("vendors", "origin"), [("local", "http://{}.localhost:8090"), ("real", "https://{}")]
)
@pytest.mark.parametrize("site", ALLOWED)
def test_a_site_allows_exactly_its_own_vendors(site: str, vendors: VendorMode, origin: str) -> None:
    answer = open_demo(f"{site}.localhost", vendors=vendors).get("/en/")

    own = {"script-src": ["'self'"], "connect-src": ["'self'"], "frame-src": []}
    allowed = {
        name: values + [origin.format(host) for host in ALLOWED[site].get(name, [])]
        for name, values in own.items()
    }
    assert read_csp(answer) == {
        "default-src": ["'none'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        **allowed,
        "frame-src": allowed["frame-src"] or ["'none'"],
    }
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "strict-origin-when-cross-origin"


@pytest.mark.parametrize(
    ("vendors", "address"),
    [
        ("local", f"http://www.youtube.com.localhost:{PORT}/embed/"),
        ("real", "https://www.youtube.com/embed/"),
    ],
)
def test_the_film_waits_for_consent_under_the_vendors_address(
    vendors: VendorMode, address: str
) -> None:
    html = open_demo("soft4doc.localhost", vendors=vendors).get("/en/").text

    assert f'<iframe data-consent="youtube" data-src="{address}' in html
    assert "<iframe src" not in html
    assert " src=" not in html.partition("<iframe")[2].partition(">")[0]


@pytest.mark.parametrize("suffix", ["", ".localhost"])
def test_a_vendor_answers_under_its_real_and_its_local_name(suffix: str) -> None:
    received = Received()
    client = TestClient(
        build_vendors(received),
        base_url=f"https://cdn.leadinfo.net{suffix}",
        client=(VISITOR, 40000),
    )

    answer = client.get("/ping.js", headers={"Cookie": "a=secret; b=other"})

    assert answer.headers["content-type"].startswith("text/javascript")
    assert [(each.host, each.path, each.cookies) for each in received.arrivals] == [
        ("cdn.leadinfo.net", "/ping.js", ("a", "b"))
    ]
    assert received.arrivals[0].address_seen
    assert VISITOR not in repr(received.arrivals)
    assert "secret" not in repr(received.arrivals)


def test_what_nobody_answers_is_recorded_as_well() -> None:
    received = Received()

    answer = open_demo("stats.g.doubleclick.net.localhost", received).get("/j/collect?t=dc")

    assert answer.status_code == 404
    assert [(each.host, each.path, each.query) for each in received.arrivals] == [
        ("stats.g.doubleclick.net", "/j/collect", "t=dc")
    ]


def test_a_vendor_shares_its_answer_with_the_asking_origin() -> None:
    client = TestClient(build_vendors(Received()), base_url="https://collector.leadinfo.net")

    shared = client.post("/hit", content="{}", headers={"Origin": "http://dsoft.localhost"})
    alone = client.post("/hit", content="{}")

    assert shared.headers["access-control-allow-origin"] == "http://dsoft.localhost"
    assert shared.headers["access-control-allow-credentials"] == "true"
    assert "access-control-allow-origin" not in alone.headers


def test_the_record_is_bounded_in_entries_and_in_bytes() -> None:
    received = Received()
    client = TestClient(build_vendors(received), base_url="https://collector.leadinfo.net")

    client.post("/hit", content=b"x" * 100_000)
    assert received.arrivals[0].body == "x" * 2048
    for number in range(MAX_ARRIVALS):
        client.get(f"/hit?n={number}")

    assert len(received.arrivals) == 500
    assert received.arrivals[0].query == "n=0"
    assert received.arrivals[-1].query == "n=499"


def test_the_list_shows_what_a_vendor_was_told_escaped_and_can_be_cleared() -> None:
    received = Received()
    open_demo("www.google-analytics.com.localhost", received).post("/g/collect?en=<b>&gcs=G101")
    client = open_demo("localhost", received)

    listed = client.get("/received.json").json()["received"]
    page = client.get("/received")
    cleared = client.post("/received/clear")

    assert [(each["host"], each["method"], each["body_empty"]) for each in listed] == [
        ("www.google-analytics.com", "POST", True)
    ]
    assert "&lt;b&gt;" in page.text
    assert "<b>" not in page.text
    assert "G101" in page.text
    assert "refresh" not in page.text
    assert '<meta http-equiv="refresh"' in client.get("/received?watch").text
    assert (cleared.status_code, cleared.headers["location"]) == (303, "/received")
    assert client.get("/received.json").json() == {"received": []}
    assert "Nothing has reached a vendor." in client.get("/received").text


class Demo:
    """A running demo, and what its vendors have heard."""

    def __init__(self, port: int, received: Received) -> None:
        self.port = port
        self.received = received

    def address(self, host: str, path: str) -> str:
        return f"http://{host}.localhost:{self.port}{path}"

    def hits(self, host: str) -> list[dict[str, str]]:
        arrivals = [each for each in self.received.arrivals if each.host == host]
        return [
            {key: values[0] for key, values in parse_qs(each.query).items()} for each in arrivals
        ]


@pytest.fixture
def demo() -> Iterator[Demo]:
    received = Received()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    config = uvicorn.Config(build_demo(build_kit(), port, received), log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    yield Demo(port, received)
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def page(plain_browser: Browser) -> Iterator[Page]:
    with plain_browser.new_context() as context:
        yield context.new_page()


START_GOOGLE = """([origin, id, consent, fields]) => new Promise((loaded) => {
  window.dataLayer = [];
  window.gtag = function () { dataLayer.push(arguments); };
  for (const [kind, values] of consent) gtag("consent", kind, values);
  gtag("js", new Date());
  gtag("config", id, fields);
  const script = document.createElement("script");
  script.src = `${origin}/gtag/js?id=${id}`;
  script.onload = loaded;
  document.head.append(script);
})"""

TAG = "G-DEMO000000"
DENIED = {
    "ad_storage": "denied",
    "analytics_storage": "denied",
    "ad_user_data": "denied",
    "ad_personalization": "denied",
}
NO_SIGNALS = {"allow_google_signals": False, "allow_ad_personalization_signals": False}
COLLECT = "www.google-analytics.com"


def start_google(page: Page, demo: Demo, consent: list[Any], fields: dict[str, Any]) -> None:
    page.goto(demo.address("kresoft", "/s/blank"))
    origin = demo.address("www.googletagmanager.com", "")
    page.evaluate(START_GOOGLE, [origin, TAG, consent, fields])


def click_and_wait_for_hit(page: Page) -> None:
    with page.expect_response("**/g/collect?*en=click*"):
        page.click("p")


def cookie_names(page: Page) -> set[str]:
    return {str(cookie.get("name")) for cookie in page.context.cookies()}


def test_google_measures_and_stores_what_the_consent_state_allows(page: Page, demo: Demo) -> None:
    granted = {"analytics_storage": "granted"}
    fields = NO_SIGNALS | {"cookie_expires": 86_400}

    with page.expect_response("**/g/collect?*en=page_view*"):
        start_google(page, demo, [["default", DENIED], ["update", granted]], fields)
    click_and_wait_for_hit(page)
    with page.expect_response("**/g/collect?*en=scroll*"):
        page.mouse.wheel(0, 400)

    view, click, *_ = demo.hits(COLLECT)
    assert view.items() >= {"v": "2", "tid": TAG, "gcs": "G101", "npa": "1"}.items()
    assert view["gcd"] == "13p3r3p3p1l1"
    assert view["dl"] == demo.address("kresoft", "/s/blank")
    assert click["cid"] == view["cid"]
    assert all(each.body_empty for each in demo.received.arrivals)
    cookies = {cookie.get("name"): cookie for cookie in page.context.cookies()}
    assert set(cookies) == {"_ga", "_ga_DEMO000000"}
    assert cookies["_ga"].get("domain") == ".kresoft.localhost"
    assert 0 < cookies["_ga"].get("expires", 0) - page.evaluate("Date.now() / 1000") <= 86_400
    assert not demo.hits("stats.g.doubleclick.net")


def test_google_under_denied_consent_still_pings_but_stores_nothing(page: Page, demo: Demo) -> None:
    with page.expect_response("**/g/collect?*en=page_view*"):
        start_google(page, demo, [["default", DENIED]], {})

    assert [hit["gcs"] for hit in demo.hits(COLLECT)] == ["G100"]
    assert cookie_names(page) == set()


def test_google_without_any_consent_state_stores_and_joins_signals(page: Page, demo: Demo) -> None:
    with page.expect_response(lambda answer: "stats.g.doubleclick.net" in answer.url):
        start_google(page, demo, [], {})

    assert "gcs" not in demo.hits(COLLECT)[0]
    assert demo.hits(COLLECT)[0]["gcd"] == "13l3l3l3l1l1"
    assert demo.hits("stats.g.doubleclick.net")
    assert "_ga" in cookie_names(page)


def test_google_falls_silent_when_disabled_and_only_then(page: Page, demo: Demo) -> None:
    start_google(
        page, demo, [["default", DENIED], ["update", {"analytics_storage": "granted"}]], {}
    )
    click_and_wait_for_hit(page)
    page.evaluate("gtag('consent', 'update', { analytics_storage: 'denied' })")
    page.context.clear_cookies()

    click_and_wait_for_hit(page)
    assert cookie_names(page) == set()
    heard = len(demo.hits(COLLECT))
    page.evaluate(f"window['ga-disable-{TAG}'] = true")
    page.click("p")
    page.evaluate("gtag('event', 'late')")
    page.evaluate(f"window['ga-disable-{TAG}'] = false")
    click_and_wait_for_hit(page)

    assert [hit["en"] for hit in demo.hits(COLLECT)[heard:]] == ["click"]


def test_google_runs_arguments_objects_and_not_arrays(page: Page, demo: Demo) -> None:
    start_google(page, demo, [["default", DENIED]], {})

    page.evaluate("dataLayer.push(['event', 'array'])")
    click_and_wait_for_hit(page)

    assert "array" not in [hit["en"] for hit in demo.hits(COLLECT)]


START_LEADINFO = """([origin, id]) => {
  window.GlobalLeadinfoNamespace = ["leadinfo"];
  window.leadinfo = function () { (leadinfo.q = leadinfo.q || []).push(arguments); };
  window.leadinfo.t = id;
  const script = document.createElement("script");
  script.src = `${origin}/ping.js`;
  document.head.append(script);
}"""


def start_leadinfo(page: Page, demo: Demo, site: str | None) -> None:
    page.goto(demo.address("dsoft", "/s/blank"))
    page.evaluate(START_LEADINFO, [demo.address("cdn.leadinfo.net", ""), site])


def tells(event: str) -> Callable[[Answer], bool]:
    """Whether an answer is one to Leadinfo's report of an event; a heartbeat may come between."""

    def matches(answer: Answer) -> bool:
        body = answer.request.post_data or ""
        return answer.url.endswith("/hit") and f'"event":"{event}"' in body

    return matches


def test_leadinfo_stores_and_reports_on_and_on_without_being_asked(page: Page, demo: Demo) -> None:
    with page.expect_response(tells("pageview")):
        start_leadinfo(page, demo, "LI-0123456789ABC")
    with page.expect_response(tells("click")):
        page.click("p")
    with page.expect_response(tells("scroll")):
        page.mouse.wheel(0, 400)
    page.context.clear_cookies()
    with page.expect_response(tells("heartbeat")):
        pass  # it comes by itself
    page.wait_for_function("document.cookie.includes('_li_id')")

    bodies = [each.body for each in demo.received.arrivals if each.path == "/hit"]
    assert all('"site":"LI-0123456789ABC"' in body for body in bodies)
    for event in ("pageview", "click", "scroll", "heartbeat"):
        assert any(f'"event":"{event}"' in body for body in bodies)
    stems = {name.partition(".")[0] for name in cookie_names(page)}
    assert stems == {"_li_id", "_li_ses"}
    assert {cookie.get("domain") for cookie in page.context.cookies()} == {".dsoft.localhost"}


def test_leadinfo_without_a_site_id_does_nothing(page: Page, demo: Demo) -> None:
    with page.expect_response("**/ping.js"):
        start_leadinfo(page, demo, None)
    page.evaluate("fetch('/s/marker')")

    assert [each.path for each in demo.received.arrivals] == ["/ping.js"]
    assert cookie_names(page) == set()


INSERT_FRAME = """(src) => {
  document.body.prepend(Object.assign(document.createElement("iframe"), { src }));
}"""


@pytest.mark.parametrize(
    ("host", "cookies"),
    [("www.youtube.com", {"VISITOR_INFO1_LIVE", "YSC"}), ("www.youtube-nocookie.com", set())],
)
def test_a_film_fetches_its_still_and_leaves_what_its_host_leaves(
    page: Page, demo: Demo, host: str, cookies: set[str]
) -> None:
    address = demo.address(host, "/embed/slagboom001")
    page.goto(demo.address("soft4doc", "/s/blank"))

    with page.expect_response("**/hqdefault.jpg") as still:
        page.evaluate(INSERT_FRAME, address)

    assert still.value.ok
    assert still.value.url == demo.address("i.ytimg.com", "/vi/slagboom001/hqdefault.jpg")
    page.goto(address)  # in a frame Chromium may refuse another site's cookies and storage
    assert cookie_names(page) == cookies
    assert page.evaluate("Object.keys(localStorage)") == ["yt-remote-device-id"]


def test_a_page_loads_cleanly_under_its_own_policy(page: Page, demo: Demo) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    for site in SITES.values():
        for path in ("", "services", "privacy"):
            page.goto(demo.address(site.id, f"/en/{path}"), wait_until="networkidle")
    page.goto(demo.address("soft4doc", "/en/"))
    page.click("#insert-tag")

    assert page.locator("#late-tag").get_attribute("data-state") == "held"
    assert complaints == []
    assert demo.received.arrivals == ()
