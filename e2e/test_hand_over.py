"""One choice on a company's several domains: by cookie below one domain, by link between two."""

from __future__ import annotations

import datetime as dt
import json
import re
import secrets
import threading
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from conftest import VISITOR_ADDRESS, KitProcess, Visitor
from slagboom_server.handover import KEY_NAME, Tokens, Way, find_traveller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page

SITES = {"www.all": "dsoft", "all": "dsoft", "shop.all": "soft4doc"}
VENDOR = "www.googletagmanager.com"
SERVICE, PURPOSE, COOKIE = "google-analytics", "statistics", "_ga"
STRANGER = "https://elsewhere.test"
STRANGERS_ADDRESS = "192.0.2.9"
PAGE = """<!doctype html><html lang="nl"><head><title>Page</title>
<script src="/s/{site}/gate.js" async></script></head><body>
<a id="go" href="{next}/page">Further</a>
<a id="tab" href="{next}/page" target="_blank" rel="noopener">In a new tab</a>
<a id="part" href="{next}/page?q=1#far">A part of a page</a>
<a id="third" href="{third}/page">The third domain</a>
<a id="shy" href="{next}/page" rel="noreferrer">Without a trace</a>
<a id="route" href="{next}/page#/route">An application's page</a>
<a id="own" href="/page?again">This site</a>
<a id="stranger" href="{stranger}/page">Elsewhere</a>
{more}
<p style="height: 200vh">Text</p><h2 id="far">Far below</h2><p style="height: 200vh">Text</p>"""


class Pages(ThreadingHTTPServer):
    """The company's own web server: the same page on every host, with the kit behind it.

    more: what a test adds to the body. headers: what it adds to the answer. way_out: where `/out`
    sends whoever asks for it.
    """

    def __init__(self, kit_port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.kit_port = kit_port
        self.more = ""
        self.headers: dict[str, str] = {}
        self.way_out = ""
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self._thread.start()

    def address(self, host: str) -> str:
        return f"http://{host}.localhost:{self.server_port}"

    def write(self, host: str) -> bytes:
        """The page as it stands on that host."""
        name = host.removesuffix(".localhost")
        return PAGE.format(
            site=SITES.get(name, "kresoft"),
            next=self.address("two"),
            third=self.address("three"),
            stranger=STRANGER,
            more=self.more,
        ).encode()

    def close(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Answer(BaseHTTPRequestHandler):
    """One request to the company's web server."""

    def do_GET(self) -> None:
        assert isinstance(self.server, Pages)
        if self.path.startswith("/s/"):
            self._ask_kit(self.server.kit_port)
        elif self.path == "/out":
            self._send(302, {"location": self.server.way_out}, b"")
        else:
            body = self.server.write(self.headers["host"].partition(":")[0])
            self._send(200, {"content-type": "text/html", **self.server.headers}, body)

    do_HEAD = do_POST = do_GET  # noqa: N815 -- the names are the standard library's

    def _ask_kit(self, port: int) -> None:
        kit = HTTPConnection("127.0.0.1", port, timeout=30)
        with closing(kit):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            # Of a new tab's first requests the browser itself does not tell it in every case.
            headers = dict(self.headers) | {"X-Forwarded-For": VISITOR_ADDRESS}
            kit.request(self.command, self.path, body, headers)
            answer = kit.getresponse()
            self._send(answer.status, dict(answer.getheaders()), answer.read())

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"content-length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing: the browser's own record counts."""


class Company(KitProcess):
    """`slagboom serve` for one policy on three domains, and for two sites below a fourth."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.pages = Pages(self.port)
        self.one, self.two, self.three, self.www, self.bare, self.shop = (
            self.pages.address(host)
            for host in ("one", "two", "three", "www.all", "all", "shop.all")
        )
        self.way_out = self.pages.address("stranger") + "/out"
        everywhere = f"[{self.one}, {self.two}, {self.three}]"
        self.edit("kresoft", r"origins:\n(  - .*\n)+", f"origins: {everywhere}\n")
        self.edit("kresoft", r"measurement_id: .*", "measurement_id: G-DEMO000000")
        self.edit("kresoft", r"\ntheme:", f"\nhand_over: {{to: {everywhere}}}\ntheme:")
        self.edit("dsoft", r"origins:\n(  - .*\n)+", f"origins: [{self.www}, {self.bare}]\n")
        self.edit("dsoft", r"cookie_domain: .*", "cookie_domain: all.localhost")
        self.edit("soft4doc", r"origins:\n(  - .*\n)+", f"origins: [{self.shop}]\n")

    def command(self) -> list[str]:
        return ["serve"]

    def edit(self, site: str, pattern: str, text: str) -> None:
        file = self.policies / f"{site}.yaml"
        changed, number = re.subn(pattern, text, file.read_text("utf-8"), count=1)
        assert number == 1
        file.write_text(changed, "utf-8")

    @property
    def key(self) -> bytes:
        (file,) = self.database.parent.glob(f"*/{KEY_NAME}")
        return file.read_bytes()


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with Company(tmp_path_factory.mktemp("company")) as company, closing(company.pages):
        yield company


@pytest.fixture(autouse=True)
def _plain_pages(kit: Company) -> None:
    kit.pages.more = ""
    kit.pages.headers = {}


def publish_stranger(visitor: Visitor) -> None:
    """Lets somebody else's site answer, which has nothing to do with the kit."""
    visitor.context.route(
        f"{STRANGER}/**", lambda route: route.fulfill(content_type="text/html", body="<p>Hi</p>")
    )


def arrive(page: Page) -> None:
    """Waits until the page's gate has a choice or asks for one."""
    page.wait_for_function(
        "() => window.slagboom && (slagboom.decision || document.querySelector('.sb-first'))"
    )


def turn_to(visitor: Visitor, act: Callable[[], None]) -> None:
    """Turns to a link, and waits until its token is there."""
    with visitor.page.expect_response("**/hand-over") as response:
        act()
    assert response.value.ok
    response.value.finished()
    visitor.witness.mark(visitor.page)


def follow(visitor: Visitor, link: str = "#go", **click: Any) -> None:
    """Turns to a link and follows it, its token in it."""
    turn_to(visitor, lambda: visitor.page.hover(link))
    visitor.page.click(link, **click)


def go_on(visitor: Visitor, kit: Company, link: str = "#go") -> None:
    """Follows a link to the second domain, and waits until its gate knows what holds."""
    follow(visitor, link)
    visitor.page.wait_for_url(f"{kit.two}/**")
    arrive(visitor.page)


def await_next_second(visitor: Visitor) -> None:
    """Two visitors' choices of one second are as old as each other."""
    decision = visitor.decision()
    assert decision is not None
    visitor.page.wait_for_function(
        "given => Date.now() >= Date.parse(given) + 1000", arg=decision["given_at"]
    )


def domain_cookies(visitor: Visitor, address: str) -> dict[str, str]:
    return {cookie["name"]: cookie["value"] for cookie in visitor.context.cookies(address)}


def check_asked(visitor: Visitor, kit: Company) -> None:
    """The second domain asks, and nothing has been granted or stored there."""
    visitor.asked()
    visitor.witness.mark(visitor.page)

    assert visitor.decision() is None
    assert not visitor.page.evaluate(f"() => slagboom.granted('{SERVICE}')")
    assert "slagboom" not in domain_cookies(visitor, kit.two)
    assert "slagboom=" not in visitor.page.url
    assert VENDOR not in visitor.witness.hosts(own="localhost")
    assert visitor.errors == []


def test_a_choice_goes_along_in_the_link_and_is_not_asked_for_again(
    kit: Company, visitor: Visitor
) -> None:
    visitor.open(f"{kit.one}/page")
    visitor.answer("accept")
    decision = visitor.decision()

    go_on(visitor, kit)
    visitor.page.wait_for_function("name => document.cookie.includes(name)", arg=COOKIE)

    assert visitor.page.url == f"{kit.two}/page"
    assert visitor.decision() == decision
    assert visitor.page.locator(".sb-first").count() == 0
    assert visitor.page.evaluate(f"() => slagboom.granted('{SERVICE}')")
    first, second = (domain_cookies(visitor, at)["slagboom"] for at in (kit.one, kit.two))
    assert first == second
    (record,) = kit.records(decision["consent_id"])
    assert record["decision_id"] == decision["decision_id"]
    assert record["origin"] == kit.one
    notice = visitor.fetch(f"/s/kresoft/notices/{record['notice']}")["document"]
    assert kit.two in notice["hand_over"]
    assert visitor.errors == []

    visitor.open(f"{kit.two}/page?later")
    visitor.page.locator(".sb-reopen").wait_for()
    assert visitor.decision() == decision
    assert len(kit.records(decision["consent_id"])) == 1


def test_both_layers_say_where_the_choice_holds_too(kit: Company, visitor: Visitor) -> None:
    visitor.open(f"{kit.one}/page")
    visitor.asked()

    hosts = ", ".join(at.partition("://")[2] for at in (kit.one, kit.two, kit.three))
    assert hosts in visitor.page.locator(".sb-first").inner_text()
    visitor.page.click(".sb-choose")
    assert hosts in visitor.page.locator("dialog[open]").inner_text()


def test_nobody_hears_of_it_before_the_link_is_followed(kit: Company, visitor: Visitor) -> None:
    visitor.open(f"{kit.one}/page")
    visitor.asked()
    visitor.page.hover("#go")
    visitor.answer("accept")
    visitor.open(f"{kit.one}/page")
    for link in ("#own", "#shy", "#route", "#stranger"):
        visitor.page.hover(link)
        visitor.page.focus(link)
    visitor.witness.mark(visitor.page)

    assert visitor.witness.urls("/hand-over") == []

    with visitor.page.expect_response("**/hand-over"):
        visitor.page.hover("#go")
    visitor.witness.mark(visitor.page)

    (asked,) = visitor.witness.urls("/hand-over")
    assert asked == f"{kit.one}/s/kresoft/hand-over"
    assert visitor.witness.urls(kit.two) == visitor.witness.urls(kit.three) == []
    assert domain_cookies(visitor, kit.two) == {}
    assert visitor.page.locator("#go").get_attribute("href") == f"{kit.two}/page"


def test_no_server_and_no_third_party_sees_the_token(kit: Company, visitor: Visitor) -> None:
    seen: list[str] = []
    visitor.context.on(
        "request",
        lambda request: seen.extend([request.url, request.headers.get("referer", "")]),
    )
    visitor.open(f"{kit.one}/page")
    visitor.answer("accept")

    go_on(visitor, kit)
    visitor.page.wait_for_function("name => document.cookie.includes(name)", arg=COOKIE)
    visitor.witness.mark(visitor.page)

    # Playwright tells a page's address with its fragment, which the browser does not send.
    sent = {address for address in seen if not address.startswith(f"{kit.two}/page#")}
    assert any(VENDOR in address for address in sent)
    assert not any("slagboom=" in address for address in sent)


def test_the_first_layer_does_not_flash_while_a_choice_is_on_its_way(
    kit: Company, visitor: Visitor
) -> None:
    visitor.open(f"{kit.one}/page")
    visitor.answer("accept")
    visitor.page.add_init_script(
        """new MutationObserver(() => {
          if (document.querySelector(".sb-first")) window.flashed = true;
        }).observe(document, { childList: true, subtree: true })"""
    )
    held = visitor.hold("**/hand-over/accept")

    follow(visitor)
    visitor.page.wait_for_url(f"{kit.two}/page")
    visitor.page.wait_for_load_state("load")
    visitor.page.wait_for_function("() => window.slagboom")
    visitor.witness.mark(visitor.page)
    assert visitor.decision() is None
    held[0].continue_()
    arrive(visitor.page)

    assert visitor.decision() is not None
    assert not visitor.page.evaluate("() => window.flashed === true")


def test_a_withdrawal_goes_along_and_an_older_grant_does_not_run_meanwhile(
    kit: Company, visitor: Visitor
) -> None:
    visitor.open(f"{kit.one}/page")
    visitor.answer("accept")
    go_on(visitor, kit)
    visitor.open(f"{kit.one}/page")
    with visitor.page.expect_response("**/decisions"):
        visitor.page.click(".sb-withdraw")
    visitor.settled()
    visitor.page.wait_for_load_state("load")
    visitor.page.locator(".sb-withdraw").wait_for(state="hidden")
    held = visitor.hold("**/hand-over/accept")
    visitor.witness.forget()

    follow(visitor)
    visitor.page.wait_for_url(f"{kit.two}/page")
    visitor.page.wait_for_load_state("load")
    visitor.page.wait_for_function("() => window.slagboom")
    visitor.witness.mark(visitor.page)
    assert not visitor.page.evaluate(f"() => slagboom.granted('{SERVICE}')")
    held[0].continue_()
    arrive(visitor.page)
    visitor.page.locator(".sb-reopen").wait_for()
    visitor.witness.mark(visitor.page)

    assert visitor.decision()["choices"][PURPOSE] is False
    assert COOKIE not in domain_cookies(visitor, kit.two)
    assert VENDOR not in visitor.witness.hosts(own="localhost")
    assert visitor.page.locator(".sb-first").count() == 0
    actions = [one["action"] for one in kit.records(visitor.decision()["consent_id"])]
    assert actions == ["accept_all", "withdraw"]


@dataclass(frozen=True, slots=True)
class Attacker:
    """Somebody whose own grant stands in the log, and who would like others to have it.

    choice: their cookie. user_agent: that of the browser, which is the victims' as well.
    """

    decision_id: str
    choice: str
    user_agent: str


def decide_elsewhere(kit: Company, make_visitor: Callable[[], Visitor]) -> Attacker:
    attacker = make_visitor()
    attacker.open(f"{kit.one}/page")
    attacker.answer("accept")
    decision = attacker.decision()
    assert decision is not None
    return Attacker(
        str(decision["decision_id"]),
        domain_cookies(attacker, kit.one)["slagboom"],
        attacker.page.evaluate("() => navigator.userAgent"),
    )


def make_token(  # noqa: PLR0913 -- what a token is made of
    kit: Company,
    attacker: Attacker,
    *,
    decision_id: str | None = None,
    key: bytes | None = None,
    source: str | None = None,
    target: str | None = None,
    age_seconds: int = 0,
) -> str:
    """As an attacker gets one who is on the victim's network and has the same browser."""
    made_at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=age_seconds)
    by = find_traveller(VISITOR_ADDRESS, attacker.user_agent)
    way = Way("kresoft", source or kit.one, target or kit.two, by)
    number = UUID(decision_id or attacker.decision_id)
    return Tokens(key or kit.key).make(way, number, made_at)


def ask_token(kit: Company, attacker: Attacker) -> str:
    """As any other attacker gets one, with neither a browser nor a page."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{kit.port}/s/kresoft/hand-over",
        json.dumps({"choice": attacker.choice, "to": kit.two}).encode(),
        {
            "Origin": kit.one,
            "User-Agent": attacker.user_agent,
            "X-Forwarded-For": STRANGERS_ADDRESS,
        },
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 -- our own loopback
        return str(json.load(answer)["token"])


def lead(visitor: Visitor, kit: Company, address: str) -> None:
    """Leads to an address from the first domain, by way of somebody else's redirect."""
    kit.pages.way_out = address
    visitor.open(f"{kit.one}/page")
    visitor.page.evaluate("address => { location.href = address }", kit.way_out)
    visitor.page.wait_for_url(f"{kit.two}/**")
    visitor.page.wait_for_function("() => window.slagboom")


def bring(visitor: Visitor, kit: Company, token: str) -> None:
    """Comes to the second domain from the first one with a token."""
    lead(visitor, kit, f"{kit.two}/page#slagboom={token}")


def test_a_token_that_only_looks_right_grants_nothing(
    kit: Company, visitor: Visitor, new_visitor: Callable[[], Visitor]
) -> None:
    attacker = decide_elsewhere(kit, new_visitor)
    good = make_token(kit, attacker)
    wrong = {
        "forged": make_token(kit, attacker, key=secrets.token_bytes(32)),
        "tampered": good[:10] + ("A" if good[10] != "A" else "B") + good[11:],
        "expired": make_token(kit, attacker, age_seconds=121),
        "for another domain": make_token(kit, attacker, target=kit.three),
        "from another domain": make_token(kit, attacker, source=kit.three),
        "of no decision": make_token(
            kit, attacker, decision_id="019a9ce7-0000-7000-8000-0000000000ff"
        ),
        "of another network": ask_token(kit, attacker),
        "cut": good[:30],
        "empty": "",
    }
    for token in wrong.values():
        bring(visitor, kit, token)
        check_asked(visitor, kit)

    # The same way with the right one: what has been refused above was refused for its fault.
    bring(visitor, kit, good)
    arrive(visitor.page)
    assert visitor.decision()["decision_id"] == attacker.decision_id


def test_a_token_is_taken_once(
    kit: Company, visitor: Visitor, new_visitor: Callable[[], Visitor]
) -> None:
    token = make_token(kit, decide_elsewhere(kit, new_visitor))
    bring(visitor, kit, token)
    arrive(visitor.page)
    assert visitor.decision() is not None
    # The answer to what is still to be recorded would set the cookie again.
    visitor.settled()
    visitor.context.clear_cookies()
    visitor.witness.forget()

    bring(visitor, kit, token)

    check_asked(visitor, kit)


def test_a_crafted_link_plants_nothing_wherever_it_stands(
    kit: Company, visitor: Visitor, new_visitor: Callable[[], Visitor]
) -> None:
    """Each token is genuine: of the attacker's own grant, and fresh."""
    attacker = decide_elsewhere(kit, new_visitor)

    def craft() -> str:
        return f"{kit.two}/page#slagboom={make_token(kit, attacker)}"

    publish_stranger(visitor)
    kit.pages.more = f'<a id="planted" href="{craft()}">Free shoes</a>'
    visitor.open(craft())
    check_asked(visitor, kit)

    visitor.page.goto(f"{STRANGER}/page")
    visitor.page.evaluate("address => { location.href = address }", craft())
    visitor.page.wait_for_url(f"{kit.two}/**")
    check_asked(visitor, kit)

    visitor.page.goto(f"{STRANGER}/page")
    with visitor.context.expect_page() as opened:
        visitor.page.evaluate("address => { window.open(address) }", craft())
    opened.value.wait_for_function("() => window.slagboom")
    opened.value.locator(".sb-first").wait_for()
    opened.value.close()

    # On the company's own page, among what its visitors write there.
    visitor.open(f"{kit.one}/page")
    visitor.page.click("#planted")
    visitor.page.wait_for_url(f"{kit.two}/**")
    check_asked(visitor, kit)


SHADOW = '<div id="x"><template shadowrootmode="closed"><a href="{}">Shoes</a></template></div>'
LINK = '<a id="x" href="{}">Shoes</a>'
FRAGMENTS = [
    "#slagboom={}",
    "#far&slagboom={}",
    "#!a&slagboom={}",
    "#/a&slagboom={}",
    "#slagboom={}:~:text=Far",
]
PLANTED = {
    **{fragment: (LINK, fragment) for fragment in FRAGMENTS},
    "twice": (LINK, "#slagboom=x&amp;slagboom={}"),
    "put together": (LINK, "#slagboom&amp;slagboom=={}"),
    "taken apart": (LINK, "#slag&#10;boom={}"),
    "drawn": ('<svg><a href="{}"><rect id="x" width="90" height="40"/></a></svg>', FRAGMENTS[0]),
    "drawn as of old": (
        '<svg><a xlink:href="{}"><rect id="x" width="90" height="40"/></a></svg>',
        FRAGMENTS[0],
    ),
    "in a map": (
        """<map name="m"><area shape="rect" coords="0,0,90,90" href="{}" alt="Shoes"></map>
        <img id="x" usemap="#m" width="90" height="90" alt="">""",
        FRAGMENTS[0],
    ),
    "in a component": (SHADOW.replace("closed", "open"), FRAGMENTS[0]),
    "in a closed component": (SHADOW, FRAGMENTS[0]),
    "in a form": ('<form action="{}"><button id="x">Shoes</button></form>', FRAGMENTS[0]),
    "by script": (
        """<button id="x" onclick="location.href = '{}'">Shoes</button>""",
        FRAGMENTS[0],
    ),
}


def plant(kit: Company, token: str, markup: str, fragment: str) -> None:
    """Leaves a token on a page of the company's own, among what its visitors write there."""
    kit.pages.more = markup.format(f"{kit.two}/page{fragment.format(token)}")


@pytest.mark.parametrize("where", PLANTED)
def test_what_others_have_left_on_the_page_plants_nothing(
    kit: Company, visitor: Visitor, new_visitor: Callable[[], Visitor], where: str
) -> None:
    """Not even where they are on the visitor's own network and have the same browser."""
    plant(kit, make_token(kit, decide_elsewhere(kit, new_visitor)), *PLANTED[where])
    visitor.open(f"{kit.one}/page")

    # A component that is closed is known by its host, which fills the line.
    visitor.page.click("#x", position={"x": 9, "y": 9})
    visitor.page.wait_for_url(f"{kit.two}/**")

    check_asked(visitor, kit)


def test_what_no_script_of_the_page_sees_plants_nothing_of_another_networks(
    kit: Company, visitor: Visitor, new_visitor: Callable[[], Visitor]
) -> None:
    """An older browser asks no page before it leaves."""
    plant(kit, ask_token(kit, decide_elsewhere(kit, new_visitor)), SHADOW, FRAGMENTS[0])
    visitor.page.add_init_script("delete window.navigation")
    visitor.open(f"{kit.one}/page")

    visitor.page.click("#x", position={"x": 9, "y": 9})
    visitor.page.wait_for_url(f"{kit.two}/**")

    assert visitor.witness.urls("/accept") != []
    check_asked(visitor, kit)


@pytest.mark.parametrize("where", ["#slagboom={}", "#/a&slagboom={}", "drawn", "in a component"])
@pytest.mark.parametrize("how", ["middle", "Control"])
def test_no_new_tab_takes_along_what_others_have_left(
    kit: Company, visitor: Visitor, new_visitor: Callable[[], Visitor], where: str, how: str
) -> None:
    token = make_token(kit, decide_elsewhere(kit, new_visitor))
    plant(kit, token, *PLANTED[where])
    visitor.open(f"{kit.one}/page")
    click: Any = {"button": "middle"} if how == "middle" else {"modifiers": ["Control"]}

    with visitor.context.expect_page() as opened:
        visitor.page.click("#x", position={"x": 9, "y": 9}, **click)
    tab = opened.value
    tab.wait_for_url(f"{kit.two}/**")
    arrive(tab)

    assert tab.evaluate("() => slagboom.decision") is None
    assert "slagboom" not in domain_cookies(visitor, kit.two)


@pytest.mark.parametrize("event", ["contextmenu", "dragstart"])
@pytest.mark.parametrize("to", ["two", "one", "stranger"])
def test_no_menu_and_no_drop_finds_what_others_have_left(
    kit: Company, visitor: Visitor, event: str, to: str
) -> None:
    """What the browser's own menu opens, and where a link is dropped, no page hears of."""
    address = kit.pages.address(to)
    kit.pages.more = f'<a id="x" href="{address}/page#/a&amp;slagboom=planted">Shoes</a>'
    visitor.open(f"{kit.one}/page")

    if event == "contextmenu":
        visitor.page.click("#x", button="right")
    else:
        visitor.page.drag_and_drop("#x", "#far")

    assert visitor.page.locator("#x").get_attribute("href") == f"{address}/page#/a"


def test_a_redirect_of_somebody_elses_brings_no_token_of_theirs(
    kit: Company, visitor: Visitor, new_visitor: Callable[[], Visitor]
) -> None:
    """Of the whole way the second domain sees where it began, which is the company's own page."""
    token = ask_token(kit, decide_elsewhere(kit, new_visitor))
    kit.pages.way_out = f"{kit.two}/page#slagboom={token}"
    kit.pages.more = LINK.format(kit.way_out)
    visitor.open(f"{kit.one}/page")

    visitor.page.click("#x")
    visitor.page.wait_for_url(f"{kit.two}/**")

    assert visitor.page.evaluate("() => document.referrer") == f"{kit.one}/"
    check_asked(visitor, kit)


def test_a_link_followed_before_the_kit_is_there_plants_nothing(
    kit: Company, visitor: Visitor, new_visitor: Callable[[], Visitor]
) -> None:
    plant(kit, ask_token(kit, decide_elsewhere(kit, new_visitor)), LINK, FRAGMENTS[0])
    visitor.hold(f"{kit.one}/s/**/gate.js")
    visitor.page.goto(f"{kit.one}/page", wait_until="commit")

    visitor.page.click("#x", no_wait_after=True)
    visitor.page.wait_for_url(f"{kit.two}/**")

    check_asked(visitor, kit)


@pytest.mark.parametrize("rest", ["#/a", "#!a"])
def test_a_token_where_no_link_is_given_one_is_removed_unused(
    kit: Company, visitor: Visitor, new_visitor: Callable[[], Visitor], rest: str
) -> None:
    token = make_token(kit, decide_elsewhere(kit, new_visitor))

    lead(visitor, kit, f"{kit.two}/page{rest}&slagboom={token}")

    check_asked(visitor, kit)
    assert visitor.page.url == f"{kit.two}/page{rest}"
    assert visitor.witness.urls("/accept") == []


@pytest.mark.parametrize("answer", ["reject", "withdraw"])
def test_nobody_elses_newer_grant_overturns_a_refusal(
    kit: Company, visitor: Visitor, new_visitor: Callable[[], Visitor], answer: str
) -> None:
    """Not even one from the visitor's own network."""
    visitor.open(f"{kit.two}/page")
    visitor.answer("accept" if answer == "withdraw" else answer)
    if answer == "withdraw":
        with visitor.page.expect_response("**/decisions"):
            visitor.page.click(".sb-withdraw")
        visitor.settled()
        visitor.page.wait_for_load_state("load")
    own = visitor.decision()
    await_next_second(visitor)
    attacker = decide_elsewhere(kit, new_visitor)
    visitor.witness.forget()

    bring(visitor, kit, make_token(kit, attacker))
    visitor.page.locator(".sb-reopen").wait_for()
    visitor.witness.mark(visitor.page)

    assert own is not None
    assert visitor.witness.urls("/accept") != []
    assert visitor.decision() == own
    assert not visitor.page.evaluate(f"() => slagboom.granted('{SERVICE}')")
    assert VENDOR not in visitor.witness.hosts(own="localhost")


def test_the_pages_own_fragment_is_kept_and_shown(kit: Company, visitor: Visitor) -> None:
    visitor.open(f"{kit.one}/page")
    visitor.answer("reject")

    go_on(visitor, kit, "#part")

    assert visitor.page.url == f"{kit.two}/page?q=1#far"
    visitor.page.wait_for_function("() => scrollY > 100")
    assert visitor.page.evaluate("() => document.querySelector(':target').id") == "far"
    assert visitor.decision()["choices"][PURPOSE] is False
    visitor.page.go_back()
    visitor.page.wait_for_url(f"{kit.one}/page")


@pytest.mark.parametrize("how", ["middle", "Control", "blank"])
def test_a_new_tab_takes_the_choice_along(kit: Company, visitor: Visitor, how: str) -> None:
    visitor.open(f"{kit.one}/page")
    visitor.answer("accept")
    click: dict[str, Any] = {
        "middle": {"button": "middle"},
        "Control": {"modifiers": ["Control"]},
        "blank": {},
    }[how]
    link = "#tab" if how == "blank" else "#go"

    with visitor.context.expect_page() as opened:
        follow(visitor, link, **click)
    tab = opened.value
    tab.wait_for_url(f"{kit.two}/page")
    arrive(tab)

    assert tab.evaluate("() => slagboom.decision") == visitor.decision()
    assert visitor.page.url == f"{kit.one}/page"
    assert visitor.page.locator(link).get_attribute("href") == f"{kit.two}/page"
    assert visitor.page.locator(link).get_attribute("referrerpolicy") in {None, ""}


def test_a_keyboard_takes_the_choice_along(kit: Company, visitor: Visitor) -> None:
    visitor.open(f"{kit.one}/page")
    visitor.answer("accept")

    turn_to(visitor, lambda: visitor.page.focus("#go"))
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_url(f"{kit.two}/page")
    arrive(visitor.page)

    assert visitor.decision() is not None


def test_each_following_of_a_link_has_a_token_of_its_own(kit: Company, visitor: Visitor) -> None:
    visitor.open(f"{kit.one}/page")
    visitor.answer("accept")

    for _ in range(2):
        visitor.page.hover("#own")
        with visitor.context.expect_page() as opened:
            follow(visitor, button="middle")
        arrive(opened.value)
        assert opened.value.evaluate("() => slagboom.decision") == visitor.decision()
        opened.value.close()
        visitor.context.clear_cookies(domain="two.localhost")


def test_a_click_never_waits_for_its_token(kit: Company, visitor: Visitor) -> None:
    visitor.open(f"{kit.one}/page")
    visitor.answer("accept")
    visitor.hold("**/hand-over")
    visitor.witness.forget()

    visitor.page.click("#go")
    visitor.page.wait_for_url(f"{kit.two}/page")
    visitor.asked()

    assert visitor.decision() is None
    assert "slagboom" not in domain_cookies(visitor, kit.two)
    assert visitor.witness.urls("/accept") == []


def test_a_page_that_tells_nobody_where_visitors_come_from_hands_over_as_well(
    kit: Company, visitor: Visitor
) -> None:
    kit.pages.headers = {"referrer-policy": "no-referrer"}
    visitor.open(f"{kit.one}/page?secret")
    visitor.answer("accept")
    decision = visitor.decision()

    go_on(visitor, kit)

    assert visitor.decision() == decision
    assert visitor.page.evaluate("() => document.referrer") == f"{kit.one}/"


@pytest.mark.parametrize("link", ["#shy", "#route", "#stranger"])
def test_a_link_that_takes_nothing_along_is_left_as_it_is(
    kit: Company, visitor: Visitor, link: str
) -> None:
    visitor.open(f"{kit.one}/page")
    visitor.answer("accept")
    publish_stranger(visitor)
    address = visitor.page.locator(link).get_attribute("href")
    assert address is not None

    visitor.page.hover(link)
    visitor.witness.mark(visitor.page)
    visitor.page.click(link)
    visitor.page.wait_for_url(address)

    assert visitor.witness.urls("/hand-over") == []


def test_a_domain_keeps_its_own_newer_choice(kit: Company, visitor: Visitor) -> None:
    visitor.open(f"{kit.one}/page")
    visitor.answer("accept")
    await_next_second(visitor)
    visitor.open(f"{kit.two}/page")
    visitor.answer("reject")
    own = visitor.decision()
    visitor.open(f"{kit.one}/page")
    visitor.witness.forget()

    turn_to(visitor, lambda: visitor.page.hover("#go"))
    with visitor.page.expect_response("**/hand-over/accept") as response:
        visitor.page.click("#go")
    assert response.value.status == 409
    arrive(visitor.page)

    assert visitor.page.url == f"{kit.two}/page"
    assert visitor.decision() == own
    assert COOKIE not in domain_cookies(visitor, kit.two)


def test_a_domain_whose_own_answer_is_still_to_be_sent_takes_no_other(
    kit: Company, visitor: Visitor
) -> None:
    visitor.context.route(f"{kit.two}/**/decisions", lambda route: route.abort())
    visitor.open(f"{kit.two}/page")
    visitor.asked()
    visitor.page.click(".sb-first .sb-reject")
    visitor.page.locator(".sb-reopen").wait_for()
    own = visitor.decision()
    visitor.open(f"{kit.one}/page")
    visitor.answer("accept")

    go_on(visitor, kit)
    visitor.witness.mark(visitor.page)

    assert visitor.page.url == f"{kit.two}/page"
    assert visitor.decision() == own
    assert visitor.witness.urls("/accept") == []


def test_a_click_that_nobody_made_takes_nothing_along(kit: Company, visitor: Visitor) -> None:
    visitor.open(f"{kit.one}/page")
    visitor.answer("accept")
    turn_to(visitor, lambda: visitor.page.hover("#go"))
    visitor.witness.forget()

    visitor.page.evaluate("() => document.querySelector('#go').click()")
    visitor.page.wait_for_url(f"{kit.two}/page")
    visitor.asked()

    assert visitor.decision() is None
    assert visitor.witness.urls("/accept") == []


def test_a_visitor_who_has_chosen_nothing_is_asked_on_each_domain(
    kit: Company, visitor: Visitor
) -> None:
    visitor.open(f"{kit.one}/page")
    visitor.asked()

    visitor.page.click("#go")
    visitor.page.wait_for_url(f"{kit.two}/page")

    check_asked(visitor, kit)
    assert visitor.witness.urls("/hand-over") == []
    assert visitor.witness.cookies() == {}


def test_where_the_kit_cannot_be_reached_the_other_domain_asks(
    kit: Company, visitor: Visitor
) -> None:
    visitor.open(f"{kit.one}/page")
    visitor.answer("accept")
    visitor.context.route("**/hand-over/accept", lambda route: route.abort())
    follow(visitor)
    visitor.page.wait_for_url(f"{kit.two}/page")
    visitor.asked()

    assert visitor.decision() is None
    assert visitor.errors == []


def test_an_answer_that_never_comes_holds_nobody_up(kit: Company, visitor: Visitor) -> None:
    visitor.open(f"{kit.one}/page")
    visitor.answer("accept")
    visitor.hold("**/hand-over/accept")
    follow(visitor)
    visitor.page.wait_for_url(f"{kit.two}/page")
    visitor.asked()

    assert visitor.decision() is None
    assert visitor.errors == []


def test_without_scripts_a_link_is_a_link(kit: Company, new_visitor: Any) -> None:
    visitor = new_visitor(java_script_enabled=False)
    visitor.page.goto(f"{kit.one}/page")

    visitor.page.click("#go")
    visitor.page.wait_for_url(f"{kit.two}/page")

    assert visitor.witness.cookies() == {}
    assert visitor.witness.urls("/hand-over") == []


def test_no_domain_ever_stores_anything_for_another(kit: Company, visitor: Visitor) -> None:
    visitor.open(f"{kit.one}/page")
    visitor.answer("reject")
    go_on(visitor, kit)
    visitor.witness.mark(visitor.page)

    cookies = [(one["domain"], one["name"]) for one in visitor.context.cookies()]
    assert sorted(cookies) == [("one.localhost", "slagboom"), ("two.localhost", "slagboom")]
    assert visitor.page.frames == [visitor.page.main_frame]
    assert visitor.witness.hosts(own="localhost") == []
    assert visitor.witness.stored(visitor.page) == []


def test_below_one_domain_each_site_keeps_its_own_choice(kit: Company, visitor: Visitor) -> None:
    """A site of another policy neither takes a neighbour's choice for its own nor replaces it."""
    visitor.open(f"{kit.www}/page")
    visitor.answer("accept")
    accepted = visitor.decision()

    visitor.open(f"{kit.shop}/page")
    assert visitor.decision() is None
    visitor.answer("reject")
    refused = visitor.decision()

    for _ in range(2):
        for address in (kit.www, kit.bare):
            visitor.open(f"{address}/page")
            visitor.page.locator(".sb-reopen").wait_for()
            assert visitor.decision() == accepted
        visitor.open(f"{kit.shop}/page")
        visitor.page.locator(".sb-reopen").wait_for()
        assert visitor.decision() == refused
    assert visitor.witness.urls("/hand-over") == []
