"""Both layers in every language and direction, on small screens, zoomed, in forced colours."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from ruamel.yaml import YAML

from conftest import COMPANIES, KitProcess, Visitor
from slagboom_banner.assets import texts_directory
from slagboom_banner.texts import read_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator

SITE = COMPANIES[2]
LANGUAGES = tuple(sorted(read_texts(texts_directory())))
OWN_WORDS = {
    "ar": ("إحصاءات", "قياس كيفية استخدام هذا الموقع، ومعرفة الصفحات التي تزورها."),
    "he": ("סטטיסטיקה", "מדידת השימוש באתר זה, ואילו דפים נצפים בו."),
    "de": ("Nutzungsstatistik", "Messen, wie diese Internetseite genutzt wird und welche Seiten."),
}
PAGE = """<!doctype html><html lang="{language}" dir="{direction}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>t</title>
<script src="/s/{site}/gate.js" async></script></head><body><h1>Title</h1>
<iframe data-consent="youtube" data-src="https://www.youtube-nocookie.com/embed/slagboom001"
title="A film"></iframe><p style="height: 2000px">Text</p><a href="#end">End</a></body></html>"""
# What would be cut off or lie beside the screen, by class and text.
MISFITS = """(selector) => {
  const layer = document.querySelector(selector);
  const faults = [];
  for (const element of [layer, ...layer.querySelectorAll("*")]) {
    if (!element.getClientRects().length || element.closest(".sb-hidden, .sb-scroll > *")) continue;
    const box = element.getBoundingClientRect();
    const name = `${element.tagName}.${element.className} ${element.textContent.slice(0, 40)}`;
    if (box.left < 0 || box.right > innerWidth) faults.push(`beside the screen: ${name}`);
    if (element.scrollWidth > element.clientWidth && element.clientWidth
        && !element.matches(".sb-scroll, span, a, b, em, code"))
      faults.push(`wider inside: ${name}`);
    if (element.matches("button") && element.scrollHeight > element.clientHeight)
      faults.push(`higher inside: ${name}`);
  }
  // A word goes on in the next line only where it alone is wider than its place.
  const range = document.createRange();
  const walker = document.createTreeWalker(layer, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    const place = parentElement.closest("button, h2, h3, h4, p, li, dd");
    if (!place || place.matches(".sb-hidden")) continue;
    for (const { 0: word, index } of data.matchAll(/[^\\s\\-\u2013/]+/g)) {
      range.setStart(walker.currentNode, index);
      range.setEnd(walker.currentNode, index + word.length);
      const rects = [...range.getClientRects()].filter(({ width }) => width);
      const width = rects.reduce((sum, rect) => sum + rect.width, 0);
      if (new Set(rects.map(({ top }) => Math.round(top / 8))).size > 1
          && (width < place.clientWidth - 72 || place.matches("button")))
        faults.push(`broken: ${word}`);
    }
  }
  if (document.documentElement.scrollWidth > innerWidth) faults.push("the page scrolls sideways");
  return faults;
}"""
SIZES = """(selector) => ["accept", "reject"].map((name) => {
  const { width, height } = document.querySelector(`${selector} .sb-${name}`)
    .getBoundingClientRect();
  return [width, height];
})"""
# Whether it can be brought into the screen as a whole, and a pointer then meets its beginning.
REACHED = """(element) => {
  element.scrollIntoView({ block: "nearest" });
  const { left, right, top, bottom } = element.getBoundingClientRect();
  const { x, y, width, height } = element.getClientRects()[0];
  return top >= 0 && left >= 0 && right <= innerWidth && bottom <= innerHeight
    && element.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}"""
# In text from the right, the groups of a telephone number would change places.
NUMBERS_FROM_THE_RIGHT = """() => [...document.querySelectorAll("dialog *")].filter((element) =>
  [...element.childNodes].some(({ nodeType, data }) => nodeType === 3
    && /[+\\d] ?\\d+ \\d+ \\d+/.test(data))
  && getComputedStyle(element).direction === "rtl").map((element) => element.textContent)"""
MOVING = """() => [...document.querySelectorAll("#slagboom, #slagboom *, .sb-embed *")]
  .flatMap((element) => [null, "::before"].map((part) => getComputedStyle(element, part)))
  .map(({ transitionDuration, animationName }) => `${transitionDuration} ${animationName}`)
  .filter((found) => found !== "0s none")"""
DIRECTION = "() => getComputedStyle(document.querySelector('#slagboom')).direction"
BOXES = {
    "proportions": "position: relative; height: 0; padding-bottom: 56.25%; overflow: hidden",
    "fixed height": "height: 120px; overflow: hidden",
    "border": "aspect-ratio: 16 / 9; overflow: hidden; border: 4px solid",
}
# Whether a pointer meets the middle of each button, after scrolling inside the placeholder alone.
CUT_OFF = """(placeholder) => {
  const box = placeholder.parentElement.getBoundingClientRect();
  const { top, bottom } = placeholder.getBoundingClientRect();
  const faults = top < box.top || bottom > box.bottom ? ["beside its box"] : [];
  const meets = (part) => {
    const { x, y, width, height } = part.getClientRects()[0];
    return part.contains(document.elementFromPoint(x + width / 2, y + height / 2));
  };
  placeholder.scrollTop = 0;
  if (!meets(placeholder.querySelector("b"))) faults.push("the beginning");
  for (const button of placeholder.querySelectorAll("button")) {
    placeholder.scrollTop = 0;
    const inside = button.getBoundingClientRect().top - placeholder.getBoundingClientRect().top;
    placeholder.scrollTop = inside - placeholder.clientHeight / 2 + button.clientHeight / 2;
    if (!meets(button)) faults.push(button.textContent);
  }
  return faults.concat(placeholder.parentElement.scrollTop ? ["scrolls its box"] : []);
}"""
BOX = "(selector) => document.querySelector(selector).getBoundingClientRect().toJSON()"


def contrast(element: Locator, border: int = 0) -> float:
    """Between the lightest and the darkest pixel of what is drawn: WCAG 2.2, relative luminance.

    border: CSS pixels left out on each side.
    """
    image = Image.open(io.BytesIO(element.screenshot())).convert("RGB")
    image = image.crop((border, border, image.width - border, image.height - border))

    def luminance(colour: tuple[int, ...]) -> float:
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in (value / 255 for value in colour)
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    found = [luminance(colour) for _, colour in image.getcolors(image.width * image.height) or []]
    return (max(found) + 0.05) / (min(found) + 0.05)


def translate(node: Any) -> None:
    """Gives each text of a policy every language; a long one where there is none."""
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        translate(child)
    if isinstance(node, dict) and "en" in node:
        longest = max((str(text) for text in node.values()), key=len)
        for language in LANGUAGES:
            node.setdefault(language, longest)


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KitProcess]:
    """SOFT4DOC's policy in every language there is."""
    process = KitProcess(tmp_path_factory.mktemp("kit"))
    yaml = YAML()
    file = process.policies / f"{SITE.site}.yaml"
    policy = yaml.load(file)
    policy["languages"] = ["en", *(name for name in LANGUAGES if name != "en")]
    for purpose in policy["purposes"]:
        for language, (name, description) in OWN_WORDS.items():
            purpose["name"][language] = name
            purpose["description"][language] = description
    translate(policy)
    yaml.dump(policy, file)
    with process:
        yield process


def ask(visitor: Visitor, kit: KitProcess, language: str = "en") -> None:
    address = kit.address(SITE, f"/{language}/test-page")
    direction = "rtl" if language in {"ar", "he"} else "ltr"
    html = PAGE.format(language=language, direction=direction, site=SITE.site)
    visitor.page.route(address, lambda route: route.fulfill(content_type="text/html", body=html))
    visitor.open(address)
    visitor.asked()


def choose(visitor: Visitor) -> None:
    visitor.page.click(".sb-choose")
    visitor.page.locator("dialog[open]").wait_for()
    for summary in visitor.page.locator("dialog summary").all():
        summary.evaluate("summary => summary.click()")


@pytest.fixture(scope="module")
def phone(browser: Any) -> Iterator[Visitor]:
    """The narrowest screen in use, for one language after the other."""
    visitor = Visitor(browser, viewport={"width": 320, "height": 568}, has_touch=True)
    yield visitor
    visitor.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_layers_fit_the_narrowest_screen(
    kit: KitProcess, phone: Visitor, language: str
) -> None:
    page = phone.page
    ask(phone, kit, language)

    assert page.locator("#slagboom").get_attribute("lang") == language
    assert page.evaluate(MISFITS, ".sb-first") == []
    page.locator(".sb-embed").wait_for()
    assert page.evaluate(MISFITS, ".sb-embed") == []
    accept, reject = page.evaluate(SIZES, ".sb-first")
    assert accept == reject
    assert all(
        page.locator(f".sb-first .sb-{name}").evaluate(REACHED)
        for name in ("accept", "reject", "choose")
    )
    assert page.evaluate(BOX, ".sb-words")["height"] > 120
    choose(phone)
    assert page.evaluate(MISFITS, "dialog") == []
    accept, reject = page.evaluate(SIZES, "dialog")
    assert accept == reject


@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_at_400_percent_everything_can_be_reached(
    kit: KitProcess, new_visitor: Any, language: str
) -> None:
    visitor = new_visitor(viewport={"width": 320, "height": 256}, device_scale_factor=4)
    page = visitor.page
    ask(visitor, kit, language)

    assert page.evaluate(MISFITS, ".sb-first") == []
    for part in page.locator(".sb-first :is(h2, li, button, a)").all():
        assert part.evaluate(REACHED), part.inner_text()
    page.mouse.wheel(0, 5000)
    page.wait_for_function("() => scrollY > 0")
    choose(visitor)
    assert page.evaluate(MISFITS, "dialog") == []
    for part in page.locator("dialog :is(h2, h3, h4, label, input, summary, button, a)").all():
        assert part.evaluate(REACHED), part.inner_text()


@pytest.mark.parametrize("language", ["ar", "he"])
def test_a_language_written_from_the_right_mirrors_both_layers(
    kit: KitProcess, new_visitor: Any, language: str
) -> None:
    visitor = new_visitor(viewport={"width": 1280, "height": 900})
    page = visitor.page
    ask(visitor, kit, language)

    assert page.evaluate(DIRECTION) == "rtl"
    words, actions = page.evaluate(BOX, ".sb-words"), page.evaluate(BOX, ".sb-actions")
    assert actions["right"] < words["left"]
    choose(visitor)
    title, close = page.evaluate(BOX, ".sb-second h2"), page.evaluate(BOX, ".sb-close")
    assert close["right"] < title["left"]
    switch = page.locator(".sb-switch").first
    name, knob = (switch.locator(part).bounding_box() for part in ("span", "input"))
    assert name
    assert knob
    assert knob["x"] < name["x"]
    assert page.evaluate(MISFITS, "dialog") == []
    assert page.evaluate(NUMBERS_FROM_THE_RIGHT) == []
    page.click("dialog .sb-accept")
    page.locator(".sb-withdraw").wait_for()
    assert page.evaluate(BOX, ".sb-control")["right"] > 1200


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_nothing_moves_by_itself(kit: KitProcess, new_visitor: Any, motion: str) -> None:
    visitor = new_visitor(reduced_motion=motion)
    page = visitor.page
    page.add_init_script(
        """for (const name of ["animationstart", "transitionrun"])
          addEventListener(name, () => { window.moved = true; }, true);"""
    )
    ask(visitor, kit)
    choose(visitor)
    page.locator('dialog [name="purpose:statistics"]').check()
    page.hover("dialog .sb-save")
    page.click("dialog .sb-save")
    page.locator(".sb-withdraw").wait_for()

    assert page.evaluate("() => document.getAnimations().length") == 0
    assert page.evaluate(MOVING) == []
    assert not page.evaluate("() => window.moved")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colours_leave_every_control_and_its_state_visible(
    kit: KitProcess, new_visitor: Any, scheme: str
) -> None:
    visitor = new_visitor(forced_colors="active", color_scheme=scheme)
    page = visitor.page
    ask(visitor, kit)
    shown = [page.locator(f".sb-first .sb-{name}") for name in ("accept", "reject", "choose")]
    for button in shown:
        assert contrast(button) >= 4.5
    choose(visitor)
    for button in ("accept", "reject", "save", "close"):
        assert contrast(page.locator(f"dialog .sb-{button}")) >= 4.5
    switch = page.locator('dialog [name="purpose:statistics"]')
    assert contrast(switch, border=10) >= 3
    off = switch.screenshot()
    switch.check()
    assert contrast(switch, border=10) >= 3
    assert switch.screenshot() != off


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("language", ["de", "el"])
def test_no_button_of_a_placeholder_is_cut_off_by_the_box_around_its_frame(
    kit: KitProcess, new_visitor: Any, language: str, box: str
) -> None:
    visitor = new_visitor(viewport={"width": 320, "height": 568})
    page = visitor.page
    ask(visitor, kit, language)
    page.click(".sb-first .sb-reject")
    page.evaluate(
        """(style) => {
          document.querySelectorAll("iframe, .sb-embed").forEach((found) => found.remove());
          const box = document.createElement("div");
          box.style = style;
          box.innerHTML = `<iframe data-consent="youtube" title="A film" style="position: absolute"
            data-src="https://www.youtube-nocookie.com/embed/slagboom001"></iframe>`;
          document.querySelector("h1").after(box);
        }""",
        BOXES[box],
    )
    placeholder = page.locator(".sb-embed")
    placeholder.wait_for()
    page.wait_for_function(
        "() => document.querySelector('.sb-embed').style.getPropertyValue('--sb-room')"
    )

    assert placeholder.evaluate(CUT_OFF) == []
    # A wider screen gives it more room.
    room = page.evaluate(BOX, ".sb-embed")["height"]
    if box != "fixed height":
        page.set_viewport_size({"width": 420, "height": 568})
        page.wait_for_function(
            "(room) => document.querySelector('.sb-embed').offsetHeight > room", arg=room
        )
        assert placeholder.evaluate(CUT_OFF) == []
    placeholder.evaluate("(placeholder) => { placeholder.scrollTop = 0; }")
    page.locator(".sb-embed a").focus()
    for name in ("once", "allow"):
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.className").endswith(name)
        assert page.locator(f".sb-embed .sb-{name}").evaluate(
            "(button) => { const { x, y, width, height } = button.getBoundingClientRect();"
            " return button === document.elementFromPoint(x + width / 2, y + height / 2); }"
        )


def test_a_placeholder_with_room_enough_is_as_high_as_its_words(
    kit: KitProcess, new_visitor: Any
) -> None:
    visitor = new_visitor(viewport={"width": 1000, "height": 800})
    page = visitor.page
    errors = "addEventListener('error', ({ message }) => (window.told ??= []).push(message));"
    page.add_init_script(errors)
    ask(visitor, kit)
    placeholder = page.locator(".sb-embed")
    placeholder.wait_for()

    assert (
        placeholder.evaluate("({ scrollHeight, clientHeight }) => scrollHeight - clientHeight") == 0
    )
    assert placeholder.evaluate("({ style }) => style.getPropertyValue('--sb-room')") == ""
    assert not page.evaluate("() => window.told")
