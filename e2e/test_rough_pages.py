"""Pages that break the language, sandboxes, hidden pages, the back/forward cache, no line, no room:
nothing is granted by accident, and no exception reaches the page's own handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conftest import COMPANIES, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserType

    from conftest import KitProcess

SITE = COMPANIES[1]
VENDOR = "googletagmanager"
# Handlers of the page's own, which count what reaches them.
HANDLERS = """
  window.reached = [];
  // In the page as well: a page that broke its lists has none to hand out.
  const { dataset } = document.documentElement;
  window.onerror = (message) => { reached.push(dataset.reached = `${message}`); };
  window.onunhandledrejection = ({ reason }) => { reached.push(dataset.reached = `${reason}`); };
"""
# The page's clock ten times as fast, and what still waits for it.
HASTE = """
  window.waiting = new Set();
  const [later, never] = [setTimeout, clearTimeout];
  window.setTimeout = (act, milliseconds = 0) => {
    const timer = later(() => { waiting.delete(timer); act(); }, milliseconds / 10);
    waiting.add(timer);
    return timer;
  };
  window.clearTimeout = (timer) => { waiting.delete(timer); never(timer); };
  window.rested = (done) => (waiting.size ? later(rested, 20, done) : done());
"""
LISTS = '["every", "filter", "find", "forEach", "includes", "join", "map", "push", "some"]'
BREAKAGES = {
    "fetch throws": "fetch = () => { throw new Error('page'); }",
    "fetch returns nothing": "fetch = () => {}",
    "no beacon": "Navigator.prototype.sendBeacon = () => { throw new Error('page'); }",
    "lists throw": (
        f"for (const name of {LISTS}) Array.prototype[name] = () => {{ throw new Error('page'); }}"
    ),
    "lists agree": f"for (const name of {LISTS}) Array.prototype[name] = () => true",
    "lists are all empty": """
      Array.prototype[Symbol.iterator] = () => ({ next: () => ({ done: true }) });""",
    "nothing is ever split": "String.prototype.split = () => []",
    "no sheets of one's own": "delete window.CSSStyleSheet",
    "lists of an old library": """
      Array.prototype.toJSON = function () { return "[]"; };
      Array.prototype.each = Array.prototype.forEach;
      Object.prototype.granted = true;""",
}
INLINE = """<script type="text/plain" data-consent="statistics">
  document.documentElement.dataset.reached = "ran";</script>"""
PAGE = """<!doctype html><html lang="nl"><head><meta charset="utf-8"><title>t</title>
<script>{script}</script><script src="/s/{site}/gate.js"></script></head><body><h1>t</h1>
<script type="text/plain" data-consent="statistics" data-src="https://www.{vendor}.com/tag.js">
</script><button type="button" onclick="document.title = 'pressed'">Press</button>{more}</body>
</html>"""


def serve(visitor: Visitor, address: str, script: str = "", more: str = "") -> None:
    """Puts a page there whose first script is given, and empty scripts at the vendor's."""
    body = PAGE.format(script=HANDLERS + script, site=SITE.site, vendor=VENDOR, more=more)
    visitor.context.route(address, lambda route: route.fulfill(content_type="text/html", body=body))
    visitor.context.route(
        f"https://www.{VENDOR}.com/**",
        lambda route: route.fulfill(content_type="text/javascript", body=""),
    )


def show(
    visitor: Visitor, kit: KitProcess, script: str = "", path: str = "/test-page", more: str = ""
) -> str:
    """Opens such a page; its address."""
    address = kit.address(SITE, path)
    serve(visitor, address, script, more)
    visitor.page.goto(address, wait_until="load")
    return address


def open_written(visitor: Visitor, kit: KitProcess, body: str, **headers: str) -> None:
    """Opens a page that is written out in the test."""
    address = kit.address(SITE, "/test-page")
    sent = {"content-type": "text/html", **headers}
    visitor.context.route(address, lambda route: route.fulfill(headers=sent, body=body))
    visitor.page.goto(address)


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_a_page_that_breaks_the_language_gets_neither_an_exception_nor_a_grant(
    kit: KitProcess, visitor: Visitor, breakage: str
) -> None:
    page = visitor.page
    show(visitor, kit, HASTE + BREAKAGES[breakage], more=INLINE)
    page.click("body > button")
    # What the kit does by itself, some of it seconds later.
    page.evaluate("() => new Promise((done) => rested(done))")

    assert page.title() == "pressed"
    assert page.locator("html").get_attribute("data-reached") is None
    assert visitor.errors == []
    assert visitor.witness.urls(VENDOR) == []
    assert visitor.witness.cookies() == {}


@pytest.mark.parametrize("breakage", ["fetch throws", "fetch returns nothing"])
def test_without_the_pages_fetch_a_choice_is_taken_and_recorded_by_the_next_page(
    kit: KitProcess, visitor: Visitor, breakage: str
) -> None:
    page = visitor.page
    show(visitor, kit, BREAKAGES[breakage])
    visitor.asked()
    with page.expect_request(f"**/www.{VENDOR}.com/tag.js"):
        page.click(".sb-first .sb-accept")
    page.wait_for_function("() => localStorage.getItem('slagboom-unsent')")
    made = visitor.decision()
    assert page.evaluate("() => reached") == []
    assert visitor.errors == []

    show(visitor, kit, path="/next-page")
    visitor.settled()
    [record] = kit.records(made["consent_id"])
    assert record["action"] == "accept_all"


def test_a_sandboxed_frame_asks_and_keeps_the_answer_for_as_long_as_it_is_there(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    inner, outer = kit.address(SITE, "/inner"), kit.address(SITE, "/outer")
    serve(visitor, inner)
    frame = f'<!doctype html><title>t</title><iframe sandbox="allow-scripts" src="{inner}">'
    visitor.context.route(outer, lambda route: route.fulfill(content_type="text/html", body=frame))
    page.goto(outer, wait_until="load")
    inside = page.frames[1]
    inside.locator(".sb-first").wait_for()
    assert visitor.witness.urls(VENDOR) == []
    with page.expect_request(f"**/www.{VENDOR}.com/tag.js"):
        inside.locator(".sb-first .sb-accept").click()
    inside.locator(".sb-withdraw").click()
    inside.wait_for_function("() => !slagboom.granted('statistics')")

    assert inside.evaluate("() => reached") == []
    assert visitor.errors == []
    assert visitor.witness.cookies() == {}


def test_without_a_line_an_answer_holds_and_is_recorded_once_there_is_one(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    address = show(visitor, kit)
    visitor.asked()
    visitor.context.set_offline(True)
    page.click(".sb-first .sb-accept")
    page.locator(".sb-first").wait_for(state="detached")
    made = visitor.decision()
    assert made["choices"]["statistics"]
    page.click(".sb-withdraw")
    page.wait_for_function("() => !slagboom.granted('statistics')")
    visitor.context.set_offline(False)
    page.goto(address, wait_until="load")
    visitor.settled()

    actions = [record["action"] for record in kit.records(made["consent_id"])]
    assert actions == ["accept_all", "withdraw"]
    assert page.evaluate("() => reached") == []
    assert visitor.errors == []


def test_where_there_is_no_room_left_the_answer_is_sent_from_memory(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    show(
        visitor,
        kit,
        """for (let size = 1 << 22; size; size >>= 1) {
          try { for (;;) localStorage.setItem(`k${localStorage.length}`, "x".repeat(size)); }
          catch { continue; }
        }""",
    )
    visitor.asked()
    with page.expect_response("**/decisions") as sent:
        page.click(".sb-first .sb-accept")

    assert sent.value.status == 201
    assert page.evaluate("() => localStorage.getItem('slagboom-unsent')") is None
    assert page.evaluate("() => reached") == []
    assert visitor.errors == []


@pytest.fixture
def keeping_visitor(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any]
) -> Iterator[Visitor]:
    """A visitor whose browser keeps pages for going back."""
    kept: Browser = browser_type.launch(
        **browser_type_launch_args, ignore_default_args=["--disable-back-forward-cache"]
    )
    person = Visitor(kept)
    yield person
    kept.close()


def test_a_page_from_the_back_forward_cache_follows_the_withdrawal(
    kit: KitProcess, keeping_visitor: Visitor
) -> None:
    visitor, page = keeping_visitor, keeping_visitor.page
    first = show(visitor, kit)
    visitor.answer("accept")
    page.evaluate("() => { window.mark = 'kept'; }")
    show(visitor, kit, path="/next-page")
    page.click(".sb-withdraw")
    visitor.settled()
    page.go_back(wait_until="commit")
    page.wait_for_function("() => !slagboom.granted('statistics')")

    assert page.url == first
    assert page.evaluate("() => window.mark") == "kept", "the page was loaded anew"
    assert page.locator(".sb-withdraw").count() == 0
    assert visitor.errors == []


@pytest.mark.parametrize("answered", [False, True], ids=["seen", "answered elsewhere"])
def test_a_page_that_nobody_sees_yet_is_counted_as_shown_once_it_is_seen(
    kit: KitProcess, visitor: Visitor, *, answered: bool
) -> None:
    """As a tab in the background, or a page that the browser prepares for a click that may come.

    No browser prepares a page while it is driven, so the page itself says that it is hidden.
    """
    page = visitor.page
    show(
        visitor,
        kit,
        """let hidden = true;
        Object.defineProperty(document, "hidden", { get: () => hidden });
        addEventListener("appear", () => {
          hidden = false;
          document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
        });""",
    )
    visitor.asked()
    visitor.witness.mark(page)
    assert visitor.witness.urls("/shown") == []

    if answered:
        other = visitor.context.new_page()
        other.goto(kit.address(SITE, "/test-page"), wait_until="load")
        visitor.witness.forget()
        # Prepared pages do not hear of what other tabs store.
        page.evaluate(
            "() => addEventListener('storage', (e) => e.stopImmediatePropagation(), true)"
        )
        other.locator(".sb-first .sb-reject").click()
        other.wait_for_function("() => slagboom.decision")
    page.evaluate("() => { dispatchEvent(new Event('appear')); }")
    visitor.witness.mark(page)

    assert len(visitor.witness.urls("/shown")) == (0 if answered else 1)
    if answered:
        page.locator(".sb-first").wait_for(state="detached")
    else:
        page.evaluate("() => { dispatchEvent(new Event('appear')); }")
        visitor.witness.mark(page)
        assert len(visitor.witness.urls("/shown")) == 1
    assert visitor.errors == []


def test_a_page_that_puts_its_own_list_of_sheets_in_place_gets_the_first_layers_style_again(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    own = "<script>document.adoptedStyleSheets = [new CSSStyleSheet()];</script>"
    show(visitor, kit, more=own)
    visitor.asked()
    place = "() => getComputedStyle(document.querySelector('.sb-first')).position"
    page.evaluate("() => { document.adoptedStyleSheets = []; }")
    page.wait_for_function(f"() => ({place})() === 'fixed'")

    assert page.evaluate("() => document.adoptedStyleSheets.length") == 1


def test_an_element_with_the_kits_name_keeps_no_visitor_from_being_asked(
    kit: KitProcess, visitor: Visitor
) -> None:
    body = (
        f'<!doctype html><html lang="nl"><title>t</title><body><h2 id="slagboom">Slagboom</h2>'
        f'<script>{HANDLERS}</script><script src="/s/{SITE.site}/gate.js"></script>'
    )
    open_written(visitor, kit, body)
    visitor.asked()
    visitor.answer("reject")

    assert visitor.page.evaluate("() => slagboom.granted('statistics')") is False
    assert visitor.page.evaluate("() => reached") == []


def test_the_address_of_the_script_may_carry_a_query_with_slashes(
    kit: KitProcess, visitor: Visitor
) -> None:
    body = (
        f'<!doctype html><html lang="nl"><title>t</title>'
        f'<script src="/s/{SITE.site}/gate.js?v=2026/11"></script><body>'
    )
    open_written(visitor, kit, body)
    visitor.asked()
    visitor.page.click(".sb-choose")
    visitor.page.locator("dialog[open]").wait_for()

    assert visitor.errors == []


def test_a_page_whose_tags_have_nonces_runs_no_marked_script_that_has_none(
    kit: KitProcess, visitor: Visitor
) -> None:
    inline = '<script type="text/plain" data-consent="statistics" {}>ran.push("{}")</script>'
    body = (
        '<!doctype html><html lang="nl"><title>t</title><script nonce="n">window.ran = [];</script>'
        f'<script nonce="n" src="/s/{SITE.site}/gate.js"></script><body><p>t</p>'
        + inline.format("", "injected")
        + inline.format('nonce="n"', "own")
        + "<p>t</p>"
    )
    policy = "script-src 'nonce-n' 'strict-dynamic'"
    open_written(visitor, kit, body, **{"content-security-policy": policy})
    visitor.answer("accept")
    visitor.page.wait_for_function("() => ran.length")

    assert visitor.page.evaluate("() => ran") == ["own"]


def test_a_marked_tag_keeps_what_the_page_does_when_it_has_loaded(
    kit: KitProcess, visitor: Visitor
) -> None:
    tag = (
        '<script type="text/plain" data-consent="statistics" id="{0}" {1} data-src="/{0}.js">'
        "</script>"
    )
    more = (
        tag.format("attribute", "onload=\"told.push('attribute')\"")
        + tag.format("listener", "")
        + tag.format("missing", "onerror=\"told.push('missing')\"")
        + "<script>window.told = [];"
        "listener.addEventListener('load', () => told.push('listener'));"
        "listener.onload = () => told.push('property');</script>"
    )
    visitor.context.route(
        "**/{attribute,listener}.js",
        lambda route: route.fulfill(content_type="text/javascript", body=""),
    )
    visitor.context.route("**/missing.js", lambda route: route.fulfill(status=404, body=""))
    show(visitor, kit, more=more)
    visitor.asked()
    assert visitor.page.evaluate("() => told") == []
    visitor.answer("accept")
    visitor.page.wait_for_function("() => told.length > 3")

    told = visitor.page.evaluate("() => told")
    assert sorted(told) == ["attribute", "listener", "missing", "property"]
