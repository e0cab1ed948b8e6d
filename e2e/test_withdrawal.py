"""Withdrawing: what a service stored is gone and stays gone; what the visitor did stays."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from ports import find_port

from conftest import COMPANIES, KitProcess, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

LEADINFO, ANALYTICS = COMPANIES[:2]
PAGE = "/nl/deep/page"
NO_EVENTS = "delete window.cookieStore;"
STORED = """
  - {{kind: {kind}, pattern: vendor-{kind}*, lifetime_days: null,
     purpose: {{en: Test., nl: Test., fr: Test., de: Test.}}}}"""
FORM = """
<script>window.told = []; addEventListener("input", ({target}) => told.push(target.id));</script>
<form><input id="typed" aria-label="a"><input id="untouched" aria-label="b" value="x">
<textarea aria-label="c"></textarea><input type="checkbox" id="ticked" aria-label="d">
<select aria-label="e"><option>a</option><option>b</option></select>
<input type="password" id="secret" aria-label="f"></form><p style="height: 9000px"></p>"""
APPLICATION = """
<script>history.scrollRestoration = "manual";
const add = (html) => document.body.insertAdjacentHTML("beforeend", html);
addEventListener("load", () => setTimeout(() => {
  add('<p style="height: 9000px"></p><div id="pane" style="height: 90px; overflow: auto">'
    + '<p style="height: 900px"></p></div><input id="late" name="late" aria-label="a">'
    + '<div id="words" contenteditable role="textbox" aria-label="b">old</div>'
    + '<input id="plain" name="user_password" aria-label="c">'
    + '<input id="card" autocomplete="Section-a CC-Number" aria-label="d">'
    + '<input id="code" autocomplete="one-time-code" aria-label="e">');
  // As frameworks do that take what their own setter brings for their own doing.
  const late = document.getElementById("late");
  const { get, set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
  let known = "";
  window.heard = [];
  Object.defineProperty(late, "value", {
    get,
    set(value) { known = value; set.call(late, value); },
  });
  late.addEventListener("input", () => {
    if (get.call(late) !== known) heard.push(get.call(late));
  });
}, 300));</script>"""
HIDE = """(isHidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
FILL = """async () => {
  for (const end of ["", ".2"]) {
    await (await caches.open(`vendor-cache_storage${end}`)).put("/x", new Response("x"));
    await new Promise((done) => {
      const opening = indexedDB.open(`vendor-indexed_db${end}`);
      opening.onsuccess = () => { opening.result.close(); done(); };
    });
    localStorage[`vendor-local_storage${end}`] = sessionStorage[`vendor-session_storage${end}`] = 1;
  }
  await caches.open("own-cache");
  await new Promise((done) => { indexedDB.open("own-db").onsuccess = done; });
  localStorage["own-key"] = 1;
}"""


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KitProcess]:
    process = KitProcess(tmp_path_factory.mktemp("kit"))
    file = process.policies / "services" / "google-analytics.yaml"
    kinds = ("local_storage", "session_storage", "indexed_db", "cache_storage")
    items = "".join(STORED.format(kind=kind) for kind in kinds)
    file.write_text(file.read_text().replace("\nstored:", f"\nstored:{items}"))
    process.start()
    yield process
    process.stop()


def show(visitor: Visitor, kit: KitProcess, company: Any, *, body: str = "") -> None:
    """Opens a deep page of the company's www host with that body, and accepts."""
    page = visitor.page
    address = kit.address(company, PAGE, www=True)
    html = (
        f'<!doctype html><html lang="nl"><head><script src="/s/{company.site}/gate.js" async>'
        f"</script><title>t</title></head><body>{body}"
    )
    page.route(address, lambda route: route.fulfill(content_type="text/html", body=html))
    visitor.open(address)
    visitor.answer("accept")
    page.wait_for_function("name => document.cookie.includes(name)", arg=company.cookies[0])


def withdraw(visitor: Visitor) -> None:
    """Withdraws, and waits until the cookies have gone."""
    visitor.page.click(".sb-withdraw")
    visitor.page.wait_for_function(
        "() => !slagboom.granted('google-analytics') && !/(^|; )_ga/.test(document.cookie)"
    )


def names(visitor: Visitor) -> set[str]:
    return set(visitor.witness.cookies())


def test_cookies_go_from_host_parents_and_paths_and_others_stay(
    kit: KitProcess, visitor: Visitor
) -> None:
    show(visitor, kit, ANALYTICS)
    for scope in ("", "; domain=kresoft.localhost", "; path=/nl", "; path=/nl/deep/"):
        visitor.page.evaluate("cookie => { document.cookie = cookie; }", f"_ga_DEMO=1{scope}")
    visitor.page.evaluate("path => { document.cookie = `_gat=1; path=${path}`; }", PAGE)
    for scope in ("", "; domain=kresoft.localhost"):
        visitor.page.evaluate("cookie => { document.cookie = cookie; }", f"own_ga=1{scope}")
    assert len(visitor.context.cookies()) >= 9

    withdraw(visitor)

    assert names(visitor) == {"slagboom", "own_ga"}
    assert sum(cookie["name"] == "own_ga" for cookie in visitor.context.cookies()) == 2


def test_storage_databases_and_caches_of_the_service_go_and_others_stay(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    show(visitor, kit, ANALYTICS)
    page.evaluate(FILL)
    assert sum("vendor-" in name for name in visitor.witness.stored(page)) == 8

    withdraw(visitor)
    page.wait_for_function(
        """() => {
          const isVendors = (name) => name.startsWith("vendor-");
          Promise.all([indexedDB.databases(), caches.keys()]).then(([databases, names]) => {
            document.isClear = ![...databases.map(({ name }) => name), ...names].some(isVendors);
          });
          return document.isClear;
        }"""
    )
    visitor.settled()

    assert sorted(visitor.witness.stored(page)) == ["own-cache", "own-db", "own-key"]


@pytest.mark.parametrize("events", [True, False], ids=["cookie events", "no cookie events"])
def test_a_cookie_that_comes_back_after_the_withdrawal_goes_again(
    kit: KitProcess, visitor: Visitor, *, events: bool
) -> None:
    page = visitor.page
    if not events:
        visitor.context.add_init_script(NO_EVENTS)
    show(visitor, kit, ANALYTICS)
    withdraw(visitor)

    page.evaluate("() => { document.cookie = '_ga_BACK=1; path=/'; document.cookie = 'own=1'; }")
    if not events:
        page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_function("() => !document.cookie.includes('_ga')")

    assert names(visitor) == {"slagboom", "own"}
    # A new grant ends the watch over it.
    page.evaluate("() => slagboom.accept()")
    page.wait_for_function("() => slagboom.granted('google-analytics')")
    page.evaluate("() => { document.cookie = '_ga_BACK=1; path=/'; }")
    visitor.settled()
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))")
    visitor.witness.mark(page)
    assert "_ga_BACK" in names(visitor)


def test_a_partitioned_cookie_goes_as_well(kit: KitProcess, visitor: Visitor) -> None:
    show(visitor, kit, ANALYTICS)
    visitor.page.evaluate(
        """() => {
          document.cookie = "_ga_PART=1; path=/; secure; samesite=none; partitioned";
          document.cookie = "own=1; path=/; secure; samesite=none; partitioned";
        }"""
    )
    assert "_ga_PART" in names(visitor)
    withdraw(visitor)

    assert names(visitor) == {"slagboom", "own"}


def test_what_comes_back_long_after_the_withdrawal_goes_again_without_any_event(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    visitor.context.add_init_script(NO_EVENTS)
    page.clock.install()
    show(visitor, kit, ANALYTICS)
    withdraw(visitor)

    for _ in range(3):
        page.clock.run_for(60_000)
        page.evaluate("() => { document.cookie = '_ga_BACK=1; path=/'; }")
        page.clock.run_for(29_000)
        page.clock.run_for(2_000)
        page.wait_for_function("() => !document.cookie.includes('_ga')")


def test_a_tag_that_insists_is_given_up_on_and_the_page_goes_on(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    show(visitor, kit, ANALYTICS)
    page.evaluate(
        """() => {
          window.written = 0;
          cookieStore.addEventListener("change", ({ deleted }) => {
            if (deleted.some(({ name }) => name === "_ga_AGAIN") && written < 500) {
              written += 1;
              document.cookie = "_ga_AGAIN=1; path=/";
            }
          });
          document.cookie = "_ga_AGAIN=1; path=/";
        }"""
    )
    page.click(".sb-withdraw")
    page.wait_for_function("() => written >= 99 && document.cookie.includes('_ga_AGAIN')")
    # Each turn of this loop would be one of the tag's too, were its cookie still deleted each time.
    page.evaluate(
        """async () => {
          for (let turn = 0; turn < 300; turn += 1) {
            await new Promise((resolve) => {
              cookieStore.addEventListener("change", function look({ changed }) {
                if (changed.some(({ name }) => name === "turn")) {
                  cookieStore.removeEventListener("change", look);
                  resolve();
                }
              });
              document.cookie = `turn=${turn}; path=/`;
            });
          }
        }"""
    )
    visitor.witness.mark(page)

    # A look without an event, every second at most, may delete it nine times more.
    assert page.evaluate("() => written") < 200
    visitor.open(kit.address(ANALYTICS, PAGE, www=True))
    page.wait_for_function("() => !document.cookie.includes('_ga')")


def test_a_service_that_only_a_new_page_silences_gets_one_and_nothing_typed_is_lost(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    show(visitor, kit, LEADINFO, body=FORM)
    page.fill("#typed", "half a letter")
    page.fill("textarea", "two\nlines")
    page.check("#ticked")
    page.select_option("select", "b")
    page.fill("#secret", "hunter2")
    page.evaluate("() => { scrollTo(0, 1234); window.before = true; }")
    page.wait_for_function("() => scrollY === 1234")
    documents = []
    page.on("domcontentloaded", lambda _: documents.append(page.url))

    page.evaluate("() => document.querySelector('.sb-withdraw').click()")
    page.wait_for_function("() => !window.before && scrollY === 1234 && window.slagboom?.decision")
    visitor.settled()
    visitor.witness.mark(page)

    assert page.input_value("#typed") == "half a letter"
    assert page.input_value("textarea") == "two\nlines"
    assert page.is_checked("#ticked")
    assert page.input_value("select") == "b"
    assert page.input_value("#secret") == ""
    assert page.evaluate("() => told") == ["typed", "", "ticked", ""]
    assert len(documents) == 1
    assert visitor.witness.stored(page) == []
    assert not page.evaluate("() => slagboom.granted('leadinfo') || 'leadinfo' in window")
    assert names(visitor) == {"slagboom"}


@pytest.fixture
def shop(kit: KitProcess) -> Iterator[tuple[str, list[str]]]:
    """The address of a page that takes an order by POST, and the methods it has been asked with."""
    methods: list[str] = []
    body = (
        '<!doctype html><html lang="nl"><head><title>t</title>'
        f'<script src="{kit.address(LEADINFO)}s/dsoft/gate.js" async></script></head>'
        '<body><form method="post">'
        '<button id="order">Order</button></form><p id="part">Part</p></body></html>'
    ).encode()

    class Shop(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            if self.path.startswith("/order"):
                methods.append(self.command)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

    with ThreadingHTTPServer(("127.0.0.1", find_port()), Shop) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://dsoft.localhost:{server.server_port}/order", methods
        server.shutdown()
        thread.join()


def withdraw_by_new_page(visitor: Visitor) -> None:
    """Withdraws what only a new page silences, and waits until that has taken its place."""
    page = visitor.page
    page.evaluate("() => { window.before = true; }")
    page.evaluate("() => document.querySelector('.sb-withdraw').click()")
    page.wait_for_function(
        "() => !window.before && window.slagboom?.decision && document.readyState === 'complete'"
    )


@pytest.mark.parametrize("end", ["", "?a=1", "#part", "?a=1#part", "#"])
def test_a_withdrawal_never_sends_an_order_again(
    shop: tuple[str, list[str]], visitor: Visitor, end: str
) -> None:
    page = visitor.page
    address, methods = shop
    visitor.open(address + end)
    # The shop is no origin of the policy's: what is decided there is not taken in, but holds.
    visitor.asked()
    page.click(".sb-first .sb-accept")
    page.locator(".sb-withdraw").wait_for()
    page.click("#order")
    page.wait_for_function("() => window.slagboom?.granted('leadinfo')")
    assert methods == ["GET", "POST"]
    page.evaluate("address => history.replaceState(null, '', address)", address + end)
    page.locator(".sb-withdraw").wait_for()

    withdraw_by_new_page(visitor)

    assert methods == ["GET", "POST", "GET"]
    assert page.evaluate("() => location.href") == address + end
    assert not page.evaluate("() => slagboom.granted('leadinfo')")


def test_a_page_that_draws_itself_late_loses_neither_place_nor_words_and_keeps_no_secret(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    show(visitor, kit, LEADINFO, body=APPLICATION)
    page.fill("#late", "half a letter")
    page.locator("#words").fill("a\nb")
    for secret in ("#plain", "#card", "#code"):
        page.fill(secret, "hunter2")
    page.evaluate("() => { scrollTo(0, 1234); document.querySelector('#pane').scrollTop = 321; }")
    page.wait_for_function("() => scrollY === 1234")

    withdraw_by_new_page(visitor)
    visitor.settled()
    page.wait_for_function("() => scrollY === 1234 && window.heard?.length")

    assert page.input_value("#late") == "half a letter"
    assert page.inner_text("#words") == "a\nb"
    assert page.evaluate("() => document.querySelector('#pane').scrollTop") == 321
    assert page.evaluate("() => heard") == ["half a letter"]
    for secret in ("#plain", "#card", "#code"):
        assert page.input_value(secret) == ""
    assert visitor.witness.stored(page) == []


def test_a_visitor_who_scrolls_on_the_new_page_is_not_pulled_back(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    show(visitor, kit, LEADINFO, body=APPLICATION)
    page.locator("#late").wait_for()
    page.evaluate("() => scrollTo(0, 1234)")
    page.add_init_script("addEventListener('load', () => dispatchEvent(new Event('wheel')));")

    withdraw_by_new_page(visitor)
    page.locator("#late").wait_for()
    page.evaluate(
        "() => new Promise((done) => { const until = Date.now() + 400;"
        " const look = () => Date.now() > until ? done() : requestAnimationFrame(look); look(); })"
    )

    assert page.evaluate("() => scrollY") == 0


def test_a_tab_out_of_sight_is_not_loaded_anew_while_it_may_hold_words(
    kit: KitProcess, visitor: Visitor
) -> None:
    show(visitor, kit, LEADINFO, body=FORM)
    other = visitor.context.new_page()
    address = visitor.page.url
    html = visitor.page.content()
    other.route(address, lambda route: route.fulfill(content_type="text/html", body=html))
    documents: list[str] = []
    other.on("domcontentloaded", lambda page: documents.append(page.url))
    other.goto(address)
    other.wait_for_function("() => window.slagboom?.granted('leadinfo')")
    other.evaluate(HIDE, arg=True)
    other.fill("#typed", "half a letter")

    withdraw_by_new_page(visitor)
    other.wait_for_function("() => !slagboom.granted('leadinfo')")
    other.evaluate("() => new Promise((done) => setTimeout(done, 0))")

    assert len(documents) == 1
    other.evaluate("() => { window.before = true; }")
    other.evaluate(HIDE, arg=False)
    other.wait_for_function(
        "() => !window.before && document.querySelector('#typed')?.value === 'half a letter'"
    )
    assert len(documents) == 2


def test_a_visitor_who_stays_keeps_page_and_address_and_is_asked_once(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    guard = "<script>onbeforeunload = (event) => { event.preventDefault(); };</script>"
    show(visitor, kit, LEADINFO, body=guard + FORM)
    page.evaluate("() => { location.hash = 'part'; window.before = true; }")
    page.fill("#typed", "half a letter")
    asked = []

    def stay(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    address = page.url
    page.click(".sb-withdraw")
    page.wait_for_function(
        "address => location.href === address && !slagboom.granted('leadinfo')", arg=address
    )
    visitor.settled()

    assert page.evaluate("() => before")
    assert page.input_value("#typed") == "half a letter"
    assert asked == ["beforeunload"]
