"""The layer drawn without a script beside the one a visitor's browser draws, pixel by pixel."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from kit_samples import DATA, NOON
from PIL import Image, ImageChops

from slagboom_banner.load import read_policies
from slagboom_server.publishing import publish
from slagboom_server.rendering import render_publication
from slagboom_server.sites import build_site, read_sources

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

    from slagboom_server.sites import Site
    from slagboom_server.store_sql import SqlStore

PAGE = "https://www.acme.example/"
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 360, "height": 740}


def serve(route: Route, site: Site, language: str) -> None:
    """A page with the script tag, and the script for a visitor who has not answered."""
    if route.request.url == PAGE:
        body = (
            f'<!doctype html><html lang="{language}"><meta name="viewport" content="width='
            'device-width, initial-scale=1"><body><script src="/s/acme/gate.js" async></script>'
        )
        route.fulfill(content_type="text/html; charset=utf-8", body=body)
    elif route.request.url.endswith("/gate.js"):
        body = site.bundle.asking_gates[language].decode()
        route.fulfill(content_type="text/javascript; charset=utf-8", body=body)
    else:
        route.fulfill(status=204)


def shoot(page: Page) -> tuple[Image.Image, dict[str, float] | None]:
    layer = page.locator(".sb-first")
    layer.wait_for()
    # Its round corners and its shadow show what is behind.
    page.evaluate("document.body.style.background = '#888'")
    page.evaluate("document.fonts.ready")
    return Image.open(io.BytesIO(layer.screenshot())), layer.bounding_box()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("language", ["nl", "en"])
def test_a_kept_layer_looks_as_it_did_on_the_page(
    plain_browser: Browser,
    store: SqlStore,
    scheme: str,
    viewport: dict[str, int],
    language: str,
) -> None:
    site = build_site(read_policies(DATA)["acme"], read_sources())
    publish(store, site, "Ann", NOON)
    kept = render_publication(store, "acme", language).to_html()
    context = plain_browser.new_context(viewport=viewport, color_scheme=scheme)
    try:
        live, still = context.new_page(), context.new_page()
        live.route("**/*", lambda route: serve(route, site, language))
        live.goto(PAGE)
        complaints: list[str] = []
        asked: list[str] = []
        still.on("console", lambda message: complaints.append(message.text))
        still.on("request", lambda request: asked.append(request.url))
        still.set_content(kept)
        (shown, here), (drawn, there) = shoot(live), shoot(still)
    finally:
        context.close()

    assert (complaints, asked) == ([], [])
    assert here == there
    assert shown.size == drawn.size
    assert ImageChops.difference(shown.convert("RGB"), drawn.convert("RGB")).getbbox() is None
