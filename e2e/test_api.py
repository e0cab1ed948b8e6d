"""What a site's own scripts can do with the kit: early, late, with an interface of their own."""

from __future__ import annotations

import itertools
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conftest import KitProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Company, Visitor

DOCUMENT = Path(__file__).parents[1] / "docs" / "api.md"
GATE = '<script src="/s/{site}/gate.js"></script>'
EARLY = """<script>
  window.said = [];
  window.slagboom = window.slagboom || [];
  slagboom.push((kit) => {
    said.push("first", kit.decision);
    for (const name of ["ask", "open", "close", "change"]) {
      kit.on(name, ({ detail }) => said.push(name, detail.language, !!detail.decision));
    }
    kit.ready.then(({ choices }) => said.push("ready", choices));
  });
</script>"""
MISTAKE = """<script>
  slagboom.push(() => { throw new Error("the page's own mistake"); });
  slagboom.push(() => said.push("second"));
</script>"""
REFUSED = """(answer) => {
  try { slagboom.decide(answer ?? undefined); } catch (error) { return `${error}`; }
}"""
EXCEPTION = """exceptions:
  - rule: advanced-consent-mode
    service: google-analytics
    reason: A test weighs the pings.
    reviewed_by: Test
    reviewed_on: 2026-11-21
theme: plain
"""


def change(kit: KitProcess, site: str, old: str, new: str) -> None:
    policy = kit.policies / f"{site}.yaml"
    text = policy.read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    policy.write_text(text.replace(old, new), "utf-8")


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KitProcess]:
    """D Soft as it is, Kresoft with its own interface, Soft4Doc in advanced consent mode."""
    process = KitProcess(tmp_path_factory.mktemp("kit"))
    change(process, "kresoft", "theme: plain\n", "theme: plain\ninterface: none\n")
    change(process, "soft4doc", "theme: plain\n", EXCEPTION)
    change(process, "soft4doc", "purposes:\n", "google_consent: {mode: advanced}\npurposes:\n")
    with process:
        yield process


def visit(visitor: Visitor, kit: KitProcess, company: Company, *head: str) -> None:
    """Opens a page of the company's site whose head is the test's own."""
    page = "".join(head).replace("{site}", company.site)
    html = f"<!doctype html><html lang=nl><title>Page</title>{page}<body><main>Text</main>"
    visitor.page.route(
        "**/own-page", lambda route: route.fulfill(content_type="text/html", body=html)
    )
    visitor.open(kit.address(company, "/own-page"))


def example(heading: str) -> str:
    """The HTML example under a heading of the documentation, for the site of the test."""
    section = DOCUMENT.read_text("utf-8").partition(f"\n## {heading}\n")[2]
    html = re.search(r"^```html\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    assert html, heading
    return html[1].replace("https://consent.example.be/s/example/", "/s/{site}/")


def test_what_the_page_wanted_before_the_script_came_is_done_in_order(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    page = visitor.page
    visit(visitor, kit, companies["dsoft"], EARLY, MISTAKE, GATE)
    visitor.asked()

    assert page.evaluate("() => said") == ["first", None, "second", "ask", "nl", False]
    assert visitor.errors == ["the page's own mistake"]
    page.evaluate("() => { said.length = 0; slagboom.push(() => said.push('late')); }")
    page.click(".sb-choose")
    page.locator("dialog[open]").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_function("() => said.includes('close')")
    assert page.evaluate("() => said") == ["late", "open", "nl", False, "close", "nl", False]
    page.evaluate("() => { said.length = 0; }")
    visitor.answer("accept")

    assert page.evaluate("() => said") == ["ready", {"marketing": True}, "change", "nl", True]
    page.reload()
    page.wait_for_function("() => said.includes('ready')")
    assert page.evaluate("() => said.includes('ask')") is False


def test_what_the_api_is_told_is_done_soon_and_never_at_once(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    page = visitor.page
    visit(visitor, kit, companies["dsoft"], GATE)
    visitor.asked()
    answers = itertools.count(1)
    with page.expect_response(
        lambda answer: answer.url.endswith("/decisions") and next(answers) == 3
    ):
        states = page.evaluate(
            """() => {
              const isSeen = () => new Promise((done) => {
                const end = slagboom.on("change", () => {
                  end();
                  done(slagboom.granted("marketing"));
                });
              });
              slagboom.accept();
              const before = slagboom.granted("marketing");
              return isSeen().then((after) => [before, after]);
            }"""
        )
        assert states == [False, True]
        # Two in one breath: the last word counts, and both are recorded.
        page.evaluate("() => { slagboom.refuse(); slagboom.accept(); }")
    visitor.settled()
    decision = visitor.decision()
    assert decision is not None
    assert decision["choices"] == {"marketing": True}
    records = kit.records(decision["consent_id"])
    assert [record["action"] for record in records] == ["accept_all", "withdraw", "accept_all"]


def test_a_second_script_tag_changes_nothing_of_the_first(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    keep = "<script>window.first = slagboom</script>"
    visit(visitor, kit, companies["dsoft"], GATE, keep, GATE)
    visitor.asked()

    assert visitor.page.evaluate("() => first === slagboom && typeof first.granted") == "function"
    assert visitor.page.locator(".sb-first").count() == 1
    assert visitor.errors == []


def test_a_page_that_goes_on_without_loading_keeps_the_way_to_the_choice(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    page = visitor.page
    visit(visitor, kit, companies["dsoft"], GATE)
    visitor.asked()
    page.evaluate("""() => {
      history.pushState(null, "", "/next");
      document.body.replaceChildren(Object.assign(document.createElement("main"), {
        innerHTML: '<button data-slagboom="open">Kies</button><p id="old">Next</p>',
      }));
      document.documentElement.lang = "en";
    }""")
    page.locator(".sb-first[lang=en]").wait_for()
    visitor.answer("reject")
    page.evaluate("""() => {
      const tag = document.createElement("script");
      tag.type = "text/plain";
      tag.dataset.consent = "marketing";
      tag.text = "window.ran = true";
      document.body.append(tag);
      document.body.replaceWith(document.createElement("body"));
    }""")
    page.locator(".sb-reopen").wait_for()
    assert page.evaluate("() => window.ran") is None
    decision = visitor.decision()
    assert decision is not None
    [record] = kit.records(decision["consent_id"])
    # The words it was asked in: those of the language the page has come to.
    assert record["language"] == "en"

    page.click(".sb-reopen")
    page.locator('dialog[open][lang="en"]').wait_for()
    page.locator("dialog[open] .sb-close").click()
    page.evaluate("() => document.querySelector('#slagboom').remove()")
    page.evaluate("() => new Promise((done) => setTimeout(done))")
    # Who takes it away alone means it, and would for ever do so again.
    assert page.locator("#slagboom").count() == 0
    assert visitor.errors == []


def test_the_documented_stand_ins_may_be_called_before_the_script_is_there(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    page = visitor.page
    section = DOCUMENT.read_text("utf-8").partition(
        "\n## Before and after the script has loaded\n"
    )[2]
    stand_ins = re.findall(r"^```html\n(.*?)^```", section, re.DOTALL | re.MULTILINE)[1]
    early = """<script>
      window.said = [slagboom.granted("marketing"), slagboom.decision];
      const end = slagboom.on("ask", () => said.push("never"));
      end();
      slagboom.on("open", () => said.push("open"));
      slagboom.ready.then(({ choices }) => said.push(choices));
      slagboom.open();
    </script>"""
    visit(visitor, kit, companies["dsoft"], stand_ins, early, GATE)
    page.locator("dialog[open]").wait_for()
    assert page.evaluate("() => said") == [False, None, "open"]
    page.evaluate("() => slagboom.refuse()")
    page.wait_for_function("() => said.length > 3")

    assert page.evaluate("() => said[3]") == {"marketing": False}
    assert page.evaluate("() => [Array.isArray(slagboom), slagboom.granted('marketing')]") == [
        False,
        False,
    ]
    assert visitor.errors == []


OPENERS = {
    "in a menu that keeps its clicks": (
        "<nav><a href='#there' data-slagboom='open'>Choices</a></nav><script>"
        "document.querySelector('nav').onclick = (event) => event.stopPropagation();</script>"
    ),
    "in a component": (
        "<my-foot></my-foot><script>document.querySelector('my-foot').attachShadow({mode: 'open'})"
        ".innerHTML = '<a href=#there data-slagboom=open>Choices</a>';</script>"
    ),
    "around a picture": "<button data-slagboom='open'><b>Choices</b></button>",
}


@pytest.mark.parametrize("place", OPENERS)
def test_an_element_that_opens_the_choice_does_so_wherever_it_stands(
    kit: KitProcess, visitor: Visitor, companies: Any, place: str
) -> None:
    page = visitor.page
    visit(visitor, kit, companies["dsoft"], GATE, "<body>", OPENERS[place])
    visitor.answer("reject")
    page.get_by_text("Choices", exact=True).click()
    page.locator("dialog[open]").wait_for()

    assert "#there" not in page.url
    assert visitor.errors == []


def test_a_page_that_changes_its_language_is_asked_in_it_and_counted_once(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    page = visitor.page
    shown = []
    page.on(
        "request", lambda request: shown.append(request.url) if "/shown" in request.url else None
    )
    visit(visitor, kit, companies["dsoft"], GATE)
    visitor.asked()
    assert page.locator(".sb-first").get_attribute("lang") == "nl"
    page.evaluate("() => { document.documentElement.lang = 'en-GB'; }")
    page.locator(".sb-first[lang=en]").wait_for()

    assert page.locator(".sb-first").count() == 1
    visitor.answer("reject")
    page.evaluate("() => { document.documentElement.lang = 'nl'; }")
    page.locator("#slagboom[lang=nl] .sb-reopen").wait_for()
    assert page.locator(".sb-first").count() == 0
    assert len(shown) == 1


def test_a_site_draws_its_own_interface_on_the_kits_state(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    page = visitor.page
    visit(visitor, kit, companies["kresoft"], EARLY, GATE)
    page.wait_for_function("() => said.includes('ask')")
    notice = page.evaluate("() => slagboom.notice()")
    assert [purpose["id"] for purpose in notice["purposes"]] == ["necessary", "statistics"]
    assert notice["language"] == "nl"

    wrong: list[Any] = [
        None,
        {"purposes": {}},
        {"choices": {"necessary": False}},
        {"choices": {"statistics": 1}},
        {"services": {"nobody": True}},
        {"anonymise_ip": "no"},
    ]
    for answer in wrong:
        refused = page.evaluate(REFUSED, answer)
        assert refused.startswith("TypeError: slagboom.decide: ")
        assert refused.endswith("; nothing was decided")
    assert visitor.decision() is None
    assert visitor.witness.hosts(own="kresoft.localhost") == []
    assert page.locator(".sb-first, .sb-reopen:visible, .sb-withdraw:visible").count() == 0

    with page.expect_response("**/decisions") as response:
        page.evaluate("() => slagboom.decide({choices: {statistics: true}, anonymise_ip: false})")
    assert response.value.status == 201
    visitor.settled()
    decision = visitor.decision()
    assert decision is not None
    assert decision["choices"] == {"statistics": True}
    assert decision["services"] == {"google-analytics": True}
    assert decision["anonymise_ip"] is False
    lifetime = datetime.fromisoformat(decision["valid_until"]) - datetime.fromisoformat(
        decision["given_at"]
    )
    assert lifetime == timedelta(days=182)
    [record] = kit.records(decision["consent_id"])
    assert (record["layer"], record["action"]) == ("api", "save")
    page.wait_for_function("() => document.cookie.includes('_ga')")

    page.evaluate("() => slagboom.open()")
    page.locator("dialog[open]").wait_for()
    page.keyboard.press("Escape")
    page.evaluate("() => slagboom.decide({services: {'google-analytics': false}})")
    page.wait_for_function("() => !document.cookie.includes('_ga')")
    decision = visitor.decision()
    assert decision is not None
    assert decision["choices"] == {"statistics": False}
    assert decision["anonymise_ip"] is False
    assert page.locator(".sb-first, .sb-reopen:visible, .sb-withdraw:visible").count() == 0
    assert visitor.errors == []


def test_advanced_consent_mode_starts_denied_and_tells_each_answer(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    page = visitor.page
    told = """() => dataLayer.map((entry) => [...(entry.length ? entry : [])])
        .filter(([command]) => command === "consent" || command === "config")
        .map(([command, what, types]) => [command, command === "consent" ? what : "",
                                          (types || {}).analytics_storage || ""])"""
    start = ["consent", "default", "denied"]
    with page.expect_request("https://www.googletagmanager.com/**"):
        visit(visitor, kit, companies["soft4doc"], GATE)
    visitor.asked()
    assert page.evaluate(told) == [start, ["config", "", ""]]
    assert not page.evaluate("() => slagboom.granted('google-analytics')")

    visitor.answer("accept")
    granted, denied = (["consent", "update", state] for state in ("granted", "denied"))
    assert page.evaluate(told) == [start, ["config", "", ""], granted]
    page.reload()
    page.wait_for_function("() => window.dataLayer")
    assert page.evaluate(told) == [start, granted, ["config", "", ""]]
    page.evaluate("() => slagboom.withdraw()")
    page.wait_for_function("() => !slagboom.granted('statistics')")
    assert page.evaluate(told)[-1] == denied
    assert page.locator('script[src*="googletagmanager"]').count() == 1
    assert visitor.errors == []


def test_the_documented_page_runs_as_it_stands(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    page = visitor.page
    visit(visitor, kit, companies["dsoft"], example("Plain HTML"))
    visitor.asked()
    assert page.locator("#state").inner_text() == "Marketing is off"
    visitor.answer("accept")
    assert page.locator("#state").inner_text() == "Marketing is on"
    page.click("[data-slagboom=open]")
    page.locator("dialog[open]").wait_for()
    assert visitor.errors == []


def test_the_documented_container_is_told_once_of_each_answer(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    page = visitor.page
    told = """() => (window.dataLayer || []).filter(({ event }) => event === "choices")
        .map(({ choices }) => choices.statistics)"""
    visit(visitor, kit, companies["soft4doc"], example("Google Tag Manager"), GATE)
    visitor.asked()
    assert page.evaluate(told) == []

    visitor.answer("accept")
    assert page.evaluate(told) == [True]
    page.reload()
    page.wait_for_function(f"() => ({told})().length")
    assert page.evaluate(told) == [True]
    page.evaluate("() => slagboom.withdraw()")
    page.wait_for_function(f"() => ({told})().length > 1")
    visitor.settled()
    assert page.evaluate(told) == [True, False]


def test_the_documented_interface_of_ones_own_runs_as_it_stands(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    page = visitor.page
    visit(visitor, kit, companies["kresoft"], example("An interface of the site's own"), GATE)
    page.locator("#ask p").wait_for()
    assert page.locator("#ask p").inner_text().startswith("Statistieken: ")
    page.get_by_text("Accept").click()
    page.locator("#ask").wait_for(state="hidden")
    page.wait_for_function("() => slagboom.granted('statistics')")
    page.click("#again")
    page.get_by_text("Refuse").click()

    page.wait_for_function("() => !slagboom.granted('statistics')")
    assert visitor.errors == []
