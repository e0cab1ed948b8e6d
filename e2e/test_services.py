"""The catalogue in a browser: what a page tells a vendor before the grant, and what is heard."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from ruamel.yaml import YAML

from conftest import COMPANIES, KitProcess, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Route

SITE = COMPANIES[1]
UUID = "01234567-89ab-cdef-0123-456789abcdef"
GATE = f'<script src="/s/{SITE.site}/gate.js" async></script>'
DATA_LAYER = "window.dataLayer = window.dataLayer || [];"
GTAG = DATA_LAYER + "window.gtag = window.gtag || function () { dataLayer.push(arguments); };"


def queueing(name: str, queue: str) -> str:
    """The function of a vendor's snippet that keeps calls until the script is there."""
    return (
        f"window.{name} = window.{name} || function () {{"
        f"  ({name}.{queue} = {name}.{queue} || []).push(arguments); }};"
    )


class Sample(NamedTuple):
    """How a page tells this vendor of `WORD`, and the list its script then works off.

    setting: what the page says of no visitor; it stays in the list.
    """

    parameters: dict[str, str]
    list: str
    tell: str
    setting: str = ""


def matomo(**parameters: str) -> Sample:
    return Sample(
        parameters,
        "_paq",
        """window._paq = window._paq || [];
        _paq.push(["setUserId", "WORD"], ["trackEvent", "cart", "WORD"], ["trackPageView", "WORD"]);
        """,
        "_paq.push(['disableCookies', 'SETTING']);",
    )


SAMPLES = {
    "crisp": Sample(
        {"website_id": UUID},
        "$crisp",
        """window.$crisp = window.$crisp || [];
        $crisp.push(["set", "user:email", ["WORD@example.org"]], ["do", "message:send", ["WORD"]]);
        """,
        "$crisp.push(['config', 'color:theme', ['SETTING']]);",
    ),
    "google-ads": Sample(
        {"conversion_id": "AW-123456789"},
        "dataLayer",
        GTAG + "gtag('event', 'conversion', { send_to: 'WORD' });",
        GTAG + "gtag('set', 'SETTING', true);",
    ),
    "google-analytics": Sample(
        {"measurement_id": "G-DEMO000000"},
        "dataLayer",
        GTAG + "gtag('event', 'WORD'); gtag('get', 'G-1', 'client_id', 'WORD');",
        GTAG + "gtag('config', 'SETTING');",
    ),
    "google-tag-manager": Sample(
        {"container_id": "GTM-ABC1234"},
        "dataLayer",
        DATA_LAYER + "dataLayer.push({ event: 'add_to_cart', item: 'WORD' });"
        "dataLayer.push(Object.assign(() => {}, { toJSON: () => 'WORD' }));",
        DATA_LAYER + "dataLayer.push({ pageType: 'SETTING' });",
    ),
    "hotjar": Sample({"site_id": "123456"}, "hj.q", queueing("hj", "q") + "hj('event', 'WORD');"),
    "hubspot": Sample(
        {"loader": "js-eu1", "portal_id": "1234567"},
        "_hsq",
        """window._hsq = window._hsq || [];
        _hsq.push(["setPath", "/WORD"], ["trackPageView"], ["identify", { email: "WORD" }]);
        _hsq.push(["trackCustomBehavioralEvent", { name: "WORD" }]);""",
        "_hsq.push(['doNotTrack', 'SETTING']);",
    ),
    "intercom": Sample(
        {"app_id": "abc12345", "api_base": "https://api-iam.eu.intercom.io"},
        "Intercom.q",
        queueing("Intercom", "q") + "Intercom('trackEvent', 'WORD'); Intercom('update', 'WORD');",
        queueing("Intercom", "q") + "Intercom('onShow', 'SETTING');",
    ),
    "leadinfo": Sample(
        {"site_id": "LI-0123456789ABC"},
        "leadinfo.q",
        queueing("leadinfo", "q") + "leadinfo('event', 'WORD');",
    ),
    "linkedin-insight": Sample(
        {"partner_id": "1234567"},
        "lintrk.q",
        queueing("lintrk", "q") + "lintrk('track', { conversion_id: 'WORD' });",
    ),
    "matomo": matomo(matomo_host="stats.example.org", site_id="1"),
    "matomo-cloud": matomo(cloud_host="example.matomo.cloud", site_id="1"),
    "meta-pixel": Sample(
        {"pixel_id": "1234567890123"},
        "fbq.queue",
        queueing("fbq", "queue") + "fbq('init', '1', { em: 'WORD' }); fbq('track', 'WORD');",
        queueing("fbq", "queue") + "fbq('dataProcessingOptions', ['SETTING']);",
    ),
    "microsoft-advertising": Sample(
        {"tag_id": "123456789"},
        "uetq",
        """window.uetq = window.uetq || [];
        uetq.push("event", "WORD", { revenue_value: 10 }); uetq.push("WORD");""",
    ),
    "microsoft-clarity": Sample(
        {"project_id": "abcdefghij"},
        "clarity.q",
        queueing("clarity", "q") + "clarity('event', 'WORD'); clarity('identify', 'WORD');",
    ),
    "pinterest-tag": Sample(
        {"tag_id": "1234567890123"},
        "pintrk.queue",
        queueing("pintrk", "queue") + "pintrk('track', 'checkout', { order_id: 'WORD' });",
    ),
    "piwik-pro": Sample(
        {"account": "example", "site_id": UUID},
        "dataLayer.concat(window._paq || [])",
        DATA_LAYER
        + """dataLayer.push({ event: "WORD" });
        window._paq = window._paq || []; _paq.push(["trackEvent", "cart", "WORD"]);""",
        DATA_LAYER + "dataLayer.push({ pageType: 'SETTING' });",
    ),
    "plausible-cloud": Sample(
        {"script_id": "pa-ABCDEFGHIJKLMN"},
        "plausible.q",
        queueing("plausible", "q") + "plausible('WORD', { props: { email: 'WORD' } });",
    ),
    "reddit-pixel": Sample(
        {"pixel_id": "t2_abcdef"},
        "rdt.callQueue",
        queueing("rdt", "callQueue") + "rdt('track', 'Purchase', { id: 'WORD' });",
        queueing("rdt", "callQueue") + "rdt('disableFirstPartyCookies', 'SETTING');",
    ),
    "simple-analytics": Sample(
        {},
        "sa_event.q",
        """window.sa_event = window.sa_event || function () {
          const call = [].slice.call(arguments);
          if (sa_event.q) sa_event.q.push(call); else sa_event.q = [call];
        };
        sa_event("WORD");""",
    ),
    "snapchat-pixel": Sample(
        {"pixel_id": UUID},
        "snaptr.queue",
        queueing("snaptr", "queue") + "snaptr('track', 'PURCHASE', { id: 'WORD' });",
    ),
    "tiktok-pixel": Sample(
        {"pixel_id": "CABCDEFGHIJKLMNOP"},
        "ttq",
        """window.ttq = window.ttq || [];
        ttq.push(["identify", { email: "WORD" }], ["track", "WORD"]);""",
        "ttq.push(['disableCookie', 'SETTING']);",
    ),
    "x-pixel": Sample(
        {"pixel_id": "abcde"}, "twq.queue", queueing("twq", "queue") + "twq('event', 'WORD');"
    ),
}

HEAR = """(() => {
  let list = [];
  try { list = LIST; } catch { /* nobody has made it */ }
  const plain = [...(list || [])].map((entry) =>
    entry && typeof entry === "object" && "length" in entry ? [...entry] : entry);
  return JSON.stringify(plain);
})()"""
"""Everything in a list, as text. The vendors' scripts read it when they arrive."""


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KitProcess]:
    """A site that asks by itself, with all services that have a queue."""
    process = KitProcess(tmp_path_factory.mktemp("kit"))
    file = process.policies / f"{SITE.site}.yaml"
    policy: dict[str, Any] = YAML(typ="safe").load(file)
    text = dict.fromkeys(policy["languages"], "Alone")
    policy["purposes"] = [
        {
            "id": purpose,
            "legal_basis": "strictly_necessary" if purpose == "necessary" else "consent",
            "name": text,
            "description": text,
        }
        for purpose in ("necessary", "statistics", "marketing", "functional", "content")
    ]
    policy["services"] = [
        {"id": "slagboom"},
        {"id": "youtube"},
        *({"id": name, "parameters": SAMPLES[name].parameters} for name in SAMPLES),
    ]
    policy.update(interface="none", ip_passed_on="allowed", exceptions=[])
    file.write_text(json.dumps(policy, default=str), encoding="utf-8")
    process.start()
    yield process
    process.stop()


class Page:
    """An open page on which vendors' scripts note what stands in a list when they arrive."""

    def __init__(self, kit: KitProcess, visitor: Visitor, expression: str) -> None:
        self._kit, self._visitor, self._expression = kit, visitor, expression
        visitor.page.add_init_script("window.heard = {};")
        visitor.context.route(re.compile("^https://"), self.answer)

    def answer(self, route: Route) -> None:
        host = route.request.url.removeprefix("https://").partition("/")[0]
        noted = f"heard[{host!r}] = {HEAR.replace('LIST', self._expression)};"
        route.fulfill(content_type="text/javascript", body=noted)

    def open(self, *scripts: str) -> None:
        body = "".join(f"<script>{script}</script>" for script in scripts)
        html = f"<!doctype html><html lang=nl><title>Page</title>{body}{GATE}<p>Text</p>"
        self._visitor.page.unroute("**/own-page")
        self._visitor.page.route(
            "**/own-page", lambda route: route.fulfill(content_type="text/html", body=html)
        )
        self._visitor.open(self._kit.address(SITE, "/own-page"))
        self._visitor.page.wait_for_function("() => slagboom.decide")

    def run(self, script: str, word: str) -> None:
        self._visitor.page.evaluate(f"() => {{ {script.replace('WORD', word)} }}")

    def decide(self, **services: bool) -> None:
        """Answers, and comes back when the page shows it."""
        chosen = {name.replace("_", "-"): given for name, given in services.items()}
        self._visitor.page.evaluate(
            """(services) => new Promise((done) => {
              const end = slagboom.on("change", () => { end(); done(); });
              slagboom.decide({ services, anonymise_ip: false });
            })""",
            chosen,
        )

    def heard(self) -> str:
        """What the first vendor's script that arrived found in the list."""
        self._visitor.page.wait_for_function("() => Object.keys(heard).length")
        found: list[str] = self._visitor.page.evaluate("() => Object.values(heard)")
        return found[0]

    def now(self) -> str:
        """What stands in the list."""
        found: str = self._visitor.page.evaluate(HEAR.replace("LIST", self._expression))
        return found


def test_no_list_of_the_catalogue_is_left_untried(kit: KitProcess) -> None:
    reader = YAML(typ="safe")
    files = {file.stem: reader.load(file) for file in kit.policies.glob("services/*.yaml")}

    assert sorted(SAMPLES) == sorted(name for name, file in files.items() if "queues" in file)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_vendor_never_hears_what_the_page_told_it_before_the_grant(
    kit: KitProcess, visitor: Visitor, name: str
) -> None:
    sample = SAMPLES[name]
    page = Page(kit, visitor, sample.list)
    page.open(sample.tell.replace("WORD", "told_before"))
    page.run(sample.tell + sample.setting, "told_later_but_before")
    assert "told_before" in page.now()
    page.decide(**{name: True})
    found = page.heard()

    assert "before" not in found
    assert ("SETTING" in found) == bool(sample.setting)
    page.run(sample.tell, "told_after")
    assert "told_after" in page.now()
    assert visitor.errors == []


@pytest.mark.parametrize("name", ["microsoft-advertising", "google-analytics", "plausible-cloud"])
def test_what_a_page_tells_under_an_earlier_grant_is_not_lost(
    kit: KitProcess, visitor: Visitor, name: str
) -> None:
    sample = SAMPLES[name]
    page = Page(kit, visitor, sample.list)
    page.open()
    page.decide(**{name: True})
    page.open(sample.tell.replace("WORD", "told_on_the_next_page"))

    assert "told_on_the_next_page" in page.heard()


def test_a_container_never_hears_what_was_told_to_the_counter_it_shares_a_list_with(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = Page(kit, visitor, "dataLayer")
    page.open()
    page.decide(google_analytics=True)
    page.heard()
    page.run(SAMPLES["google-tag-manager"].tell, "told_before")
    visitor.page.evaluate("() => { heard = {}; }")
    page.decide(google_tag_manager=True)
    found = page.heard()

    assert "told_before" not in found
    assert "G-DEMO000000" in found
    assert "gtm.js" in found


def test_a_container_on_its_way_still_gets_its_own_start(kit: KitProcess, visitor: Visitor) -> None:
    page = Page(kit, visitor, "dataLayer")
    waiting = visitor.hold("https://www.googletagmanager.com/gtm.js*")
    page.open()
    with visitor.page.expect_request("https://www.googletagmanager.com/gtm.js*"):
        page.decide(google_tag_manager=True)
    page.run(SAMPLES["google-tag-manager"].tell, "told_before")
    page.decide(google_analytics=True)
    page.heard()
    visitor.page.evaluate("() => { heard = {}; }")
    page.answer(waiting[0])
    found = page.heard()

    assert "gtm.start" in found
    assert "told_before" not in found


def test_a_service_with_a_list_that_cannot_be_cleared_never_starts(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = Page(kit, visitor, "uetq")
    page.open("window.uetq = Object.freeze(['event', 'told_before']);")
    page.decide(microsoft_advertising=True, plausible_cloud=True)
    page.heard()
    visitor.witness.mark(visitor.page)

    assert visitor.witness.urls("bat.bing.net") == []
    assert visitor.witness.urls("plausible.io")


def test_a_running_container_is_told_of_each_change_and_of_nothing_else(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = Page(kit, visitor, "dataLayer")
    page.open()
    events = """() => dataLayer.filter(({ event }) => event === "slagboom_consent").length"""
    last = """() => [...dataLayer].slice(-2).map((entry) => entry.event || [...entry][1])"""
    page.decide(google_tag_manager=True)
    assert visitor.page.evaluate(events) == 1

    # One that speaks Google's language, one that does not, and a withdrawal.
    for count, services in enumerate(
        ({"google_analytics": True}, {"youtube": True}, {"google_analytics": False}), start=2
    ):
        page.decide(**services)
        assert visitor.page.evaluate(events) == count
        assert visitor.page.evaluate(last) == ["update", "slagboom_consent"]
    assert visitor.errors == []
