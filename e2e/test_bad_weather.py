"""Signals, tabs, broken cookies, missing parts: nothing is granted by accident."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from slagboom_e2e.driver import await_true

if TYPE_CHECKING:
    from conftest import KitProcess, Visitor

TURN_GPC_ON = (
    "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})"
)


def set_cookie(visitor: Visitor, site: str, value: str) -> None:
    visitor.context.add_cookies(
        [{"name": "slagboom", "value": value, "domain": f".{site}.localhost", "path": "/"}]
    )


def test_the_privacy_signal_is_a_refusal_until_an_explicit_choice(
    kit: KitProcess, new_visitor: Any, company: Any
) -> None:
    visitor = new_visitor()
    visitor.context.add_init_script(TURN_GPC_ON)
    with visitor.page.expect_response("**/decisions"):
        visitor.open(kit.address(company))
    visitor.page.locator(".sb-reopen").wait_for()
    visitor.witness.mark(visitor.page)

    assert visitor.page.locator(".sb-first").count() == 0
    assert visitor.witness.hosts(own=f"{company.site}.localhost") == []
    consent_id = visitor.decision()["consent_id"]

    visitor.page.click(".sb-reopen")
    with visitor.page.expect_response("**/decisions"):
        visitor.page.click("dialog .sb-accept")
    visitor.settled()
    visitor.open(kit.address(company))

    assert visitor.page.evaluate(f"() => slagboom.granted('{company.service}')")
    signalled, explicit = kit.records(consent_id)
    assert (signalled["action"], signalled["gpc"]) == ("gpc", True)
    assert not any(signalled["services"].values())
    assert (explicit["action"], explicit["gpc"]) == ("accept_all", True)


def test_every_tab_follows_the_choice_made_in_one(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    address = kit.address(companies["kresoft"])
    visitor.open(address)
    visitor.asked()
    other = visitor.context.new_page()
    other.goto(address)
    other.locator(".sb-first").wait_for()

    visitor.answer("accept")
    other.locator(".sb-first").wait_for(state="detached")
    other.wait_for_function("() => slagboom.granted('google-analytics')")

    other.click(".sb-withdraw")
    visitor.page.wait_for_function("() => !slagboom.granted('google-analytics')")
    visitor.page.wait_for_function("() => !document.cookie.includes('_ga')")
    decisions = [
        page.evaluate("() => slagboom.decision.decision_id") for page in (visitor.page, other)
    ]
    assert decisions[0] == decisions[1]


@pytest.mark.parametrize("damage", ["flipped", "cut", "foreign", "garbage", "older-format"])
def test_a_tampered_or_foreign_cookie_grants_nothing_and_asks(
    kit: KitProcess, new_visitor: Any, companies: Any, damage: str
) -> None:
    giver = new_visitor()
    other = "dsoft" if damage == "foreign" else "kresoft"
    giver.open(kit.address(companies[other]))
    giver.answer("reject" if damage == "flipped" else "accept")
    value = giver.witness.cookies()["slagboom"]
    parts = value.split(".")
    damaged = {
        "flipped": ".".join([*parts[:7], "1", "1", *parts[9:]]),
        "cut": value[:-3],
        "foreign": value,
        "garbage": "%00<script>" + "1" * 3000,
        "older-format": ".".join(["0", *parts[1:]]),
    }[damage]
    visitor = new_visitor()
    set_cookie(visitor, "kresoft", damaged)

    visitor.open(kit.address(companies["kresoft"]))
    visitor.asked()
    visitor.witness.mark(visitor.page)

    assert visitor.decision() is None
    assert visitor.witness.hosts(own="kresoft.localhost") == []
    assert visitor.errors == []
    visitor.answer("accept")
    assert visitor.page.evaluate("() => slagboom.granted('google-analytics')")


def test_a_layer_that_does_not_load_grants_nothing_and_can_be_tried_again(
    kit: KitProcess, visitor: Visitor, company: Any
) -> None:
    visitor.context.route("**/second-*", lambda route: route.abort())
    visitor.open(kit.address(company))
    visitor.asked()
    with visitor.page.expect_event("requestfailed"):
        visitor.page.click(".sb-choose")
    visitor.witness.mark(visitor.page)

    assert visitor.decision() is None
    assert visitor.witness.hosts(own=f"{company.site}.localhost") == []
    assert visitor.witness.cookies() == {}
    assert visitor.errors == []

    visitor.context.unroute("**/second-*")
    visitor.page.click(".sb-choose")
    visitor.page.locator("dialog[open]").wait_for()


def test_a_page_in_a_language_that_did_not_come_along_asks_in_it(
    kit: KitProcess, new_visitor: Any, companies: Any
) -> None:
    visitor = new_visitor(locale="de-DE")
    visitor.open(kit.address(companies["soft4doc"], "/fr/"))
    visitor.asked()

    assert visitor.page.locator(".sb-first .sb-reject").inner_text() == "Refuser"
    assert len(visitor.witness.urls("/first-fr-")) == 1
    visitor.answer("reject")


def test_without_javascript_every_tag_stays_inert(
    kit: KitProcess, new_visitor: Any, company: Any
) -> None:
    visitor = new_visitor(java_script_enabled=False)
    visitor.page.goto(kit.address(company), wait_until="load")

    assert visitor.witness.hosts(own=f"{company.site}.localhost") == []
    assert visitor.witness.cookies() == {}
    assert visitor.page.locator("h1").is_visible()


@pytest.mark.parametrize("way", ["control", "api"])
def test_a_withdrawal_while_the_server_is_away_holds_and_is_recorded_later(
    kit: KitProcess, visitor: Visitor, companies: Any, way: str
) -> None:
    page = visitor.page
    address = kit.address(companies["kresoft"])
    visitor.open(address)
    visitor.answer("accept")
    given = visitor.decision()
    assert given is not None
    # The browser's copy of the gate still has what decides behind it.
    visitor.expire_cache()
    visitor.open(address)
    page.locator(".sb-withdraw").wait_for()
    visitor.witness.mark(page)
    visitor.context.route("**/s/kresoft/**", lambda route: route.abort())
    with page.expect_event("domcontentloaded"):
        page.evaluate(
            "way => way === 'api' ? slagboom.withdraw()"
            " : document.querySelector('.sb-withdraw').click()",
            way,
        )
        visitor.witness.forget()
    visitor.witness.mark(page)

    assert page.evaluate("() => 'slagboom' in window") is False
    assert visitor.witness.hosts(own="kresoft.localhost") == []
    visitor.context.unroute("**/s/kresoft/**")
    with page.expect_response("**/decisions"):
        visitor.open(address)
    visitor.settled()
    visitor.witness.mark(page)
    assert not page.evaluate("() => slagboom.granted('google-analytics')")
    assert visitor.witness.hosts(own="kresoft.localhost") == []
    assert page.locator(".sb-first, .sb-withdraw").count() == 0
    taken, withdrawn = kit.records(given["consent_id"])
    assert (taken["action"], withdrawn["action"]) == ("accept_all", "withdraw")
    assert withdrawn["previous"] == given["decision_id"]
    visitor.open(address)
    page.locator(".sb-reopen").wait_for()
    assert "_ga" not in visitor.witness.cookies()
    assert visitor.errors == []


def test_a_tab_that_cannot_fetch_what_decides_still_follows_a_withdrawal(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    address = kit.address(companies["kresoft"])
    visitor.open(address)
    visitor.answer("accept")
    visitor.expire_cache()
    other = visitor.context.new_page()
    other.goto(address)
    other.locator(".sb-withdraw").wait_for()
    visitor.context.route("**/choice-*", lambda route: route.abort())
    assert other.evaluate("() => slagboom.granted('google-analytics')")

    visitor.page.click(".sb-withdraw")
    other.wait_for_function("() => !slagboom.granted('google-analytics')")

    assert other.evaluate("() => slagboom.decision.choices.statistics") is False


def test_without_the_part_for_few_pages_a_choice_is_taken_and_withdrawn(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    page = visitor.page
    address = kit.address(companies["kresoft"])
    visitor.context.route("**/care-*", lambda route: route.abort())
    visitor.open(address)
    visitor.answer("accept")
    page.wait_for_function("() => document.cookie.includes('_ga')")
    with page.expect_response("**/decisions"):
        page.click(".sb-withdraw")
        page.wait_for_function("() => !slagboom.granted('google-analytics')")
    visitor.settled()
    decision = visitor.decision()
    assert decision is not None
    actions = [record["action"] for record in kit.records(decision["consent_id"])]
    assert actions == ["accept_all", "withdraw"]
    assert visitor.errors == []

    visitor.context.unroute("**/care-*")
    visitor.open(address)
    page.wait_for_function("() => !document.cookie.includes('_ga')")


@pytest.mark.parametrize("answer", ["accept", "reject"])
def test_a_visitor_who_has_decided_is_sent_the_gate_and_nothing_else(
    kit: KitProcess, visitor: Visitor, company: Any, answer: str
) -> None:
    visitor.open(kit.address(company))
    visitor.answer(answer)
    visitor.expire_cache()
    visitor.open(kit.address(company, company.other_page))
    visitor.page.locator(".sb-reopen").wait_for()
    visitor.witness.mark(visitor.page)
    before = len(visitor.witness.urls("/s/"))
    visitor.open(kit.address(company, company.other_page))
    visitor.page.locator(".sb-reopen").wait_for()
    visitor.witness.mark(visitor.page)

    assert [url.rpartition("/")[2] for url in visitor.witness.urls("/s/")[before:]] == ["gate.js"]


@pytest.mark.parametrize("goes_on", [True, False], ids=["to the next page", "away"])
def test_an_answer_given_on_the_way_out_is_kept_and_recorded(
    kit: KitProcess, visitor: Visitor, companies: Any, *, goes_on: bool
) -> None:
    page = visitor.page
    away = kit.address(companies["kresoft"], "/away")
    page.route(away, lambda route: route.fulfill(content_type="text/html", body="<p>bye"))
    target = kit.address(companies["kresoft"], "/nl/services") if goes_on else away
    visitor.open(kit.address(companies["kresoft"]))
    visitor.asked()
    page.evaluate(
        """target => {
          document.querySelector(".sb-accept").click();
          location.href = target;
        }""",
        target,
    )
    page.wait_for_url(target)
    if goes_on:
        page.wait_for_function("() => window.slagboom && slagboom.decision")
        visitor.settled()
    parts = visitor.witness.cookies()["slagboom"].split(".")
    consent_id, decision_id = parts[5:7]
    await_true(lambda: len(kit.records(consent_id)) == 1, "the record")

    [record] = kit.records(consent_id)
    assert (record["action"], record["decision_id"]) == ("accept_all", decision_id)


def test_a_page_that_goes_before_the_next_frame_still_sends_its_answer(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    visitor.open(kit.address(companies["kresoft"]))
    visitor.asked()
    sent = visitor.page.evaluate(
        """async () => {
          const sent = [];
          window.fetch = async (address) => sent.push(address);
          // No frame and no timer is left to this page.
          window.setTimeout = window.requestAnimationFrame = () => 0;
          document.querySelector(".sb-accept").click();
          dispatchEvent(new PageTransitionEvent("pagehide"));
          for (let turn = 0; turn < 9; turn += 1) await null;
          return sent;
        }"""
    )

    assert [address.rpartition("/")[2] for address in sent] == ["decisions"]


def test_a_decision_for_an_older_revision_is_recorded_as_it_was_made(
    own_kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    page = visitor.page
    address = own_kit.address(companies["kresoft"])
    visitor.context.route("**/decisions", lambda route: route.abort())
    visitor.open(address)
    visitor.asked()
    with page.expect_event("requestfailed"):
        page.click(".sb-first .sb-accept")
    made = visitor.decision()
    assert made is not None
    file = own_kit.policies / "kresoft.yaml"
    text = file.read_text("utf-8")
    head, change, rest = re.split(r"(changes:\n(?:  .*\n)+)", text, maxsplit=1)
    first = change.partition("\n")[2]
    later = re.sub(r"revision: 1\b", "revision: 2", first)
    head = re.sub(r"\nrevision: 1\n", "\nrevision: 2\n", head)
    file.write_text(head + change + later + rest, "utf-8")
    own_kit.reload("policies reloaded")
    visitor.context.unroute("**/decisions")
    visitor.expire_cache()

    with page.expect_response("**/decisions"):
        visitor.open(address)
    visitor.asked()
    visitor.settled()
    [record] = own_kit.records(made["consent_id"])
    assert record["decision_id"] == made["decision_id"]
    assert (record["revision"], record["services"]) == (1, made["services"])
    assert visitor.decision() is None
    visitor.answer("reject")
    assert [record["revision"] for record in own_kit.records(made["consent_id"])] == [1, 2]


def test_a_page_that_outlives_its_server_opens_its_own_second_layer_and_withdraws(
    own_kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    page = visitor.page
    visitor.open(own_kit.address(companies["kresoft"]))
    visitor.answer("accept")
    own_kit.stop()
    file = own_kit.policies / "kresoft.yaml"
    text = file.read_text("utf-8")
    colour = 'look:\n  layout: bar\n  light: {accent: "#5b2a86"}\n'
    assert "\nlook:" not in text
    file.write_text(text + colour, "utf-8")
    own_kit.start()

    with page.expect_response("**/second-*") as sent:
        page.click(".sb-reopen")
    assert sent.value.status == 200
    page.click("dialog[open] .sb-reject")
    visitor.settled()
    records = own_kit.records(visitor.decision()["consent_id"])
    assert [record["action"] for record in records] == ["accept_all", "withdraw"]
    visitor.witness.mark(page)
    assert visitor.witness.cookies().keys() == {"slagboom"}


def test_an_answer_before_the_page_is_whole_keeps_its_looks_and_its_focus(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    page = visitor.page
    address = kit.address(companies["kresoft"], "/slow-page")
    held = visitor.hold("**/slow.js")
    html = (
        '<!doctype html><html lang="nl"><head><script src="/s/kresoft/gate.js" async></script>'
        '<title>t</title></head><body><h1>t</h1><script src="/slow.js"></script><p>end</p>'
    )
    page.route(address, lambda route: route.fulfill(content_type="text/html", body=html))
    page.goto(address, wait_until="commit")
    visitor.asked()
    assert page.evaluate("() => document.readyState") == "loading"
    assert page.evaluate("() => getComputedStyle(document.querySelector('#slagboom')).display") == (
        "contents"
    )
    page.focus(".sb-first .sb-accept")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.className === 'sb-reopen'")
    assert page.evaluate("() => document.readyState") == "loading"
    held.pop().fulfill(content_type="text/javascript", body="")
    page.wait_for_load_state("load")

    assert page.locator(".sb-withdraw").is_visible()
    assert page.evaluate("() => document.activeElement.className") == "sb-reopen"


def test_a_tag_the_browser_refuses_takes_neither_the_choice_nor_other_tags_along(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    page = visitor.page
    address = kit.address(companies["kresoft"], "/strict-page")
    html = """<!doctype html><html lang="nl"><head>
      <script nonce="n0nce" src="/s/kresoft/gate.js" async></script><title>t</title></head><body>
      <script type="text/plain" nonce="n0nce" data-consent="statistics">window.no = true</script>
      <script type="text/plain" nonce="n0nce" data-consent="statistics">window.no = true</script>"""
    policy = "script-src 'nonce-n0nce'; require-trusted-types-for 'script'; trusted-types 'none'"
    headers = {"content-type": "text/html", "content-security-policy": policy}
    page.route(address, lambda route: route.fulfill(headers=headers, body=html))
    visitor.open(address)
    visitor.asked()
    page.click(".sb-first .sb-accept")
    page.locator(".sb-withdraw").wait_for()
    visitor.settled()

    decision = visitor.decision()
    assert decision is not None
    assert [record["action"] for record in kit.records(decision["consent_id"])] == ["accept_all"]
    assert "slagboom" in visitor.witness.cookies()
    assert visitor.errors == []
    visitor.open(address)
    page.locator(".sb-withdraw").click()
    page.wait_for_function("() => window.slagboom && !slagboom.granted('statistics')")


def test_refused_storage_lets_the_visitor_answer_all_the_same(
    kit: KitProcess, new_visitor: Any, companies: Any
) -> None:
    visitor = new_visitor()
    visitor.context.add_init_script(
        "for (const name of ['localStorage', 'sessionStorage'])"
        " Object.defineProperty(window, name, {get() {"
        " throw new DOMException('no', 'SecurityError'); }})"
    )
    visitor.open(kit.address(companies["kresoft"]))
    visitor.asked()
    with visitor.page.expect_response("**/decisions") as response:
        visitor.page.click(".sb-first .sb-accept")

    assert response.value.status == 201
    assert visitor.page.evaluate("() => slagboom.granted('google-analytics')")
    assert visitor.errors == []


def test_refused_cookies_hold_the_answer_for_the_page(
    kit: KitProcess, new_visitor: Any, companies: Any
) -> None:
    visitor = new_visitor()
    visitor.context.add_init_script(
        "Object.defineProperty(Document.prototype, 'cookie',"
        " {get() { throw new DOMException('no', 'SecurityError'); },"
        "  set() { throw new DOMException('no', 'SecurityError'); }})"
    )
    visitor.open(kit.address(companies["dsoft"]))
    visitor.asked()
    visitor.page.click(".sb-first .sb-reject")

    visitor.page.locator(".sb-reopen").wait_for()
    assert visitor.decision()["services"] == {"leadinfo": False}
    assert visitor.errors == []


def test_a_second_script_tag_changes_nothing(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    visitor.open(kit.address(companies["kresoft"]))
    visitor.asked()
    visitor.page.evaluate(
        """() => new Promise((done) => {
          const script = document.createElement("script");
          script.src = "/s/kresoft/gate.js?again";
          script.onload = done;
          document.head.append(script);
        })"""
    )

    assert visitor.page.locator("#slagboom").count() == 1
    assert visitor.page.locator(".sb-first").count() == 1


def test_subdomains_share_the_choice_by_the_cookies_scope(
    kit: KitProcess, visitor: Visitor, company: Any
) -> None:
    visitor.open(kit.address(company))
    visitor.answer("accept")
    decision = visitor.decision()

    visitor.open(kit.address(company, www=True))
    visitor.page.locator(".sb-reopen").wait_for()

    assert visitor.decision() == decision
    visitor.page.wait_for_function("name => document.cookie.includes(name)", arg=company.cookies[0])
    visitor.page.click(".sb-withdraw")
    visitor.page.wait_for_function(
        "name => window.slagboom && !document.cookie.includes(name)", arg=company.cookies[0]
    )
    visitor.open(kit.address(company))
    assert not visitor.page.evaluate(f"() => slagboom.granted('{company.service}')")


def test_the_server_lengthens_the_life_of_the_choice_cookie(
    kit: KitProcess, visitor: Visitor, company: Any
) -> None:
    visitor.open(kit.address(company))
    visitor.asked()
    with visitor.page.expect_response("**/decisions") as response:
        visitor.page.click(".sb-first .sb-reject")

    header = response.value.all_headers()["set-cookie"]
    assert header.split(";")[0] == f"slagboom={visitor.witness.cookies()['slagboom']}"
    assert f"Max-Age={182 * 86400}" in header


def test_a_late_answer_never_undoes_a_later_decision(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    """The answer to `accept` arrives after the withdrawal, with accept's cookie in it."""
    page = visitor.page
    held = visitor.hold("**/decisions")
    visitor.open(kit.address(companies["kresoft"]))
    visitor.asked()
    with page.expect_request("**/decisions"):
        page.click(".sb-first .sb-accept")
    page.click(".sb-withdraw")
    page.wait_for_function("() => !slagboom.granted('google-analytics')")

    with page.expect_response("**/decisions"):
        held.pop(0).continue_()
    page.wait_for_function("() => JSON.parse(localStorage['slagboom-unsent']).length === 1")
    visitor.context.unroute("**/decisions")
    visitor.open(kit.address(companies["kresoft"]))
    visitor.settled()
    visitor.witness.mark(page)

    assert not page.evaluate("() => slagboom.granted('google-analytics')")
    visitor.open(kit.address(companies["kresoft"]))
    assert not page.evaluate("() => slagboom.granted('google-analytics')")
    records = kit.records(visitor.decision()["consent_id"])
    assert [record["action"] for record in records] == ["accept_all", "withdraw"]


def test_a_late_answer_that_meets_the_next_page_brings_no_grant_back(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    page = visitor.page
    address = kit.address(companies["kresoft"])
    visitor.hold("**/decisions")
    visitor.open(address)
    visitor.asked()
    with page.expect_request("**/decisions"):
        page.click(".sb-first .sb-accept")
    page.click(".sb-withdraw")
    page.wait_for_function("() => JSON.parse(localStorage['slagboom-unsent']).length === 2")
    page.click(".sb-reopen")
    page.click("dialog .sb-reject")
    page.wait_for_function("() => JSON.parse(localStorage['slagboom-unsent']).length === 3")
    accepted = page.evaluate("() => JSON.parse(localStorage['slagboom-unsent'])[0][0]")
    # Between two pages the answer to `accept` sets its cookie again.
    page.goto("about:blank")
    visitor.context.clear_cookies(name="slagboom")
    set_cookie(visitor, "kresoft", accepted)
    visitor.context.unroute("**/decisions")

    visitor.open(address)
    visitor.settled()
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))")
    visitor.open(address)
    visitor.witness.mark(page)

    assert not page.evaluate("() => slagboom.granted('google-analytics')")
    assert visitor.witness.cookies()["slagboom"] != accepted
    assert "_ga" not in visitor.witness.cookies()
    assert visitor.errors == []


def test_a_withdrawal_does_not_wait_for_a_server_that_never_answers(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    page = visitor.page
    address = kit.address(companies["kresoft"])
    visitor.open(address)
    visitor.answer("accept")
    visitor.expire_cache()
    visitor.open(address)
    held = visitor.hold("**/choice-*")
    with page.expect_event("domcontentloaded"):
        page.click(".sb-withdraw")
    assert len(held) >= 1
    page.wait_for_function("() => window.slagboom && !slagboom.granted('google-analytics')")

    visitor.context.unroute("**/choice-*")
    visitor.open(address)
    page.locator(".sb-reopen").wait_for()
    assert page.locator(".sb-withdraw").count() == 0


def test_an_older_cookie_beside_it_does_not_undo_a_withdrawal(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    page = visitor.page
    address = kit.address(companies["kresoft"])
    visitor.open(address)
    visitor.answer("accept")
    # As a site leaves it that shares the choice among its subdomains from some day on.
    page.evaluate(
        "value => { document.cookie = value + '; path=/'; }",
        "slagboom=" + visitor.witness.cookies()["slagboom"],
    )
    visitor.expire_cache()
    visitor.open(address)
    visitor.context.route("**/choice-*", lambda route: route.abort())
    with page.expect_event("domcontentloaded"):
        page.click(".sb-withdraw")
    page.wait_for_function("() => window.slagboom && slagboom.decision")
    visitor.settled()

    assert not page.evaluate("() => slagboom.granted('google-analytics')")
    visitor.context.unroute("**/choice-*")
    visitor.open(address)
    assert not page.evaluate("() => slagboom.granted('google-analytics')")
    assert page.locator(".sb-first").count() == 0


def test_a_wrong_reload_keeps_the_old_policy_serving(
    own_kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    file = own_kit.policies / "kresoft.yaml"
    file.write_text(
        file.read_text().replace("legal_basis: consent", "legal_basis: legitimate_interest")
    )
    own_kit.reload("not reloaded")

    visitor.open(own_kit.address(companies["kresoft"]))
    visitor.answer("accept")

    output = own_kit.output.read_text()
    assert "kresoft.yaml:" in output
    assert "Traceback" not in output


def test_an_address_nobody_can_read_stops_neither_tags_nor_withdrawal(
    kit: KitProcess, new_visitor: Any, companies: Any
) -> None:
    visitor = new_visitor(bypass_csp=True)
    page = visitor.page
    visitor.open(kit.address(companies["dsoft"]))
    page.evaluate(
        """() => document.body.append(
          Object.assign(document.createElement("template"), {innerHTML: `
          <iframe data-consent="marketing" data-src="http://[bad"></iframe>
          <script type="text/plain" data-consent="marketing" data-src="https://[bad"></` + `script>
          <script type="text/plain" data-consent="marketing">window.ran = true</`
          + `script>`}).content)"""
    )
    visitor.answer("accept")
    page.wait_for_function("() => window.ran && document.cookie.includes('_li_id')")

    page.click(".sb-withdraw")
    page.wait_for_function("() => !window.ran && window.slagboom && slagboom.decision")
    page.wait_for_function("() => !document.cookie.includes('_li_id')")
    assert not page.evaluate("() => slagboom.granted('leadinfo')")
    assert visitor.errors == []


def test_garbage_in_the_kept_decisions_changes_nothing(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    for garbage in ("[1]", "{", '[{"decision_id": "x"}]', "[[]]", '"text"'):
        visitor.page.goto(kit.address(companies["kresoft"]))
        visitor.page.evaluate("text => localStorage.setItem('slagboom-unsent', text)", garbage)
        visitor.open(kit.address(companies["kresoft"]))
        visitor.asked()
    visitor.answer("accept")
    visitor.page.evaluate("() => localStorage.setItem('slagboom-unsent', '[1]')")
    visitor.open(kit.address(companies["kresoft"]))

    assert visitor.page.evaluate("() => slagboom.granted('google-analytics')")
    visitor.page.click(".sb-withdraw")
    visitor.page.wait_for_function("() => !slagboom.granted('google-analytics')")
    assert visitor.errors == []


def test_cookies_the_visitor_deletes_end_the_grant_in_open_tabs(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    visitor.open(kit.address(companies["kresoft"]))
    visitor.answer("accept")
    visitor.page.wait_for_function("() => document.cookie.includes('_ga')")
    visitor.context.clear_cookies()
    visitor.page.evaluate(
        """() => {
          window.told = [];
          for (const name of ["change", "ask"]) slagboom.on(name, () => told.push(name));
          document.dispatchEvent(new Event("visibilitychange", {bubbles: true}));
        }"""
    )

    visitor.asked()
    assert visitor.decision() is None
    # What a site shows at the one and hides at the other must be there now.
    assert visitor.page.evaluate("() => told") == ["change", "ask"]
    assert not visitor.page.evaluate("() => slagboom.granted('google-analytics')")


def test_the_way_to_the_choice_survives_a_page_that_builds_its_body_anew(
    kit: KitProcess, visitor: Visitor, companies: Any
) -> None:
    visitor.open(kit.address(companies["kresoft"]))
    visitor.answer("accept")
    visitor.page.evaluate("() => { document.body.innerHTML = '<main><h1>New</h1></main>'; }")
    visitor.page.locator(".sb-withdraw").click()

    visitor.page.wait_for_function("() => !slagboom.granted('google-analytics')")
    visitor.page.click(".sb-reopen")
    visitor.page.locator("dialog[open]").wait_for()
