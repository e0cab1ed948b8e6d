"""Tools that act for the visitor: they find the refusal, hide what they like, and strand nobody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from conftest import COMPANIES, KitProcess, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

AUTOCONSENT = Path(__file__).parent / "vendor" / "autoconsent.playwright.js"
SITE = COMPANIES[2]
# The languages for which the tool has patterns of its own, and in which it looks for a question.
LANGUAGES = ("nl", "en", "fr", "de", "es", "pl")
# As a browser sets the tool up where no rule of its list knows the site: without any rule.
SETTINGS = """
  window.messages = [];
  window.autoconsentSendMessage = async (message) => {
    messages.push(message);
    await null;
    if (message.type === "init") await autoconsentReceiveMessage({
      type: "initResp", rules: { autoconsent: [] },
      config: { isMainWorld: true, heuristicMode: "reject" },
    });
  };"""
PAGE = """<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>t</title>
<script src="/s/{site}/gate.js" async></script></head><body><h1>Title</h1>
<iframe data-consent="youtube" data-src="https://www.youtube-nocookie.com/embed/slagboom001"
title="A film"></iframe><button type="button" onclick="document.title = 'pressed'">Press</button>
<p style="height: 4000px">Text</p></body></html>"""
# Filter lists hide by style sheets of the user's, which win over any of the page and the kit. So
# does this, and nothing else that a page can do.
HIDE = "(element) => element.style.setProperty('display', 'none', 'important')"
# What the names in generic hiding and blocking rules are made of, by reading in EasyList Cookie
# (easylist_cookie_general_hide.txt at 83eae474, where .sb- begins four rules: each goes on with
# one of these). The list is under the GPL or CC BY-SA, and so is not kept here.
HIDDEN_WORDS = (
    *("cookie", "cooki", "kooki", "coocki", "cook", "ciastecz", "suti", "cerez", "kakor", "galet"),
    *("consent", "consens", "einwilligung", "toestemming", "zgod", "souhlas", "permission"),
    *("gdpr", "rgpd", "dsgvo", "avg-", "lgpd", "ccpa", "rodo", "gpdr", "cnil", "eprivacy", "tcf"),
    *("privacy", "privac", "datenschutz", "data-protection", "policy", "legal", "terms", "law"),
    *("cmp", "ccm", "cc-", "cky", "cli-", "ot-sdk", "onetrust", "usercentrics", "didomi", "klaro"),
    *("banner", "popup", "pop-up", "modal", "overlay", "lightbox", "toast", "snackbar", "sticky"),
    *("notice", "notification", "disclaimer", "hinweis", "melding", "aviso", "bandeau", "alert"),
    *(
        "tracking",
        "optin",
        "opt-in",
        "agree",
        "acceptance",
        "gate-",
        "interstitial",
        "tarteaucitron",
    ),
)
NAMES = """() => {
  const inside = "#slagboom, #slagboom *, .sb-embed, .sb-embed *";
  return [...document.querySelectorAll(inside)].flatMap((element) =>
    [element.localName, ...[...element.attributes]
      .filter(({ name }) => !["href", "download", "name", "lang"].includes(name))
      .map(({ name, value }) => `${name}=${value}`)]);
}"""


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KitProcess]:
    """SOFT4DOC's policy in the languages of the tool."""
    process = KitProcess(tmp_path_factory.mktemp("kit"))
    yaml = YAML()
    file = process.policies / f"{SITE.site}.yaml"
    policy = yaml.load(file)
    policy["languages"] = list(LANGUAGES)
    used = [file.parent / "services" / f"{service['id']}.yaml" for service in policy["services"]]
    for path in (file, *used):
        document = policy if path == file else yaml.load(path)
        translate(document)
        yaml.dump(document, path)
    process.start()
    yield process
    process.stop()


def translate(node: Any) -> None:
    """Says each text of a policy or service in the languages it lacks too, in English words."""
    for child in (
        node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    ):
        translate(child)
    if isinstance(node, dict) and "en" in node:
        for language in LANGUAGES:
            node.setdefault(language, node["en"])


def show(visitor: Visitor, kit: KitProcess, language: str = "en") -> None:
    address = kit.address(SITE, f"/{language}/test-page")
    html = PAGE.format(language=language, site=SITE.site)
    visitor.page.route(address, lambda route: route.fulfill(content_type="text/html", body=html))
    visitor.open(address)


def assert_page_is_free(visitor: Visitor) -> None:
    """The page scrolls and answers, and nothing has been granted."""
    page = visitor.page
    page.mouse.move(600, 300)
    page.mouse.wheel(0, 500)
    page.wait_for_function("() => scrollY > 0")
    page.evaluate("() => scrollTo(0, 0)")
    page.click("main button, body > button")
    assert page.title() == "pressed"
    assert visitor.decision() is None
    visitor.witness.mark(page)
    assert visitor.witness.urls("googletagmanager") == []
    assert visitor.witness.urls("youtube") == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusing_tool_finds_the_button_without_a_rule_and_is_recorded(
    kit: KitProcess, visitor: Visitor, language: str
) -> None:
    page = visitor.page
    page.add_init_script(SETTINGS)
    page.add_init_script(AUTOCONSENT.read_text("utf-8"))
    show(visitor, kit, language)
    page.wait_for_function("() => messages.some(({ type }) => type === 'autoconsentDone')")
    visitor.settled()
    said = page.evaluate(
        "() => Object.fromEntries(messages.map((message) => [message.type, message]))"
    )

    assert said["popupFound"]["cmp"] == "HEURISTIC-REJECT"
    assert said["optOutResult"]["result"]
    assert said["autoconsentDone"]["totalClicks"] == 1
    (record,) = kit.records(visitor.decision()["consent_id"])
    assert (record["action"], record["layer"], record["language"]) == (
        "reject_all",
        "first",
        language,
    )
    assert set(record["choices"].values()) == {False}
    assert page.locator(".sb-first").count() == 0


@pytest.mark.parametrize("hidden", ["#slagboom", ".sb-first"])
def test_who_has_the_question_hidden_is_not_held_up(
    kit: KitProcess, visitor: Visitor, hidden: str
) -> None:
    show(visitor, kit)
    visitor.asked()
    visitor.page.locator(hidden).evaluate(HIDE)

    assert_page_is_free(visitor)


@pytest.mark.parametrize("hidden", ["#slagboom", "dialog.sb-second"])
@pytest.mark.parametrize("when", ["while it is open", "before it opens"])
def test_a_hidden_second_layer_gives_the_page_back(
    kit: KitProcess, visitor: Visitor, hidden: str, when: str
) -> None:
    page = visitor.page
    show(visitor, kit)
    visitor.asked()
    page.click(".sb-choose")
    page.locator("dialog[open]").wait_for()
    if when == "before it opens":
        page.keyboard.press("Escape")
        page.locator(hidden).evaluate(HIDE)
        page.evaluate("() => slagboom.open()")
    else:
        page.locator(hidden).evaluate(HIDE)
    page.locator("dialog[open]").wait_for(state="detached")

    assert_page_is_free(visitor)


def test_the_open_second_layer_locks_no_scrolling(kit: KitProcess, visitor: Visitor) -> None:
    page = visitor.page
    show(visitor, kit)
    visitor.asked()
    styles = """() => [document.documentElement, document.body].map((element) =>
      [element.style.cssText, element.className, getComputedStyle(element).overflow])"""
    before = page.evaluate(styles)
    page.click(".sb-choose")
    page.locator("dialog[open]").wait_for()

    assert page.evaluate(styles) == before
    page.mouse.move(20, 20)
    page.mouse.wheel(0, 500)
    page.wait_for_function("() => scrollY > 0")


def test_no_name_holds_a_word_that_generic_hiding_rules_look_for(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    show(visitor, kit)
    visitor.asked()
    page.locator(".sb-embed").wait_for()
    page.click(".sb-choose")
    page.locator("dialog[open]").wait_for()
    names = page.evaluate(NAMES)
    page.click("dialog .sb-accept")
    page.locator(".sb-withdraw").wait_for()
    names += page.evaluate(NAMES)
    paths = [
        address.partition(f"{SITE.site}.localhost")[2] for address in visitor.witness.urls("/s/")
    ]

    assert len(paths) >= 3
    for name in {*names, *paths}:
        if not name.startswith(("aria-label=", "src=")):
            assert [word for word in HIDDEN_WORDS if word in name.lower()] == [], name
