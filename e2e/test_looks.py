"""The banner looks the same on every page, and every page looks the same with it: by pixels."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageChops

from conftest import COMPANIES, KitProcess, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

VENDOR = Path(__file__).parent / "vendor"
FILMS = COMPANIES[2]
PATH = "/en/host-page"
HOST = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Host</title>
<meta name="viewport" content="width=device-width"><style>{style}</style>{gate}</head><body>
{top}<header><h1>Company</h1><nav><ul><li><a href="#a">One</a></li>
<li><a href="#b">Two</a></li></ul></nav></header><main id="main"><h2>Heading</h2><p>Some text with
<b>bold</b>, <code>code</code> and a <a href="#c">link</a>.</p><button type="button">Press</button>
<form><label>Name <input name="name" value="value"></label><input type="checkbox" role="switch">
<select><option>First</option></select><textarea>words</textarea></form><dl><dt>Term</dt>
<dd>Meaning</dd></dl><table><tr><th>Head</th><td>Cell</td></tr></table><details open>
<summary>More</summary><p class="sb-note">Hidden words</p></details><section
class="sb-button sb-purpose">Its
own name</section></main><footer>Footer</footer>{film}</body></html>"""
# Out of the page's flow, since there each style sheet would give it another place.
FILM = """<div style="all: initial !important; position: fixed !important; inset: 0 auto auto 0
!important; width: 480px !important"><iframe data-consent="youtube"
data-src="https://www.youtube-nocookie.com/embed/slagboom001" title="A film"></iframe></div>"""
SKIP = '<a class="skip" href="#main">Skip</a>'
GATE = f'<script src="/s/{FILMS.site}/gate.js" async></script>'
# Everything but the kit's own elements, which no style of the page reaches.
CURTAIN = """html * { visibility: hidden !important; animation: none !important; transition:
none !important } html, body { background: #fff !important }"""

CORNER_PIXELS, CORNER_SHADES = 200, 24
SHADOW = 48
EXTENT = "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"

EVERYTHING = "*, *::before, *::after, *::marker, *::backdrop"
BOOTSTRAP = (VENDOR / "bootstrap.min.css").read_text("utf-8")
PREFLIGHT = (VENDOR / "tailwind-preflight.css").read_text("utf-8")
TYPOGRAPHY = """
  html { font-size: 62.5%; font-style: italic; font-weight: 900; font-variant: small-caps;
    line-height: 3; letter-spacing: 0.3em; word-spacing: 1em; text-transform: uppercase;
    text-align: end; text-indent: 2em; text-shadow: 2px 2px red; -webkit-text-stroke: 1px red;
    color: red; cursor: wait; white-space: pre; hyphens: auto; word-break: break-all;
    list-style: none; border-spacing: 9px; quotes: none; color-scheme: dark;
    visibility: hidden; pointer-events: none }
  p::first-letter { font-size: 300%; float: left; color: red }
  p::first-line { text-transform: uppercase; color: red }
  li::marker, summary::marker { content: "-> "; color: red; font-size: 200% }
  dialog::backdrop { background: red !important; backdrop-filter: blur(9px) !important }
  ::-webkit-scrollbar { width: 40px; background: red }"""
HOSTILE = {
    "bootstrap": BOOTSTRAP,
    "tailwind-preflight": PREFLIGHT,
    "all-unset": EVERYTHING + " { all: unset !important }",
    "all-initial": EVERYTHING + " { all: initial !important }",
    "all-revert": EVERYTHING + " { all: revert !important }",
    "elements": """
      button, a, label, input, summary { background: red !important; font: 8px cursive !important;
        box-shadow: 0 0 9px lime !important; animation: spin 1s infinite !important;
        transition: all 9s !important; letter-spacing: 9px !important }
      button { display: none !important }
      section, div, p, h2, h3, ul, li, dl, dialog { float: left !important; color: white !important;
        opacity: 0.4 !important; transform: scale(0.5) !important; margin: 40px !important }
      li::before, p::after, summary::before { content: "!!" !important; color: red !important }
      [class*="reject"] { visibility: hidden !important }
      * :focus { outline: none !important }
      @keyframes spin { to { rotate: 1turn; background: lime } }""",
    "typography": TYPOGRAPHY,
}
# What stands in the body moves along: the placeholder, which is part of the page, and no layer.
MOVED = {
    "transform": """body { transform: translateX(90px) rotate(1deg); filter: blur(2px);
      opacity: 0.5; perspective: 9px }""",
    "zoom": "body { zoom: 1.7 }",
    "contained": "body { contain: strict; overflow: hidden; height: 90px; width: 90px }",
}
NEIGHBOURS = """
  body > :first-child { color: red } .top + header { margin-top: 90px; background: gold }
  body > :nth-child(2) { border: 9px solid blue } body > * + * { margin-top: 30px }"""
AROUND = {
    "plain": "",
    "bootstrap": BOOTSTRAP,
    "tailwind-preflight": PREFLIGHT,
    "typography": TYPOGRAPHY.replace("hidden", "visible"),
    "grid-body": "body { display: grid; grid-template-columns: 1fr 1fr; gap: 40px }",
    "neighbours": NEIGHBOURS,
    "zoom": MOVED["zoom"],
    # Behind a skip link, which has to be the first link, the kit stands in the body.
    "skip-link": ".skip { color: red } body { display: flex; gap: 40px; height: 100vh }",
}


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KitProcess]:
    process = KitProcess(tmp_path_factory.mktemp("kit"))
    process.start()
    yield process
    process.stop()


def show(
    visitor: Visitor, kit: KitProcess, style: str, *, gate: str = GATE, film: str = FILM
) -> None:
    """Opens a company's page with that style sheet; with a skip link where it styles one."""
    top = SKIP if ".skip" in style else '<p class="top">Top</p>'
    html = HOST.format(style=style, gate=gate, film=film, top=top)
    address = kit.address(FILMS, PATH)
    visitor.page.route(address, lambda route: route.fulfill(content_type="text/html", body=html))
    visitor.page.goto(address, wait_until="load")


def picture(visitor: Visitor, **options: Any) -> Image.Image:
    data = visitor.page.screenshot(animations="disabled", **options)
    return Image.open(io.BytesIO(data)).convert("RGB")


def pictures(
    visitor: Visitor, kit: KitProcess, style: str, *, film: str = FILM
) -> dict[str, Image.Image]:
    """What a visitor sees of the kit alone, from the question to the answer."""
    page = visitor.page
    show(visitor, kit, style, film=film)
    visitor.asked()
    if film:
        page.locator(".sb-embed").wait_for()
    seen = {"first layer and placeholder": picture(visitor, style=CURTAIN)}
    page.focus(".sb-choose")
    page.keyboard.press("Enter")
    page.locator("dialog[open]").wait_for()
    page.evaluate(
        """() => {
          for (const details of document.querySelectorAll("dialog details")) details.open = true;
          document.querySelector("dialog .sb-body").scrollTo(0, 700);
          document.querySelector("dialog input").focus();
        }"""
    )
    seen["second layer"] = picture(visitor, style=CURTAIN)
    page.evaluate("() => document.querySelector('dialog .sb-accept').click()")
    page.locator(".sb-withdraw").wait_for()
    seen["control"] = picture(visitor, style=CURTAIN)
    return seen


def without_kit(
    visitor: Visitor, selector: str, page_alone: Image.Image, seen: Image.Image
) -> Image.Image:
    """The picture with what the kit covers, shadow included, put back from the page alone."""
    box = visitor.page.locator(selector).bounding_box()
    assert box
    left, top = int(box["x"]) - SHADOW, int(box["y"]) - SHADOW
    area = (
        max(left, 0),
        max(top, 0),
        min(left + int(box["width"]) + 2 * SHADOW + 1, seen.width),
        min(top + int(box["height"]) + 2 * SHADOW + 1, seen.height),
    )
    restored = seen.copy()
    restored.paste(page_alone.crop(area), area)
    return restored


@pytest.fixture(scope="module")
def expected(kit: KitProcess, browser: Any) -> Any:
    """What a page without any style shows, with a film on it or without."""
    seen: dict[str, dict[str, Image.Image]] = {}

    def find(film: str) -> dict[str, Image.Image]:
        if film not in seen:
            visitor = Visitor(browser)
            seen[film] = pictures(visitor, kit, "", film=film)
            visitor.context.close()
        return seen[film]

    return find


def assert_alike(
    seen: dict[str, Image.Image], expected: dict[str, Image.Image], folder: Path
) -> None:
    """Fails with the names and places of what differs visibly, and keeps both in the folder.

    The same browser draws the same boxes in the same place, so that hardly anything is tolerated:
    whether a page scrolls decides how Chromium blends the pixels of the dialog's four corners, by a
    shade that no eye tells. A letter or a line elsewhere differs by far more, a surface in far
    more pixels.
    """
    found = {}
    for name, image in expected.items():
        shades = ImageChops.difference(seen[name], image).convert("L")
        counts = shades.histogram()
        if sum(counts[1:]) > CORNER_PIXELS or any(counts[CORNER_SHADES:]):
            found[name] = shades.getbbox()
            seen[name].save(folder / f"{name}.png")
            image.save(folder / f"{name}, expected.png")
    assert found == {}, f"look at the pictures in {folder}"


@pytest.mark.parametrize("style", HOSTILE)
def test_no_style_of_the_page_changes_how_the_kit_looks(
    kit: KitProcess, visitor: Visitor, expected: Any, tmp_path: Path, style: str
) -> None:
    seen = pictures(visitor, kit, HOSTILE[style])

    assert_alike(seen, expected(FILM), tmp_path)


@pytest.mark.parametrize("style", MOVED)
def test_a_moved_or_scaled_body_takes_no_layer_along(
    kit: KitProcess, visitor: Visitor, expected: Any, tmp_path: Path, style: str
) -> None:
    seen = pictures(visitor, kit, MOVED[style], film="")

    assert_alike(seen, expected(""), tmp_path)


@pytest.mark.parametrize("style", AROUND)
def test_the_kit_changes_nothing_of_the_page_around_it(
    kit: KitProcess, new_visitor: Any, tmp_path: Path, style: str
) -> None:
    visitor = new_visitor(viewport={"width": 1280, "height": 1400})
    show(visitor, kit, AROUND[style], gate="", film="")
    without, extent = picture(visitor), visitor.page.evaluate(EXTENT)
    show(visitor, kit, AROUND[style], film="")
    visitor.asked()
    asked = without_kit(visitor, "#slagboom .sb-first", without, picture(visitor))
    extent_asked = visitor.page.evaluate(EXTENT)
    visitor.answer("reject")
    answered = without_kit(visitor, ".sb-control", without, picture(visitor))

    assert_alike(
        {"asked": asked, "answered": answered},
        dict.fromkeys(("asked", "answered"), without),
        tmp_path,
    )
    assert extent_asked == visitor.page.evaluate(EXTENT) == extent
