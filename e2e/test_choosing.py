"""Choosing part of it: one of two services, the address, an embed; and changing one's mind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import KitProcess, Visitor

GOOGLE = "www.googletagmanager.com"
COLLECT = "www.google-analytics.com"
FILM = "www.youtube-nocookie.com"


@pytest.fixture
def dsoft(companies: dict[str, Any]) -> Any:
    return companies["dsoft"]


@pytest.fixture
def kresoft(companies: dict[str, Any]) -> Any:
    return companies["kresoft"]


@pytest.fixture
def soft4doc(companies: dict[str, Any]) -> Any:
    return companies["soft4doc"]


def save(visitor: Visitor, **switches: bool) -> None:
    """Opens the second layer, sets the named switches and saves."""
    page = visitor.page
    if page.locator(".sb-first").count():
        page.click(".sb-choose")
    else:
        page.click(".sb-reopen")
    page.locator("dialog[open]").wait_for()
    for name, value in switches.items():
        page.locator(f'dialog input[name="{name}"]').set_checked(value)
    with page.expect_response("**/decisions") as response:
        page.click("dialog .sb-save")
    assert response.value.status == 201, response.value.text()
    visitor.settled()


def test_saving_untouched_switches_grants_nothing(
    kit: KitProcess, visitor: Visitor, company: Any
) -> None:
    visitor.open(kit.address(company))
    visitor.asked()
    visitor.page.click(".sb-choose")
    on = visitor.page.locator('dialog input:checked:not([name="anonymise_ip"])')

    assert on.count() == 0
    assert visitor.page.locator('dialog input[name="anonymise_ip"]').is_checked()

    visitor.page.keyboard.press("Escape")
    save(visitor)
    visitor.witness.mark(visitor.page)

    assert not any(visitor.decision()["services"].values())
    assert visitor.decision()["anonymise_ip"]
    assert visitor.witness.hosts(own=f"{company.site}.localhost") == []


@pytest.mark.parametrize("chosen", ["google-analytics", "youtube"])
def test_one_of_two_services_runs_alone(
    kit: KitProcess, visitor: Visitor, soft4doc: Any, chosen: str
) -> None:
    visitor.open(kit.address(soft4doc))
    save(visitor, **{f"service:{chosen}": True})
    runs, stays = (GOOGLE, FILM) if chosen == "google-analytics" else (FILM, GOOGLE)
    with visitor.page.expect_request(lambda request: runs in request.url):
        visitor.open(kit.address(soft4doc))
    visitor.witness.mark(visitor.page)

    hosts = visitor.witness.hosts(own="soft4doc.localhost")
    assert runs in hosts
    assert stays not in hosts
    (record,) = kit.records(visitor.decision()["consent_id"])
    assert record["services"] == {
        "google-analytics": chosen == "google-analytics",
        "youtube": chosen == "youtube",
    }
    assert record["action"] == "save"
    assert record["layer"] == "second"


def test_leadinfo_runs_only_with_the_full_address(
    kit: KitProcess, visitor: Visitor, dsoft: Any
) -> None:
    page = visitor.page
    visitor.open(kit.address(dsoft))
    save(visitor, **{"service:leadinfo": True, "anonymise_ip": True})
    visitor.open(kit.address(dsoft))
    page.locator(".sb-reopen").wait_for()
    visitor.witness.mark(page)

    assert visitor.decision()["services"] == {"leadinfo": True}
    assert not page.evaluate("() => slagboom.granted('leadinfo')")
    assert visitor.witness.hosts(own="dsoft.localhost") == []
    page.click(".sb-reopen")
    assert "volledige IP-adres" in page.locator("dialog").inner_text()
    page.keyboard.press("Escape")

    with page.expect_request(lambda request: "cdn.leadinfo.net/ping.js" in request.url):
        save(visitor, anonymise_ip=False)
    page.wait_for_function("() => document.cookie.includes('_li_id')")


def test_analytics_tells_google_nothing_more_than_was_granted(
    kit: KitProcess, visitor: Visitor, kresoft: Any
) -> None:
    visitor.open(kit.address(kresoft))
    with visitor.page.expect_request(lambda request: "/g/collect" in request.url) as hit:
        visitor.answer("accept")

    query = hit.value.url.partition("?")[2]
    assert "gcs=G101" in query
    assert "npa=1" in query
    assert "gclid" not in query
    visitor.witness.mark(visitor.page)
    google = set(visitor.witness.hosts(own="kresoft.localhost"))
    assert google == {GOOGLE, COLLECT}
    assert visitor.page.evaluate("() => window['ga-disable-G-DEMO000000']") is False
    commands = visitor.page.evaluate("() => dataLayer.map((entry) => [...entry].slice(0, 2))")
    assert commands[:3] == [
        ["consent", "default"],
        ["set", "ads_data_redaction"],
        ["consent", "update"],
    ]


def test_refusing_analytics_switches_googles_own_tag_off(
    kit: KitProcess, visitor: Visitor, kresoft: Any
) -> None:
    visitor.open(kit.address(kresoft))
    visitor.answer("reject")

    assert visitor.page.evaluate("() => window['ga-disable-G-DEMO000000']") is True
    assert visitor.page.evaluate("() => window.dataLayer") is None


def test_own_tags_are_released_in_order(kit: KitProcess, visitor: Visitor, kresoft: Any) -> None:
    visitor.open(kit.address(kresoft))
    visitor.asked()
    visitor.witness.mark(visitor.page)
    assert visitor.witness.urls("/own/") == []

    visitor.answer("accept")

    visitor.page.locator('#own-tag[data-state="complete"]').wait_for()


def test_a_tag_inserted_later_follows_the_same_rules(
    kit: KitProcess, visitor: Visitor, soft4doc: Any
) -> None:
    page = visitor.page
    visitor.open(kit.address(soft4doc))
    visitor.asked()
    page.click("#insert-tag")
    visitor.witness.mark(page)
    assert page.locator("#late-tag").get_attribute("data-state") == "held"

    visitor.answer("accept")
    page.locator('#late-tag[data-state="ran"]').wait_for()

    visitor.open(kit.address(soft4doc))
    page.click("#insert-tag")
    page.locator('#late-tag[data-state="ran"]').wait_for()


def test_an_embed_waits_behind_its_placeholder(
    kit: KitProcess, visitor: Visitor, soft4doc: Any
) -> None:
    page = visitor.page
    visitor.open(kit.address(soft4doc))
    page.locator(".sb-embed").wait_for()
    visitor.witness.mark(page)
    assert visitor.witness.urls("youtube") == []

    with page.expect_request(lambda request: f"{FILM}/embed/" in request.url):
        page.click(".sb-embed .sb-allow")
    visitor.settled()

    assert page.locator(".sb-embed").count() == 0
    assert visitor.witness.urls("www.youtube.com") == []
    assert not page.evaluate("() => slagboom.granted('google-analytics')")
    (record,) = kit.records(visitor.decision()["consent_id"])
    assert record["layer"] == "placeholder"
    assert record["services"] == {"google-analytics": False, "youtube": True}

    page.click(".sb-withdraw")
    page.locator(".sb-embed").wait_for()
    assert page.locator("iframe").get_attribute("src") is None


def test_reopening_shows_the_state_in_force(
    kit: KitProcess, visitor: Visitor, soft4doc: Any
) -> None:
    page = visitor.page
    visitor.open(kit.address(soft4doc))
    save(visitor, **{"service:youtube": True})
    visitor.open(kit.address(soft4doc, "/fr/"))

    page.click('[data-slagboom="open"]')
    page.locator("dialog[open]").wait_for()

    assert page.locator("dialog").get_attribute("aria-label")
    assert page.locator("#slagboom").get_attribute("lang") == "fr"
    assert page.locator('input[name="service:youtube"]').is_checked()
    assert not page.locator('input[name="service:google-analytics"]').is_checked()
    page.locator("dialog a[download]").wait_for()
    text = page.locator("dialog").inner_text()
    assert visitor.decision()["consent_id"] in text
    with page.expect_download() as download:
        page.click("dialog a[download]")
    assert visitor.decision()["consent_id"] in download.value.suggested_filename


def test_changing_ones_mind_keeps_one_consent_id_and_a_chain(
    kit: KitProcess, visitor: Visitor, soft4doc: Any
) -> None:
    visitor.open(kit.address(soft4doc))
    visitor.answer("reject")
    save(visitor, **{"purpose:statistics": True})
    save(visitor, **{"purpose:statistics": False})
    records = kit.records(visitor.decision()["consent_id"])

    assert [record["action"] for record in records] == ["reject_all", "save", "save"]
    assert [record["previous"] for record in records] == [
        None,
        records[0]["decision_id"],
        records[1]["decision_id"],
    ]


def test_a_script_still_on_its_way_at_the_withdrawal_never_runs(
    kit: KitProcess, visitor: Visitor, kresoft: Any
) -> None:
    page = visitor.page
    held = visitor.hold("**/own/statistics.js")
    visitor.open(kit.address(kresoft))
    visitor.asked()
    with page.expect_request("**/own/statistics.js"):
        page.click(".sb-first .sb-accept")
    page.click(".sb-withdraw")
    page.wait_for_function("() => !slagboom.granted('statistics')")
    with page.expect_event("requestfinished", lambda request: "/own/" in request.url):
        held[0].continue_()
    visitor.witness.mark(page)

    assert page.locator("#own-tag").get_attribute("data-state") not in {"complete", "wrong"}


def test_the_second_click_of_a_double_click_says_nothing_more(
    kit: KitProcess, visitor: Visitor, kresoft: Any
) -> None:
    page = visitor.page
    visitor.hold("**/own/statistics.js")
    visitor.open(kit.address(kresoft))
    visitor.asked()
    page.evaluate("""() => {
      for (const name of ["accept", "accept", "reject"]) {
        document.querySelector(`.sb-${name}`).click();
      }
    }""")
    visitor.settled()

    [record] = kit.records(visitor.decision()["consent_id"])
    assert record["action"] == "accept_all"
    assert len(visitor.witness.urls("/decisions")) == 1


def test_what_was_shown_once_ends_with_a_refusal_and_leaves_no_record(
    kit: KitProcess, visitor: Visitor, soft4doc: Any
) -> None:
    page = visitor.page
    visitor.open(kit.address(soft4doc))
    with page.expect_request(lambda request: f"{FILM}/embed/" in request.url):
        page.click(".sb-embed .sb-once")
    visitor.witness.mark(page)

    assert visitor.decision() is None
    assert visitor.witness.cookies() == {}
    assert visitor.witness.urls("/decisions") == []

    visitor.answer("reject")
    page.locator(".sb-embed").wait_for()
    assert page.locator("iframe").get_attribute("src") is None


def test_a_slow_script_is_waited_for_by_those_behind_it(
    kit: KitProcess, visitor: Visitor, kresoft: Any
) -> None:
    page = visitor.page
    held = visitor.hold("**/own/statistics.js")
    visitor.open(kit.address(kresoft))
    visitor.asked()
    with page.expect_response("**/own/statistics-after.js"):
        page.click(".sb-first .sb-accept")
    page.locator(".sb-first").wait_for(state="detached")
    visitor.settled()
    [record] = kit.records(visitor.decision()["consent_id"])
    assert record["action"] == "accept_all"
    visitor.witness.mark(page)
    assert page.locator("#own-tag").get_attribute("data-state") not in {"complete", "wrong"}

    held[0].continue_()
    page.locator('#own-tag[data-state="complete"]').wait_for()


def test_a_script_that_a_service_brings_never_runs_after_the_withdrawal(
    kit: KitProcess, visitor: Visitor, kresoft: Any
) -> None:
    page = visitor.page
    held = visitor.hold("**/gtag/js*")
    visitor.open(kit.address(kresoft))
    visitor.asked()
    page.click(".sb-first .sb-accept")
    page.click(".sb-withdraw")
    page.wait_for_function("() => !slagboom.granted('google-analytics')")
    [route] = held
    with page.expect_event("requestfinished", lambda request: "/gtag/js" in request.url):
        route.fulfill(content_type="text/javascript", body="window.ran = true")
    visitor.settled()

    assert page.evaluate("() => window.ran") is None
    visitor.context.unroute("**/gtag/js*")
    page.click(".sb-reopen")
    page.click("dialog .sb-accept")
    page.wait_for_function("() => document.cookie.includes('_ga')")


def test_an_inline_script_keeps_its_place_while_the_page_still_comes_in(
    kit: KitProcess, visitor: Visitor, kresoft: Any
) -> None:
    """The last of its parent may be a half one; those behind it wait as well."""
    page = visitor.page
    visitor.open(kit.address(kresoft))
    visitor.answer("accept")
    address = kit.address(kresoft, "/slow-page")
    html = """<!doctype html><html lang="nl"><head><script src="/s/kresoft/gate.js"></script>
      <script>window.order = [];</script></head><body>
      <div><script type="text/plain" data-consent="statistics">order.push("inline")</script></div>
      <script type="text/plain" data-consent="statistics" data-src="/own.js"></script>
      <script src="/slow.js"></script><p>end</p>"""
    page.route(address, lambda route: route.fulfill(content_type="text/html", body=html))
    page.route(
        "**/own.js",
        lambda route: route.fulfill(content_type="text/javascript", body="order.push('own')"),
    )
    held = visitor.hold("**/slow.js")
    page.goto(address, wait_until="commit")
    page.locator("script[src='/slow.js']").wait_for(state="attached")
    page.evaluate("() => fetch('/own.js').then(() => fetch('/own.js'))")
    held.pop().fulfill(content_type="text/javascript", body="")
    page.wait_for_function("() => order.length === 2")

    assert page.evaluate("() => order") == ["inline", "own"]


def test_google_is_told_of_the_withdrawal(kit: KitProcess, visitor: Visitor, kresoft: Any) -> None:
    page = visitor.page
    visitor.open(kit.address(kresoft))
    visitor.answer("accept")
    page.wait_for_function("() => document.cookie.includes('_ga')")
    page.click(".sb-withdraw")
    page.wait_for_function("() => !slagboom.granted('google-analytics')")

    last = page.evaluate("() => [...dataLayer].map((entry) => [...entry]).at(-1)")
    assert last[:2] == ["consent", "update"]
    assert set(last[2].values()) == {"denied"}


def test_a_granted_purpose_opens_no_door_to_a_vendor_nobody_registered(
    kit: KitProcess, new_visitor: Any, kresoft: Any
) -> None:
    visitor = new_visitor(bypass_csp=True)
    page = visitor.page
    visitor.open(kit.address(kresoft))
    visitor.answer("accept")
    page.evaluate(
        """() => {
          const tag = document.createElement("script");
          tag.type = "text/plain";
          tag.dataset.consent = "statistics";
          tag.dataset.src = "https://unregistered.example/tag.js";
          document.body.append(tag);
        }"""
    )
    visitor.witness.mark(page)

    assert visitor.witness.urls("unregistered.example") == []


def test_a_visitor_erases_their_own_record_and_is_asked_anew(
    own_kit: KitProcess, visitor: Visitor, kresoft: Any
) -> None:
    page = visitor.page
    visitor.open(own_kit.address(kresoft))
    visitor.answer("accept")
    decision = visitor.decision()
    assert decision is not None
    assert len(own_kit.records(decision["consent_id"])) == 1

    page.click(".sb-reopen")
    with page.expect_response("**/records/*") as response:
        page.click(".sb-erase")
    page.wait_for_function("slagboom.decision === null")
    words = page.locator("dialog [role=status]").inner_text()

    assert response.value.status == 200
    assert words
    assert own_kit.records(decision["consent_id"]) == []
    assert page.evaluate("document.cookie") == ""
    assert page.evaluate("localStorage.length") == 0
    page.reload()
    visitor.asked()


def test_a_shown_first_layer_is_counted_without_cookie_or_identifier(
    own_kit: KitProcess, visitor: Visitor, kresoft: Any
) -> None:
    page = visitor.page
    with page.expect_request("**/shown") as request:
        visitor.open(own_kit.address(kresoft))

    notices = page.evaluate(
        "fetch(document.querySelector('script[src*=gate]').src).then((a) => a.text())"
    )
    assert request.value.post_data is not None
    assert f'nl:"{request.value.post_data}"' in notices
    assert "cookie" not in request.value.all_headers()
    assert page.evaluate("document.cookie") == ""
