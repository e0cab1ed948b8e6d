"""Auto-blocking: whatever way a page puts a registered vendor's tag in, it waits for the grant."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from conftest import KitProcess, Visitor
from test_gating import BLOCKED, FILM, FIRST_IN_HEAD, PAGE, STILL, VENDOR, ran, show

if TYPE_CHECKING:
    from collections.abc import Iterator

PUT_IN = {
    "srcset property": "put(new Image()).srcset = `${still} 2x, ${still} 1x`",
    "srcset attribute": "put(new Image()).setAttribute('srcset', still)",
    "srcset in text": "put(div()).innerHTML = `<img alt='' srcset='/own.png 2x, ${still} 1x'>`",
    "picture": "put(div()).insertAdjacentHTML('beforeend',"
    " `<picture><source srcset='${still}'><img src='/own.png' alt=''></picture>`)",
    "attribute with a namespace": "put(new Image()).setAttributeNS(null, 'src', still)",
    "attribute node": "put(new Image()).setAttributeNode(attribute('src', still))",
    "value of an attribute": "const image = put(new Image()); image.setAttribute('src', 'data:,');"
    " image.attributes.src.value = still",
    "text": "put(div()).innerHTML = `<img alt='' src='${still}'>`",
    "text for another element": "put(div()).outerHTML = `<p><img alt='' src='${still}'></p>`",
    "text beside an element": "put(div()).insertAdjacentHTML('afterend', `<img src='${still}'>`)",
    "frame in text": "put(div()).innerHTML = `<p>a</p><iframe src='${film}'></iframe>`",
    "frame in unsafe text": "put(div()).setHTMLUnsafe(`<iframe src='${film}'></iframe>`)",
    "text of a root": "root().innerHTML = `<img alt='' src='${still}'>`",
    "frame in the text of a root": "root().innerHTML = `<iframe src='${film}'></iframe>`",
    "root in text": "put(div()).setHTMLUnsafe(`<div><template shadowrootmode='open'>"
    "<img src='${still}'></template></div>`)",
    "script in a root": "root().append(script())",
    "text with a script": "put(document.createRange().createContextualFragment("
    "`<img src='${still}'><script src='${file}'></script>`))",
    "template imported": "const made = document.createElement('template');"
    " made.innerHTML = `<img src='${still}'>`; put(document.importNode(made.content, true))",
    "JScript": "put(script('text/jscript'))",
    "LiveScript": "put(script('text/livescript'))",
    "ECMAScript": "put(script('application/x-ecmascript'))",
    "script of an image": "put(document.createElementNS('http://www.w3.org/2000/svg', 'script'))"
    ".setAttribute('href', file)",
    "host with a dot": "put(script('', file.replace('.com/', '.com./')))",
    "stylesheet": "put(link('stylesheet', styles))",
    "preload": "put(link('preload', file, 'script'))",
    "prefetch": "put(link('prefetch', file))",
    "modulepreload": "put(link('modulepreload', file))",
    "poster": "put(div()).innerHTML = `<video poster='${still}'></video>`",
    "object": "put(div()).innerHTML = `<object data='${film}'></object>`",
    "embed": "put(document.createElement('embed')).src = film",
}
"""Statements by name. Every address in them carries the name's number."""

TOOLS = """
  window.failed = [];
  const put = (node) => { document.body.append(node); return node; };
  const div = () => document.createElement("div");
  const root = () => put(div()).attachShadow({mode: "closed"});
  const attribute = (name, value) =>
    Object.assign(document.createAttribute(name), {value});
  const link = (rel, href, as = "") =>
    Object.assign(document.createElement("link"), {rel, as, href});
"""


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KitProcess]:
    process = KitProcess(tmp_path_factory.mktemp("kit"))
    with (process.policies / f"{BLOCKED.site}.yaml").open("a") as file:
        file.write("\nauto_block: true\n")
    with process:
        yield process


def write_case(number: int, statement: str) -> str:
    mark = f"case{number}-"
    addresses = {
        "still": f"{STILL}?{mark}",
        "film": f"{FILM}?{mark}",
        "file": f"{VENDOR}/{mark}.js",
        "styles": f"{VENDOR}/{mark}.css",
    }
    names = "".join(f"const {name} = {json.dumps(to)};" for name, to in addresses.items())
    escaped = statement.replace("</script>", r"<\/script>")
    return f"""try {{ {names}
      const script = (type = "", src = file) =>
        Object.assign(document.createElement("script"), {{type, src}});
      {escaped};
    }} catch (error) {{ failed.push(`{mark}${{error}}`); }}"""


def body_with(statements: str) -> str:
    return f"<script>addEventListener('load', () => {{ {TOOLS} {statements} }})</script>"


def reached(visitor: Visitor) -> set[str]:
    """The ways on which a vendor was asked for something."""
    return {name for at, name in enumerate(PUT_IN) if visitor.witness.urls(f"case{at}-")}


def test_no_way_of_putting_a_tag_in_reaches_its_vendor_before_the_grant(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    cases = "\n".join(write_case(at, statement) for at, statement in enumerate(PUT_IN.values()))
    show(visitor, kit.address(BLOCKED, PAGE), body_with(cases), gate=FIRST_IN_HEAD)

    assert ran(visitor) == []
    assert page.evaluate("failed") == []
    assert reached(visitor) == set()

    visitor.answer("accept")
    scripts = [at for at, way in enumerate(PUT_IN.values()) if "script(" in way or "<script" in way]
    released = ran(visitor, *[f"case{at}-" for at in scripts])
    while set(PUT_IN) - reached(visitor):
        page.wait_for_event("request", lambda request: "case" in request.url)

    assert len(released) == len(set(released))
    assert visitor.errors == []


def test_what_text_holds_becomes_the_same_page_as_without_blocking(
    kit: KitProcess, visitor: Visitor
) -> None:
    """Order, places, and what has nothing to do with a vendor."""
    page = visitor.page
    show(visitor, kit.address(BLOCKED, PAGE), "<div id=a></div>", gate=FIRST_IN_HEAD)
    made = page.evaluate(
        """film => {
          const frame = `<iframe src="${film}"></iframe>`;
          const a = document.getElementById("a");
          const ways = {
            beforebegin: `<hr>1${frame}`, afterbegin: `2${frame}`,
            beforeend: `3${frame}<b>4</b>`, afterend: `5${frame}`,
          };
          for (const [where, text] of Object.entries(ways)) a.insertAdjacentHTML(where, text);
          const row = document.createElement("tbody");
          row.innerHTML = `<tr><td>${frame}</td></tr>`;
          const loose = document.createElement("p");
          loose.outerHTML = frame;
          const root = document.createElement("div").attachShadow({mode: "open"});
          root.innerHTML = `<i></i>${frame}`;
          const template = document.createElement("template");
          template.innerHTML = frame;
          const wrong = [
            () => a.insertAdjacentHTML("inside", frame),
            () => { document.documentElement.outerHTML = frame; },
          ].map((act) => { try { act(); } catch ({name}) { return name; } });
          const shape = (node) => [...node.childNodes].map(({nodeName, textContent}) =>
            nodeName === "#text" ? textContent : nodeName).join(" ").trim();
          return [shape(a), row.rows.length, row.querySelectorAll("iframe").length,
            shape(root), shape(template.content), wrong,
            [a.previousSibling.previousSibling.textContent, a.nextSibling.textContent]];
        }""",
        FILM,
    )

    assert made[:6] == [
        "2 IFRAME 3 IFRAME B",
        1,
        1,
        "I IFRAME",
        "IFRAME",
        ["SyntaxError", "NoModificationAllowedError"],
    ]
    assert made[6] == ["1", "5"]
    visitor.witness.mark(page)
    assert visitor.witness.urls("youtube") == []


def test_text_that_a_page_vouches_for_is_held_and_other_text_refused_as_ever(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    policy = "require-trusted-types-for 'script'; trusted-types slagboom own"
    show(
        visitor,
        kit.address(BLOCKED, PAGE),
        "<div id=a></div>",
        gate=FIRST_IN_HEAD,
        headers={"content-security-policy": policy},
    )
    refused = page.evaluate(
        """film => {
          const a = document.getElementById("a");
          const frame = `<iframe src="${film}"></iframe>`;
          const own = trustedTypes.createPolicy("own", {createHTML: (text) => text});
          a.innerHTML = own.createHTML(frame);
          try { a.innerHTML = frame; } catch ({name}) { return name; }
        }""",
        FILM,
    )

    assert refused == "TypeError"
    page.locator("#a .sb-embed").wait_for()
    assert visitor.witness.urls("youtube") == []
    visitor.answer("accept")
    page.locator(f'#a iframe[src="{FILM}"]').wait_for()
    assert visitor.errors == []


def test_a_written_script_that_has_run_does_not_run_again(
    kit: KitProcess, visitor: Visitor
) -> None:
    body = f"""<script>document.write('<script src="{VENDOR}/written.js"><\\/script>')</script>"""
    show(visitor, kit.address(BLOCKED, PAGE), body, gate=FIRST_IN_HEAD)
    assert ran(visitor, "written") == ["written"]

    visitor.answer("accept")
    visitor.page.wait_for_function("() => slagboom.granted('google-analytics')")
    visitor.settled()

    assert ran(visitor) == ["written"]


def test_a_page_whose_own_methods_cannot_be_wrapped_keeps_its_gate(
    kit: KitProcess, visitor: Visitor
) -> None:
    page = visitor.page
    page.add_init_script(
        """Object.freeze(HTMLImageElement.prototype);
        delete Element.prototype.setHTMLUnsafe;
        delete Range.prototype.createContextualFragment;
        const {insertAdjacentHTML} = Element.prototype;
        Element.prototype.insertAdjacentHTML = function (...values) {
          window.wrapped = true;
          return insertAdjacentHTML.apply(this, values);
        };"""
    )
    show(visitor, kit.address(BLOCKED, PAGE), "<p id=a></p>", gate=FIRST_IN_HEAD)
    page.evaluate("document.getElementById('a').insertAdjacentHTML('beforeend', '<b>b</b>')")

    assert page.evaluate("wrapped")
    assert page.locator("#a b").count() == 1
    visitor.answer("accept")
    page.locator(".sb-withdraw").wait_for()
    assert visitor.errors == []
