"""Holding tags back and releasing them: other tools' marks, templates, and tags nobody marked."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from conftest import COMPANIES, KitProcess, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

BOTH, MARKED, BLOCKED = COMPANIES
"""Kresoft's policy here takes other tools' marks, SOFT4DOC's blocks what is not marked, D Soft's
does both."""

PAGE = "/test/page"
VENDOR = "https://www.googletagmanager.com"
FILM = "https://www.youtube-nocookie.com/embed/slagboom001"
STILL = "https://i.ytimg.com/vi/slagboom001/hqdefault.jpg"
STRANGER = "https://cdn.unregistered.test"
ASYNC = '<script src="/s/{site}/gate.js" async></script>'
FIRST_IN_HEAD = '<script src="/s/{site}/gate.js"></script>'

FORMS = {
    "cookiebot": """
      <script type="text/plain" data-cookieconsent="statistics" src="{vendor}/1.js"></script>
      <script type="text/plain" data-cookieconsent="necessary,statistics">ran("2")</script>
      <iframe data-cookieconsent="statistics" data-cookieblock-src="{vendor}/3.html"></iframe>""",
    "onetrust": """
      <script type="text/plain" class="optanon-category-C0002" src="{vendor}/1.js"></script>
      <script type="text/plain" class="a optanon-category-C0001-C0002">ran("2")</script>
      <iframe class="optanon-category-C0002" data-src="{vendor}/3.html"></iframe>""",
    "vanilla-cookieconsent": """
      <script type="text/plain" data-category="analytics" data-src="{vendor}/1.js"></script>
      <script type="text/plain" data-category="analytics" data-type="module">ran("2")</script>""",
    "klaro": """
      <script type="text/plain" data-type="application/javascript" data-name="matomo"
        data-src="{vendor}/1.js"></script>
      <script type="text/plain" data-name="matomo">ran("2")</script>
      <iframe data-name="matomo" data-src="{vendor}/3.html"></iframe>""",
    "orejime": """
      <template data-purpose="analytics"><script src="{vendor}/1.js"></script>
        <script>ran("2")</script><iframe src="{vendor}/3.html"></iframe></template>""",
}
# The browser's look-ahead may fetch the file of a tag that stands in the page's own text, though it
# never runs; so nothing is said here about requests for parsed.js.
UNMARKED = f"""
  <script src="/own.js"></script>
  <script src="{STRANGER}/other.js"></script>
  <script src="{VENDOR}/parsed.js"></script>
  <script>
    const script = document.createElement("script");
    script.src = "{VENDOR}/inserted.js";
    script.type = "text/javascript";
    document.head.append(script);
    const late = document.head.appendChild(document.createElement("script"));
    late.setAttribute("src", "{VENDOR}/late.js");
    new Image().src = "{VENDOR}/pixel.gif";
    const frame = document.createElement("iframe");
    frame.src = "{FILM}";
    addEventListener("DOMContentLoaded", () => {{
      document.body.insertBefore(frame, null);
      document.body.insertAdjacentHTML("beforeend", "<img alt='' src='{STILL}?html'>");
    }});
    window.ran("inline");
  </script>
  <img alt="" src="{STILL}?parsed" loading="lazy">
"""


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KitProcess]:
    process = KitProcess(tmp_path_factory.mktemp("kit"))
    for company, lines in (
        (MARKED, f"markup: [{', '.join(FORMS)}]\nmarkup_categories: {{matomo: google-analytics}}"),
        (BLOCKED, "markup: [orejime]\nauto_block: true"),
        (BOTH, "markup: [cookiebot]\nauto_block: true"),
    ):
        with (process.policies / f"{company.site}.yaml").open("a") as file:
            file.write(f"\n{lines}\n")
    with process:
        yield process


def show(
    visitor: Visitor,
    address: str,
    body: str,
    *,
    gate: str = ASYNC,
    headers: dict[str, str] | None = None,
) -> None:
    """Opens that address with that body. Its scripts report to `order`, each by its file's name."""
    page = visitor.page
    site = urlsplit(address).netloc.partition(".")[0]
    script = gate.format(site=site)
    html = f'<!doctype html><html lang="en"><head>{script}<title>t</title></head><body>{body}'
    page.add_init_script("window.order = []; window.ran = (name) => order.push(name);")
    for pattern in (f"{VENDOR}/*.js", f"{STRANGER}/*.js", "**/own*.js"):
        visitor.context.route(
            pattern,
            lambda route: route.fulfill(
                content_type="text/javascript",
                body=f"ran({route.request.url.rpartition('/')[2].removesuffix('.js')!r})",
            ),
        )
    page.route(
        address,
        lambda route: route.fulfill(
            headers={"content-type": "text/html", **(headers or {})}, body=html
        ),
    )
    visitor.open(address)
    visitor.asked()


def ran(visitor: Visitor, *names: str) -> list[str]:
    """What has run on the page, in order, once the named ones have."""
    visitor.page.wait_for_function(
        "names => names.every((name) => order.includes(name))", arg=list(names)
    )
    visitor.witness.mark(visitor.page)
    order: list[str] = visitor.page.evaluate("() => order")
    return order


def warnings_of(visitor: Visitor) -> list[str]:
    said: list[str] = []
    visitor.page.on(
        "console", lambda entry: said.append(entry.text) if entry.type == "warning" else None
    )
    return said


@pytest.mark.parametrize("tool", FORMS)
def test_tags_marked_for_another_tool_follow_the_same_rules(
    kit: KitProcess, visitor: Visitor, tool: str
) -> None:
    show(visitor, kit.address(MARKED, PAGE), FORMS[tool].format(vendor=VENDOR))
    assert ran(visitor) == []
    assert visitor.witness.urls(VENDOR) == []

    visitor.answer("accept")

    assert ran(visitor, "1", "2") == ["1", "2"]
    assert bool(visitor.witness.urls("/3.html")) == ("3.html" in FORMS[tool])


def test_another_tools_category_without_a_counterpart_is_held_back_and_named(
    kit: KitProcess, visitor: Visitor
) -> None:
    said = warnings_of(visitor)
    body = """<script type="text/plain" data-cookieconsent="marketing">ran("no")</script>
      <script type="text/plain" data-category="constructor">ran("no")</script>"""
    show(visitor, kit.address(MARKED, PAGE), body)
    visitor.answer("accept")

    assert ran(visitor) == []
    assert sum("is no purpose or service" in text for text in said) == 2
    assert any('"marketing"' in text for text in said)


def test_a_template_opens_in_order_where_only_nonces_and_trusted_types_run(
    kit: KitProcess, visitor: Visitor
) -> None:
    nonce = 'nonce="n0nce"'
    body = f"""<template data-consent="statistics"><p id="shown">text</p>
        <script {nonce}>ran("1")</script><script {nonce} src="{VENDOR}/2.js"></script>
        <script {nonce}>ran("3")</script></template>
      <template data-consent="statistics"><script {nonce} src="{STRANGER}/no.js"></script>
        <script {nonce}>ran("no")</script></template>"""
    policy = "script-src 'nonce-n0nce'; require-trusted-types-for 'script'; trusted-types slagboom"
    gate = ASYNC.replace("<script", f"<script {nonce}")
    headers = {"content-security-policy": policy}
    show(visitor, kit.address(MARKED, PAGE), body, gate=gate, headers=headers)
    assert ran(visitor) == []
    assert visitor.page.locator("#shown").count() == 0

    visitor.answer("accept")

    assert ran(visitor, "3") == ["1", "2", "3"]
    assert visitor.page.locator("#shown").count() == 1
    assert visitor.witness.urls(STRANGER) == []
    assert visitor.errors == []


def test_a_frame_from_a_template_ends_with_the_withdrawal(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    show(
        visitor,
        kit.address(BLOCKED, PAGE),
        f'<template data-consent="youtube"><iframe title="f" src="{FILM}"></iframe></template>',
    )
    visitor.answer("accept")
    page.locator(f'iframe[src="{FILM}"]').wait_for()
    page.click(".sb-withdraw")
    page.locator(".sb-embed").wait_for()

    assert page.locator("iframe").get_attribute("src") is None


def test_unmarked_tags_of_registered_hosts_wait_when_the_gate_stands_first(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    show(visitor, kit.address(BLOCKED, PAGE), UNMARKED, gate=FIRST_IN_HEAD)

    assert sorted(ran(visitor, "inline", "own", "other")) == ["inline", "other", "own"]
    assert visitor.witness.urls("/inserted.js") == []
    assert visitor.witness.urls("/late.js") == []
    assert visitor.witness.urls("/pixel.gif") == []
    assert visitor.witness.urls("youtube") == []
    assert visitor.witness.urls("ytimg") == []
    page.locator(".sb-embed").wait_for()

    visitor.answer("accept")
    released = ran(visitor, "parsed", "inserted", "late")

    assert sorted(released) == ["inline", "inserted", "late", "other", "own", "parsed"]
    page.locator(f'iframe[src="{FILM}"]').wait_for()
    page.locator(f'img[src="{STILL}?parsed"]').wait_for(state="attached")
    page.locator(f'img[src="{STILL}?html"]').wait_for(state="attached")
    # What was to be told before the grant is not told after it.
    assert visitor.witness.urls("/pixel.gif") == []
    assert visitor.errors == []


def test_a_blocked_frame_may_be_shown_once(kit: KitProcess, visitor: Visitor) -> None:
    page = visitor.page
    show(
        visitor,
        kit.address(BLOCKED, PAGE),
        f'<iframe title="f" src="{FILM}"></iframe>',
        gate=FIRST_IN_HEAD,
    )
    page.locator(".sb-embed").wait_for()
    visitor.witness.mark(page)
    # The parser had begun to open it; nothing of it came to be.
    assert not any(FILM in frame.url for frame in page.frames)

    with page.expect_response(FILM):
        page.click(".sb-embed .sb-once")

    assert visitor.decision() is None
    # It stands where the placeholder stood, and the keyboard's place is there.
    page.locator(".sb-embed").wait_for(state="detached")
    assert page.locator("iframe").is_visible()
    assert page.evaluate("() => document.activeElement.tagName") == "IFRAME"
    visitor.answer("reject")
    page.locator(".sb-embed").wait_for()
    assert page.locator("iframe").get_attribute("src") is None


def test_a_frame_on_the_page_delays_the_question_by_no_request(
    kit: KitProcess, visitor: Visitor
) -> None:
    """What asks stands behind the gate: nothing of it is fetched once more."""
    body = f'<iframe title="f" data-consent="youtube" data-src="{FILM}"></iframe>{FIRST_IN_HEAD}'
    show(visitor, kit.address(BLOCKED, PAGE), body.format(site=BLOCKED.site), gate="")
    visitor.page.locator(".sb-embed").wait_for()

    assert visitor.witness.urls("/choice-") == []
    assert visitor.witness.urls("/first-") == []
    assert visitor.witness.urls("youtube") == []


def test_a_frame_follows_what_was_allowed_in_another_tab(kit: KitProcess, visitor: Visitor) -> None:
    page = visitor.page
    body = f'<iframe title="f" data-consent="youtube" data-src="{FILM}"></iframe>'
    show(visitor, kit.address(BLOCKED, PAGE), body)
    visitor.answer("reject")
    page.locator(".sb-embed").wait_for()
    other = visitor.context.new_page()
    other.goto(kit.address(BLOCKED))
    other.locator(".sb-reopen").wait_for()
    other.evaluate("() => slagboom.accept()")

    page.locator(f'iframe[src="{FILM}"]').wait_for()
    page.locator(".sb-embed").wait_for(state="detached")
    other.evaluate("() => slagboom.withdraw()")
    page.locator(".sb-embed").wait_for()
    assert page.locator("iframe").get_attribute("src") is None


def test_one_placeholder_stands_whatever_language_the_page_has_come_to(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    body = f'<iframe title="f" data-consent="youtube" data-src="{FILM}"></iframe>'
    show(visitor, kit.address(BLOCKED, PAGE), body)
    page.locator(".sb-embed").wait_for()
    page.evaluate("() => { document.documentElement.lang = 'fr'; }")
    visitor.answer("reject")
    visitor.witness.mark(page)

    assert page.locator(".sb-embed").count() == 1


def test_a_marked_element_of_another_kind_changes_nothing(
    kit: KitProcess, visitor: Visitor
) -> None:
    body = f"""<div data-consent="statistics" data-src="{VENDOR}/no.js"></div>
      <video data-consent="statistics" data-src="{VENDOR}/no.mp4"></video>
      <svg data-consent="statistics"><script data-consent="statistics">void 0</script></svg>
      <img alt="" data-consent="statistics" data-src="/own-pixel.gif">"""
    show(visitor, kit.address(MARKED, PAGE), body)
    visitor.answer("accept")
    visitor.page.locator("img[src]").wait_for(state="attached")

    assert visitor.page.locator("video[src], div[src]").count() == 0
    assert visitor.witness.urls("/no.") == []
    assert visitor.errors == []


def test_a_service_withdrawn_on_the_page_is_blocked_from_then_on(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    show(visitor, kit.address(BLOCKED, PAGE), "", gate=FIRST_IN_HEAD)
    insert = f"""name => document.head.append(Object.assign(document.createElement("script"),
        {{src: `{VENDOR}/${{name}}.js`}}))"""
    visitor.answer("accept")
    page.evaluate(insert, "granted")
    assert ran(visitor, "granted") == ["granted"]
    page.click(".sb-withdraw")
    page.wait_for_function("() => !slagboom.granted('google-analytics')")
    page.evaluate(insert, "withdrawn")

    assert ran(visitor) == ["granted"]
    assert visitor.witness.urls("/withdrawn.js") == []


def test_a_gate_that_cannot_block_says_so(kit: KitProcess, visitor: Visitor) -> None:
    said = warnings_of(visitor)
    show(visitor, kit.address(BLOCKED, PAGE), "")

    assert any("auto_block" in text and "async" in text for text in said)


def test_tags_that_are_not_held_back_are_named_once_in_the_console(
    kit: KitProcess, visitor: Visitor
) -> None:
    said = warnings_of(visitor)
    body = f"""
      <script data-consent="statistics" src="/own-1.js"></script>
      <script src="{VENDOR}/2.js"></script>
      <script src="/own-3.js"></script>
      <script src="{STRANGER}/4.js"></script>
      <iframe title="f" data-consent="statistics" data-src="https://:bad"></iframe>"""
    with visitor.page.expect_console_message(lambda entry: "not marked" in entry.text):
        show(visitor, kit.address(MARKED, PAGE), body)
        ran(visitor, "own-1", "2", "own-3", "4")
    visitor.answer("accept")
    visitor.page.click(".sb-withdraw")
    visitor.page.locator(".sb-withdraw").wait_for(state="detached")
    visitor.witness.mark(visitor.page)

    loose = [text for text in said if "not held back" in text]
    assert len(loose) == 2
    assert any("text/plain" in text for text in loose)
    assert any("google-analytics is not granted" in text for text in loose)
    assert visitor.errors == []


@pytest.mark.parametrize(
    "mark",
    ['data-consent="youtube"', 'data-purpose="youtube" data-contextual'],
    ids=["own mark", "Orejime's mark"],
)
def test_a_frame_in_a_held_template_has_a_placeholder_and_opens_in_its_place(
    kit: KitProcess, visitor: Visitor, mark: str
) -> None:
    page = visitor.page
    inside = f'<div id="inside"><iframe title="f" src="{FILM}"></iframe></div><iframe></iframe>'
    show(visitor, kit.address(BLOCKED, PAGE), f"<template {mark}>{inside}</template>")
    page.locator(".sb-embed").wait_for()
    visitor.witness.mark(page)
    assert visitor.witness.urls(FILM) == []
    with page.expect_response(FILM):
        page.click(".sb-embed .sb-once")
    assert visitor.decision() is None
    visitor.answer("reject")
    page.locator(".sb-embed").wait_for()

    visitor.page.evaluate("() => slagboom.accept()")
    page.locator(f'#inside iframe[src="{FILM}"]').wait_for()

    assert page.locator("iframe").count() == 2
    assert page.locator(".sb-embed").count() == 0
    assert visitor.errors == []


def test_a_script_that_would_never_be_released_is_named(kit: KitProcess, visitor: Visitor) -> None:
    body = '<script data-consent="statistics" data-src="/own-1.js"></script>'
    with visitor.page.expect_console_message(lambda entry: "never released" in entry.text):
        show(visitor, kit.address(MARKED, PAGE), body)


def test_a_pixel_and_a_stylesheet_that_nobody_marked_are_named(
    kit: KitProcess, visitor: Visitor
) -> None:
    said = warnings_of(visitor)
    body = f"""<img alt="" src="{VENDOR}/pixel.gif"><img alt="" src="/own.png">
      <link rel="stylesheet" href="{VENDOR}/style.css"><link rel="canonical" href="{VENDOR}/">"""
    with visitor.page.expect_console_message(lambda entry: "not marked" in entry.text):
        show(visitor, kit.address(MARKED, PAGE), body)
    visitor.witness.mark(visitor.page)

    assert sum("google-analytics is not granted" in text for text in said) == 2


@pytest.mark.parametrize("tool", ["cookiebot", "onetrust"])
def test_what_another_tools_mark_released_earns_no_warning(
    kit: KitProcess, visitor: Visitor, tool: str
) -> None:
    said = warnings_of(visitor)
    body = FORMS[tool].format(vendor=VENDOR) + f'<script src="{VENDOR}/loose.js"></script>'
    # Said of another tag: by then what is to be said of these has been.
    with visitor.page.expect_console_message(lambda entry: "not marked" in entry.text):
        show(visitor, kit.address(MARKED, PAGE), body)
    visitor.answer("accept")
    ran(visitor, "1", "2")
    visitor.settled()

    assert sum("held back" in text for text in said) == 1


def test_a_tag_that_cookiebot_is_told_to_ignore_runs_at_once(
    kit: KitProcess, visitor: Visitor
) -> None:
    said = warnings_of(visitor)
    vendor = "https://cdn.leadinfo.net"
    visitor.context.route(
        f"{vendor}/test-*.js",
        lambda route: route.fulfill(body="ran(document.currentScript.dataset.n)"),
    )
    body = f"""
      <script data-cookieconsent="ignore" data-n="ignored" src="{vendor}/test-1.js"></script>
      <script data-n="held" src="{vendor}/test-2.js"></script>"""
    show(visitor, kit.address(BOTH, PAGE), body, gate=FIRST_IN_HEAD)

    assert ran(visitor, "ignored") == ["ignored"]
    visitor.answer("accept")
    assert ran(visitor, "held") == ["ignored", "held"]
    assert not any("data-cookieconsent" in text or "held back" in text for text in said)


@pytest.mark.parametrize("button", ["accept", "reject"])
def test_what_waits_for_a_refusal_runs_on_one_and_on_nothing_else(
    kit: KitProcess, visitor: Visitor, button: str
) -> None:
    body = """<script type="text/plain" data-category="!analytics">ran("refused")</script>
      <script type="text/plain" data-category="analytics">ran("granted")</script>
      <script type="text/plain" data-category="!nobody">ran("no")</script>"""
    show(visitor, kit.address(MARKED, PAGE), body)
    assert ran(visitor) == []

    visitor.answer(button)

    expected = "granted" if button == "accept" else "refused"
    assert ran(visitor, expected) == [expected]
    visitor.page.reload()
    assert ran(visitor, expected) == [expected]


def test_elements_that_cookiebot_shows_by_category_are_switched(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    body = """<p class="cookieconsent-optout-statistics">out</p>
      <p class="cookieconsent-optin-statistics" style="display: none">in</p>
      <p class="a cookieconsent-optin-necessary">always</p>
      <p class="cookieconsent-optin-marketing">never</p>"""
    texts = """() => [...document.querySelectorAll("p")].filter((p) => p.checkVisibility())
      .map((p) => p.textContent).filter((text) => /^[a-z]+$/.test(text)).join()"""
    show(visitor, kit.address(MARKED, PAGE), body)
    page.wait_for_function(f"({texts})() === 'out,always'")

    visitor.answer("accept")
    page.wait_for_function(f"({texts})() === 'in,always'")
    page.evaluate(
        """() => document.body.insertAdjacentHTML("beforeend",
          '<p class="cookieconsent-optout-statistics">late</p>')"""
    )
    assert page.evaluate(texts) == "in,always"
    page.click(".sb-withdraw")
    page.wait_for_function(f"({texts})() === 'out,always,late'")


def test_where_the_policy_does_not_name_cookiebot_its_classes_mean_nothing(
    kit: KitProcess, visitor: Visitor
) -> None:
    body = '<p id="p" class="cookieconsent-optin-statistics">shown</p>'
    show(visitor, kit.address(BLOCKED, PAGE), body)

    assert visitor.page.locator("#p").is_visible()


def test_a_stylesheet_marked_for_klaro_waits_and_loads(kit: KitProcess, visitor: Visitor) -> None:
    page = visitor.page
    address = f"{VENDOR}/klaro.css"
    body = f'<link rel="stylesheet" data-name="matomo" data-href="{address}">'
    show(visitor, kit.address(MARKED, PAGE), body)
    visitor.witness.mark(page)
    assert visitor.witness.urls(address) == []

    with page.expect_request(address):
        visitor.answer("accept")


def test_nothing_done_before_the_grant_is_told_after_it(kit: KitProcess, visitor: Visitor) -> None:
    page = visitor.page
    show(
        visitor,
        kit.address(MARKED, PAGE),
        '<button onclick="window.gtag?.(`event`, `early`)">b</button>',
    )
    page.click("body > button")
    with page.expect_request(lambda request: "/g/collect" in request.url):
        visitor.answer("accept")
    with page.expect_request(lambda request: "en=late" in request.url):
        page.evaluate("() => gtag('event', 'late')")
    visitor.witness.mark(page)

    assert visitor.witness.urls("en=early") == []


def test_what_a_page_told_google_before_the_grant_is_not_reported_after_it(
    local_kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    hits: list[str] = []
    page.on("request", lambda request: "/g/collect" in request.url and hits.append(request.url))
    visitor.open(local_kit.address(COMPANIES[1]))
    visitor.asked()
    page.evaluate(
        """() => {
          window.dataLayer = window.dataLayer || [];
          window.gtag = function () { dataLayer.push(arguments); };
          gtag("config", "G-DEMO000000");
          gtag("event", "told_before");
        }"""
    )

    with page.expect_response("**/g/collect?*en=page_view*"):
        visitor.answer("accept")
    with page.expect_response("**/g/collect?*en=told_after*"):
        page.evaluate("gtag('event', 'told_after')")

    assert not [hit for hit in hits if "told_before" in hit]
