"""The journeys of the main job, for each company: what the browser shows and what it must not."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Company, KitProcess, Visitor


def own(company: Company) -> str:
    return f"{company.site}.localhost"


def vendor_cookies(visitor: Visitor) -> list[str]:
    return [
        name
        for name in visitor.witness.cookies()
        if any(fnmatch.fnmatch(name, pattern) for pattern in ("_ga*", "_gid", "_gat*", "_li_*"))
    ]


def await_vendor(visitor: Visitor, company: Company) -> None:
    """Waits until the company's tag has run and stored its cookie."""
    visitor.page.wait_for_function("name => document.cookie.includes(name)", arg=company.cookies[0])


def stop_being_asked(visitor: Visitor) -> None:
    assert visitor.page.locator(".sb-first").count() == 0


def test_nothing_happens_before_a_choice(
    kit: KitProcess, visitor: Visitor, company: Company
) -> None:
    page, witness = visitor.page, visitor.witness

    visitor.open(kit.address(company))
    visitor.asked()
    page.evaluate("() => new Promise((done) => requestIdleCallback(done))")
    page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
    page.keyboard.press("Escape")
    page.mouse.click(5, 5)
    witness.mark(page)
    visitor.open(kit.address(company, company.other_page))
    visitor.asked()
    page.keyboard.press("Escape")
    witness.mark(page)

    assert witness.hosts(own=own(company)) == []
    assert witness.cookies() == {}
    assert witness.stored(page) == []
    assert visitor.decision() is None
    assert not page.evaluate(f"() => slagboom.granted('{company.service}')")
    assert witness.urls("/decisions") == []
    assert visitor.errors == []
    assert witness.violations() == []


def test_accepting_starts_the_vendor_and_is_remembered(
    kit: KitProcess, visitor: Visitor, company: Company
) -> None:
    visitor.open(kit.address(company))
    visitor.answer("accept")
    await_vendor(visitor, company)

    assert set(company.vendor_hosts) <= set(visitor.witness.hosts(own=own(company)))
    stop_being_asked(visitor)
    assert visitor.errors == []
    assert visitor.witness.violations() == []

    visitor.witness.forget()
    visitor.open(kit.address(company, company.other_page))
    visitor.page.locator(".sb-reopen").wait_for()
    await_vendor(visitor, company)
    visitor.witness.mark(visitor.page)

    assert set(company.vendor_hosts) <= set(visitor.witness.hosts(own=own(company)))
    stop_being_asked(visitor)
    assert visitor.witness.urls("/first-") == visitor.witness.urls("/second-") == []
    assert visitor.witness.urls("/decisions") == []


def test_refusing_keeps_everything_shut_on_every_page(
    kit: KitProcess, visitor: Visitor, company: Company
) -> None:
    visitor.open(kit.address(company))
    visitor.answer("reject")

    for path in ("/", company.other_page, "/"):
        visitor.open(kit.address(company, path))
        visitor.page.locator(".sb-reopen").wait_for()
        visitor.witness.mark(visitor.page)
        stop_being_asked(visitor)

    assert visitor.witness.hosts(own=own(company)) == []
    assert list(visitor.witness.cookies()) == ["slagboom"]
    assert visitor.witness.stored(visitor.page) == []
    assert len(visitor.witness.cookies()["slagboom"]) < 200
    assert visitor.page.locator(".sb-withdraw").is_hidden()


def test_withdrawing_takes_one_click_and_stops_everything_at_once(
    kit: KitProcess, visitor: Visitor, company: Company
) -> None:
    page = visitor.page
    visitor.open(kit.address(company))
    visitor.answer("accept")
    await_vendor(visitor, company)
    consent_id = visitor.decision()["consent_id"]

    with page.expect_response("**/decisions"):
        page.click(".sb-withdraw")
    page.wait_for_function(
        "() => slagboom.decision && !Object.values(slagboom.decision.choices).some(Boolean)"
    )
    page.wait_for_load_state("load")
    page.locator(".sb-withdraw").wait_for(state="hidden")
    visitor.witness.mark(page)
    visitor.witness.forget()
    page.mouse.wheel(0, 2000)
    page.mouse.click(5, 5)
    page.evaluate("() => dispatchEvent(new Event('scroll'))")
    visitor.witness.mark(page)

    assert vendor_cookies(visitor) == []
    assert visitor.witness.hosts(own=own(company)) == []

    visitor.open(kit.address(company, company.other_page))
    visitor.witness.mark(page)

    assert vendor_cookies(visitor) == []
    assert visitor.witness.hosts(own=own(company)) == []
    assert [record["action"] for record in kit.records(consent_id)] == ["accept_all", "withdraw"]


def test_the_record_equals_the_choice_and_what_was_shown(
    kit: KitProcess, visitor: Visitor, company: Company
) -> None:
    page = visitor.page
    visitor.open(kit.address(company))
    visitor.asked()
    shown = page.locator(".sb-first").inner_text()
    visitor.answer("accept")
    decision = visitor.decision()
    (record,) = kit.records(decision["consent_id"])

    assert record["decision_id"] == decision["decision_id"]
    assert record["site"] == company.site
    assert record["action"] == "accept_all"
    assert record["layer"] == "first"
    assert record["language"] == company.language
    assert record["choices"] == decision["choices"]
    assert record["services"] == decision["services"]
    assert all(record["choices"].values())
    assert record["given_at"][:19] == decision["given_at"][:19]
    assert record["origin"] == kit.address(company, "")
    assert record["ip"] is None

    notice = visitor.fetch(f"/s/{company.site}/notices/{record['notice']}")
    texts = notice["document"]["texts"]
    for key in ("first_title", "first_intro", "accept", "reject", "choose"):
        assert texts[key] in shown
    mine = visitor.fetch(f"/s/{company.site}/records/{decision['consent_id']}")
    assert [one["decision_id"] for one in mine["records"]] == [decision["decision_id"]]


def test_the_server_keeps_no_address_and_no_user_agent(
    kit: KitProcess, new_visitor: Any, company: Company
) -> None:
    visitor = new_visitor(user_agent="Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0 Telltale/42")
    visitor.open(kit.address(company))
    visitor.answer("accept")

    kept = b"".join(file.read_bytes() for file in kit.database.parent.glob("*") if file.is_file())

    assert company.site.encode() in kept
    for trace in (b"203.0.113", b"Telltale", b"Mozilla/5.0"):
        assert trace not in kept


def test_a_new_revision_asks_again_and_says_what_changed(
    own_kit: KitProcess, visitor: Visitor, company: Company
) -> None:
    visitor.open(own_kit.address(company))
    visitor.answer("accept")
    await_vendor(visitor, company)
    consent_id = visitor.decision()["consent_id"]
    raise_revision(own_kit, company)
    own_kit.reload("policies reloaded")
    visitor.expire_cache()
    visitor.witness.forget()

    visitor.open(own_kit.address(company))
    visitor.asked()
    visitor.witness.mark(visitor.page)

    assert "REVISED-TEXT" in visitor.page.locator(".sb-first").inner_text()
    assert visitor.witness.hosts(own=own(company)) == []
    assert visitor.decision() is None

    visitor.answer("reject")
    first, second = own_kit.records(consent_id)

    assert (first["revision"], second["revision"]) == (1, 2)
    assert second["previous"] == first["decision_id"]
    assert first["notice"] != second["notice"]


def raise_revision(kit: KitProcess, company: Company) -> None:
    """Publishes revision 2 with a note in each of the policy's languages."""
    file = kit.policies / f"{company.site}.yaml"
    text = file.read_text()
    languages = [part.strip() for part in text.split("languages: [")[1].split("]")[0].split(",")]
    what = "".join(f"\n      {language}: REVISED-TEXT" for language in languages)
    text = text.replace("\nrevision: 1\n", "\nrevision: 2\n")
    text = text.replace("\neffective: 2026-11-21\n", "\neffective: 2026-12-01\n")
    change = f"\nchanges:\n  - revision: 2\n    date: 2026-12-01\n    what:{what}\n"
    assert "\nchanges:\n" in text
    file.write_text(text.replace("\nchanges:\n", change))


def test_a_choice_expires_by_the_clock_and_not_before(
    kit: KitProcess, visitor: Visitor, company: Company
) -> None:
    visitor.open(kit.address(company))
    visitor.answer("accept")
    await_vendor(visitor, company)
    days = 24 * 60 * 60
    now = visitor.page.evaluate("() => Date.now() / 1000")

    visitor.page.clock.set_fixed_time(now + 181 * days)
    visitor.open(kit.address(company))
    visitor.page.locator(".sb-reopen").wait_for()
    stop_being_asked(visitor)
    visitor.witness.mark(visitor.page)
    visitor.witness.forget()
    visitor.page.clock.set_fixed_time(now + 183 * days)
    visitor.open(kit.address(company))
    visitor.asked()
    visitor.witness.mark(visitor.page)

    assert visitor.witness.hosts(own=own(company)) == []
    assert visitor.decision() is None


@pytest.mark.parametrize("button", ["accept", "reject"])
def test_an_answer_is_kept_while_the_server_is_down_and_sent_later(
    own_kit: KitProcess, visitor: Visitor, company: Company, button: str
) -> None:
    page = visitor.page
    visitor.open(own_kit.address(company))
    visitor.asked()
    own_kit.stop()
    with page.expect_event("requestfailed", lambda request: "/decisions" in request.url):
        page.click(f".sb-first .sb-{button}")
    decision = visitor.decision()

    stop_being_asked(visitor)
    assert page.evaluate(f"() => slagboom.granted('{company.service}')") == (button == "accept")
    assert visitor.witness.stored(page)[:1] == ["slagboom-unsent"]

    own_kit.start()
    with page.expect_response("**/decisions") as response:
        visitor.open(own_kit.address(company, company.other_page))
    # The page that goes may have been quicker than the one that comes.
    assert response.value.status in {200, 201}
    visitor.settled()

    (record,) = own_kit.records(decision["consent_id"])
    assert record["decision_id"] == decision["decision_id"]
    assert visitor.decision()["decision_id"] == decision["decision_id"]
    assert visitor.witness.stored(page) == []


def test_axe_finds_nothing_on_both_layers_and_beside_them(
    kit: KitProcess, visitor: Visitor, company: Company
) -> None:
    visitor.open(kit.address(company))
    visitor.asked()
    assert visitor.axe() == []

    visitor.page.click(".sb-choose")
    visitor.page.locator("dialog[open]").wait_for()
    for details in visitor.page.locator("dialog summary").all():
        details.click()
    assert visitor.axe() == []

    visitor.page.keyboard.press("Escape")
    visitor.answer("accept")
    assert visitor.axe() == []
