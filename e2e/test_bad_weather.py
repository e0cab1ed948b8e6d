"""Signals, tabs, broken cookies, missing parts: nothing is granted by accident."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

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
    page.wait_for_function("() => window.slagboom && !document.cookie.includes('_li_id')")
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
    visitor.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")

    visitor.asked()
    assert visitor.decision() is None
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
