"""Withdrawing: what a service stored is gone and stays gone; what the visitor did stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conftest import COMPANIES, KitProcess, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

LEADINFO, ANALYTICS = COMPANIES[:2]
PAGE = "/nl/deep/page"
NO_EVENTS = "delete window.cookieStore;"
STORED = """
  - {{kind: {kind}, pattern: vendor-{kind}*, lifetime_days: null,
     purpose: {{en: Test., nl: Test., fr: Test., de: Test.}}}}"""
FORM = """
<script>window.told = []; addEventListener("input", ({target}) => told.push(target.id));</script>
<form><input id="typed" aria-label="a"><input id="untouched" aria-label="b" value="x">
<textarea aria-label="c"></textarea><input type="checkbox" id="ticked" aria-label="d">
<select aria-label="e"><option>a</option><option>b</option></select>
<input type="password" id="secret" aria-label="f"></form><p style="height: 9000px"></p>"""
FILL = """async () => {
  for (const end of ["", ".2"]) {
    await (await caches.open(`vendor-cache_storage${end}`)).put("/x", new Response("x"));
    await new Promise((done) => {
      const opening = indexedDB.open(`vendor-indexed_db${end}`);
      opening.onsuccess = () => { opening.result.close(); done(); };
    });
    localStorage[`vendor-local_storage${end}`] = sessionStorage[`vendor-session_storage${end}`] = 1;
  }
  await caches.open("own-cache");
  await new Promise((done) => { indexedDB.open("own-db").onsuccess = done; });
  localStorage["own-key"] = 1;
}"""


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KitProcess]:
    process = KitProcess(tmp_path_factory.mktemp("kit"))
    file = process.policies / "services" / "google-analytics.yaml"
    kinds = ("local_storage", "session_storage", "indexed_db", "cache_storage")
    items = "".join(STORED.format(kind=kind) for kind in kinds)
    file.write_text(file.read_text().replace("\nstored:", f"\nstored:{items}"))
    process.start()
    yield process
    process.stop()


def show(visitor: Visitor, kit: KitProcess, company: Any, *, body: str = "") -> None:
    """Opens a deep page of the company's www host with that body, and accepts."""
    page = visitor.page
    address = kit.address(company, PAGE, www=True)
    html = (
        f'<!doctype html><html lang="nl"><head><script src="/s/{company.site}/gate.js" async>'
        f"</script><title>t</title></head><body>{body}"
    )
    page.route(address, lambda route: route.fulfill(content_type="text/html", body=html))
    visitor.open(address)
    visitor.answer("accept")
    page.wait_for_function("name => document.cookie.includes(name)", arg=company.cookies[0])


def withdraw(visitor: Visitor) -> None:
    """Withdraws, and waits until the cookies have gone."""
    visitor.page.click(".sb-withdraw")
    visitor.page.wait_for_function(
        "() => !slagboom.granted('google-analytics') && !/(^|; )_ga/.test(document.cookie)"
    )


def names(visitor: Visitor) -> set[str]:
    return set(visitor.witness.cookies())


def test_cookies_go_from_host_parents_and_paths_and_others_stay(
    kit: KitProcess, visitor: Visitor
) -> None:
    show(visitor, kit, ANALYTICS)
    for scope in ("", "; domain=kresoft.localhost", "; path=/nl", "; path=/nl/deep/"):
        visitor.page.evaluate("cookie => { document.cookie = cookie; }", f"_ga_DEMO=1{scope}")
    visitor.page.evaluate("path => { document.cookie = `_gat=1; path=${path}`; }", PAGE)
    for scope in ("", "; domain=kresoft.localhost"):
        visitor.page.evaluate("cookie => { document.cookie = cookie; }", f"own_ga=1{scope}")
    assert len(visitor.context.cookies()) >= 9

    withdraw(visitor)

    assert names(visitor) == {"slagboom", "own_ga"}
    assert sum(cookie["name"] == "own_ga" for cookie in visitor.context.cookies()) == 2


def test_storage_databases_and_caches_of_the_service_go_and_others_stay(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    show(visitor, kit, ANALYTICS)
    page.evaluate(FILL)
    assert sum("vendor-" in name for name in visitor.witness.stored(page)) == 8

    withdraw(visitor)
    page.wait_for_function(
        """async () => !(await indexedDB.databases()).some(({name}) => name.startsWith("vendor-"))
          && !(await caches.keys()).some((name) => name.startsWith("vendor-"))"""
    )
    visitor.settled()

    assert sorted(visitor.witness.stored(page)) == ["own-cache", "own-db", "own-key"]


@pytest.mark.parametrize("events", [True, False], ids=["cookie events", "no cookie events"])
def test_a_cookie_that_comes_back_after_the_withdrawal_goes_again(
    kit: KitProcess, visitor: Visitor, *, events: bool
) -> None:
    page = visitor.page
    if not events:
        visitor.context.add_init_script(NO_EVENTS)
    show(visitor, kit, ANALYTICS)
    withdraw(visitor)

    page.evaluate("() => { document.cookie = '_ga_BACK=1; path=/'; document.cookie = 'own=1'; }")
    if not events:
        page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_function("() => !document.cookie.includes('_ga')")

    assert names(visitor) == {"slagboom", "own"}
    # A new grant ends the watch over it.
    page.evaluate("() => slagboom.accept()")
    page.wait_for_function("() => slagboom.granted('google-analytics')")
    page.evaluate("() => { document.cookie = '_ga_BACK=1; path=/'; }")
    visitor.settled()
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))")
    visitor.witness.mark(page)
    assert "_ga_BACK" in names(visitor)


def test_a_partitioned_cookie_goes_as_well(kit: KitProcess, visitor: Visitor) -> None:
    show(visitor, kit, ANALYTICS)
    visitor.page.evaluate(
        """() => {
          document.cookie = "_ga_PART=1; path=/; secure; samesite=none; partitioned";
          document.cookie = "own=1; path=/; secure; samesite=none; partitioned";
        }"""
    )
    assert "_ga_PART" in names(visitor)
    withdraw(visitor)

    assert names(visitor) == {"slagboom", "own"}


def test_what_comes_back_long_after_the_withdrawal_goes_again_without_any_event(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    visitor.context.add_init_script(NO_EVENTS)
    page.clock.install()
    show(visitor, kit, ANALYTICS)
    withdraw(visitor)

    for _ in range(3):
        page.clock.run_for(60_000)
        page.evaluate("() => { document.cookie = '_ga_BACK=1; path=/'; }")
        page.clock.run_for(29_000)
        page.clock.run_for(2_000)
        page.wait_for_function("() => !document.cookie.includes('_ga')")


def test_a_tag_that_insists_is_given_up_on_and_the_page_goes_on(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    show(visitor, kit, ANALYTICS)
    page.evaluate(
        """() => {
          window.written = 0;
          cookieStore.addEventListener("change", ({ deleted }) => {
            if (deleted.some(({ name }) => name === "_ga_AGAIN") && written < 500) {
              written += 1;
              document.cookie = "_ga_AGAIN=1; path=/";
            }
          });
          document.cookie = "_ga_AGAIN=1; path=/";
        }"""
    )
    page.click(".sb-withdraw")
    page.wait_for_function("() => written > 50 && document.cookie.includes('_ga_AGAIN')")
    visitor.witness.mark(page)

    assert page.evaluate("() => written") <= 100
    visitor.open(kit.address(ANALYTICS, PAGE, www=True))
    page.wait_for_function("() => !document.cookie.includes('_ga')")


def test_a_service_that_only_a_new_page_silences_gets_one_and_nothing_typed_is_lost(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    show(visitor, kit, LEADINFO, body=FORM)
    page.fill("#typed", "half a letter")
    page.fill("textarea", "two\nlines")
    page.check("#ticked")
    page.select_option("select", "b")
    page.fill("#secret", "hunter2")
    page.evaluate("() => { scrollTo(0, 1234); window.before = true; }")
    page.wait_for_function("() => scrollY === 1234")
    documents = []
    page.on("domcontentloaded", lambda _: documents.append(page.url))

    page.evaluate("() => document.querySelector('.sb-withdraw').click()")
    page.wait_for_function("() => !window.before && scrollY === 1234 && window.slagboom?.decision")
    visitor.settled()
    visitor.witness.mark(page)

    assert page.input_value("#typed") == "half a letter"
    assert page.input_value("textarea") == "two\nlines"
    assert page.is_checked("#ticked")
    assert page.input_value("select") == "b"
    assert page.input_value("#secret") == ""
    assert page.evaluate("() => told") == ["typed", "", "ticked", ""]
    assert len(documents) == 1
    assert visitor.witness.stored(page) == []
    assert not page.evaluate("() => slagboom.granted('leadinfo') || 'leadinfo' in window")
    assert names(visitor) == {"slagboom"}
