"""Both layers as people meet them: fair, complete, by mouse, keyboard and small screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import KitProcess, Visitor

LOOKS = """(selector) => {
  const element = document.querySelector(selector);
  const box = element.getBoundingClientRect();
  const style = getComputedStyle(element);
  return {
    tag: element.tagName, width: Math.round(box.width), height: Math.round(box.height),
    background: style.backgroundColor, colour: style.color, border: style.border,
    size: style.fontSize, weight: style.fontWeight, family: style.fontFamily,
    radius: style.borderRadius, shadow: style.boxShadow, tab: element.tabIndex,
  };
}"""
IN_VIEW = """(selector) => {
  const box = document.querySelector(selector).getBoundingClientRect();
  return box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
}"""
HOSTILE = """
  * { all: unset !important; }
  button { background: red !important; font-size: 8px !important; display: none !important; }
  .sb-reject, dialog { opacity: 0.01 !important; transform: scale(0.1) !important; }
  section, div, p { color: white !important; float: left !important; }
"""


@pytest.mark.parametrize("width", [320, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accept_and_refuse_are_equal_and_in_view(
    kit: KitProcess, new_visitor: Any, company: Any, width: int, scheme: str
) -> None:
    visitor = new_visitor(viewport={"width": width, "height": 640}, color_scheme=scheme)
    visitor.open(kit.address(company))
    visitor.asked()

    accept, reject = (
        visitor.page.evaluate(LOOKS, f".sb-first .sb-{name}") for name in ("accept", "reject")
    )
    assert accept == reject
    for name in ("accept", "reject", "choose"):
        assert visitor.page.evaluate(IN_VIEW, f".sb-first .sb-{name}")
    assert visitor.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_the_first_layer_informs_and_never_blocks_the_page(
    kit: KitProcess, visitor: Visitor, company: Any
) -> None:
    page = visitor.page
    visitor.open(kit.address(company))
    visitor.asked()
    assert page.locator(".sb-control").is_hidden()
    words = page.locator(".sb-first").inner_text()
    notice = visitor.fetch(
        f"/s/{company.site}/notices/"
        + page.evaluate(
            """async () => {
              const gate = await fetch(document.querySelector("script[src*=gate]").src);
              const digest = RegExp(document.documentElement.lang + ':"([0-9a-f]{64})"');
              return (await gate.text()).match(digest)[1];
            }"""
        )
    )["document"]

    assert notice["controller"]["name"] in words
    for purpose in notice["purposes"]:
        assert (purpose["name"] in words) != purpose["necessary"]
    assert notice["texts"]["reopen"] in words
    page.evaluate("() => scrollTo(0, 400)")
    assert page.evaluate("() => scrollY") > 0
    assert page.evaluate("() => getComputedStyle(document.body).overflow") != "hidden"
    page.evaluate("() => scrollTo(0, 0)")
    page.locator("header a, nav a").nth(1).click()
    page.wait_for_load_state("load")
    visitor.asked()


def test_the_second_layer_tells_everything(kit: KitProcess, visitor: Visitor, company: Any) -> None:
    visitor.open(kit.address(company))
    visitor.asked()
    visitor.page.click(".sb-choose")
    visitor.page.locator("dialog[open]").wait_for()
    for summary in visitor.page.locator("dialog summary").all():
        summary.click()
    text = visitor.page.locator("dialog").inner_text()

    for pattern in ("slagboom", *company.cookies):
        assert pattern in text
    assert "unknown:" not in text
    assert "{" not in text
    links = visitor.page.locator("dialog a[target=_blank]")
    for link in links.all():
        assert link.get_attribute("rel") == "noopener noreferrer"
        assert (link.get_attribute("href") or "").startswith("https://")
    assert links.count() >= 2


@pytest.mark.parametrize(
    ("site", "language", "word"),
    [
        ("dsoft", "nl", "Weigeren"),
        ("dsoft", "en", "Refuse"),
        ("kresoft", "en", "Refuse"),
        ("soft4doc", "fr", "Refuser"),
    ],
)
def test_the_texts_follow_the_pages_language(  # noqa: PLR0913, PLR0917 -- fixtures and a row
    kit: KitProcess, visitor: Visitor, companies: Any, site: str, language: str, word: str
) -> None:
    visitor.open(kit.address(companies[site], f"/{language}/"))
    visitor.asked()

    assert visitor.page.locator("#slagboom").get_attribute("lang") == language
    assert visitor.page.locator(".sb-first .sb-reject").inner_text() == word


def test_the_keyboard_reaches_refuse_at_once_and_focus_returns(
    kit: KitProcess, visitor: Visitor, company: Any
) -> None:
    page = visitor.page
    visitor.open(kit.address(company))
    visitor.asked()
    focused = "() => document.activeElement.className"
    seen = []
    for _ in range(6):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(focused))
    assert any("sb-accept" in name for name in seen)
    assert any("sb-reject" in name for name in seen)

    page.focus(".sb-choose")
    page.keyboard.press("Enter")
    page.locator("dialog[open]").wait_for()
    for _ in range(60):
        page.keyboard.press("Tab")
        assert page.evaluate(
            """() => document.activeElement === document.body
                || !!document.activeElement.closest('dialog')"""
        )
    page.keyboard.press("Escape")
    page.locator("dialog[open]").wait_for(state="detached")
    assert "sb-choose" in page.evaluate(focused)
    assert visitor.decision() is None

    page.focus(".sb-first .sb-reject")
    with page.expect_response("**/decisions"):
        page.keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.className === 'sb-reopen'")
    page.keyboard.press("Enter")
    page.locator("dialog[open]").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.activeElement.className === 'sb-reopen'")


@pytest.mark.parametrize("when", ["before", "after"])
def test_hostile_styles_of_the_page_change_neither_button(
    kit: KitProcess, new_visitor: Any, companies: Any, when: str
) -> None:
    calm, rough = new_visitor(), new_visitor(bypass_csp=True)
    calm.open(kit.address(companies["kresoft"]))
    calm.asked()
    expected = [calm.page.evaluate(LOOKS, f".sb-{name}") for name in ("accept", "reject", "choose")]
    if when == "before":
        rough.context.add_init_script(
            f"""addEventListener("DOMContentLoaded", () => document.head.append(
              Object.assign(document.createElement("style"), {{textContent: {HOSTILE!r}}})))"""
        )
    rough.open(kit.address(companies["kresoft"]))
    rough.asked()
    if when == "after":
        rough.page.add_style_tag(content=HOSTILE)

    found = [rough.page.evaluate(LOOKS, f".sb-{name}") for name in ("accept", "reject", "choose")]

    assert found == expected
    rough.page.click(".sb-first .sb-reject")
    rough.page.locator(".sb-reopen").wait_for()


def test_the_kits_styles_change_nothing_of_the_page(
    kit: KitProcess, new_visitor: Any, company: Any
) -> None:
    without, with_kit = new_visitor(), new_visitor()
    without.context.route("**/gate.js", lambda route: route.abort())
    without.page.goto(kit.address(company), wait_until="load")
    with_kit.open(kit.address(company))
    with_kit.asked()
    measure = """() => [...document.querySelectorAll("main *, header *, footer *")]
        .filter((element) => !element.closest("#slagboom, .sb-embed, iframe"))
        .map((element) => [element.tagName, getComputedStyle(element).color,
                           getComputedStyle(element).font, getComputedStyle(element).margin])"""

    assert with_kit.page.evaluate(measure) == without.page.evaluate(measure)
    assert with_kit.page.evaluate("() => document.body.scrollWidth") == without.page.evaluate(
        "() => document.body.scrollWidth"
    )


def test_nothing_generic_hiding_lists_look_for_names_the_banner(
    kit: KitProcess, visitor: Visitor, company: Any
) -> None:
    visitor.open(kit.address(company))
    visitor.asked()
    names = visitor.page.evaluate(
        """() => [document.querySelector("#slagboom"), ...document.querySelectorAll("#slagboom *")]
            .flatMap((element) => [element.id, ...element.classList, element.getAttribute("name")])
            .filter(Boolean)"""
    )

    for name in [*names, *visitor.witness.urls("/s/")]:
        for word in ("cookie", "consent", "gdpr", "cc-", "cmp", "banner", "privacy"):
            assert word not in name.lower()


def test_a_nonce_is_all_the_page_has_to_give(
    kit: KitProcess, new_visitor: Any, companies: Any
) -> None:
    visitor = new_visitor()
    page = visitor.page
    policy = (
        "default-src 'self'; script-src 'nonce-n0nce'; style-src 'nonce-n0nce'; connect-src 'self'"
        " https://www.google-analytics.com; require-trusted-types-for 'script'"
    )

    def answer(route: Any) -> None:
        # Playwright's own client resolves names by the system, which may not know *.localhost.
        host = f"kresoft.localhost:{kit.port}"
        response = route.fetch(
            url=f"http://127.0.0.1:{kit.port}/nl/", headers={**route.request.headers, "host": host}
        )
        body = (
            response.text()
            .replace("<script", '<script nonce="n0nce"')
            .replace("<link rel", '<link nonce="n0nce" rel')
        )
        headers = {**response.headers, "content-security-policy": policy}
        route.fulfill(status=200, headers=headers, body=body)

    page.route("**/nl/", answer)
    visitor.open(kit.address(companies["kresoft"], "/nl/"))
    visitor.asked()
    looks = page.evaluate(LOOKS, ".sb-accept")
    visitor.answer("accept")
    page.wait_for_function("() => document.cookie.includes('_ga')")

    assert looks["height"] >= 44
    assert page.locator('#own-tag[data-state="complete"]').count() == 1
    assert visitor.errors == []


def test_a_page_cannot_repaint_one_button_alone(
    kit: KitProcess, new_visitor: Any, companies: Any
) -> None:
    visitor = new_visitor(bypass_csp=True)
    visitor.open(kit.address(companies["kresoft"]))
    visitor.asked()
    before = visitor.page.evaluate(LOOKS, ".sb-first .sb-reject")
    visitor.page.add_style_tag(
        content="#slagboom .sb-reject { --sb-accent: #fff; --sb-on-accent: #fff }"
    )

    assert visitor.page.evaluate(LOOKS, ".sb-first .sb-reject") == before
