"""The examples of docs/api.md, taken from its text, built as their users build them, and run.

Plain HTML and Google Tag Manager are in test_api.py. `tools/examples.py` installs what these need.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from examples import NODE, SOURCES, TARGET, find_wordpress, wanted_examples
from ports import find_port

from conftest import SECONDS, KitProcess, _end_with_parent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import ConsoleMessage

    from conftest import Visitor

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT.joinpath("docs/api.md").read_text("utf-8")
DOCUMENTED_KIT = "https://consent.example.be/s/example/"
VENDOR = "www.google.com"
# How many listen to the kit's decisions.
COUNT = """
  window.listening = 0;
  for (const [name, step] of [["addEventListener", 1], ["removeEventListener", -1]]) {
    const own = document[name];
    document[name] = (type, ...rest) => {
      if (type === "slagboom:change") listening += step;
      return own.call(document, type, ...rest);
    };
  }
"""


def when(name: str) -> pytest.MarkDecorator:
    """Leaves a test out where `SLAGBOOM_EXAMPLES` names others only."""
    return pytest.mark.skipif(name not in wanted_examples(), reason="SLAGBOOM_EXAMPLES")


FRAMEWORKS = [pytest.param(name, marks=when(name)) for name in ("react", "vue")]


def documented(heading: str, language: str) -> str:
    """The one example of that language under a heading of the documentation."""
    section = DOCUMENT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    (code,) = re.findall(rf"^```{language}\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    return str(code)


class Consent(KitProcess):
    """`slagboom serve` on a host of its own, for a company's site that another server sends."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.site_port = find_port()
        self.origin = f"http://consent.example.localhost:{self.port}"
        self.site = f"http://www.example.localhost:{self.site_port}"
        policy = SOURCES.joinpath("example.yaml").read_text("utf-8").replace("{site}", self.site)
        self.policies.joinpath("example.yaml").write_text(policy, "utf-8")
        shutil.copy(SOURCES / "campaign.yaml", self.policies / "services")

    def command(self) -> list[str]:
        return ["serve"]

    def fill(self, text: str) -> str:
        """An example with the address of this kit for the one that is documented."""
        assert DOCUMENTED_KIT in text
        return text.replace(DOCUMENTED_KIT, f"{self.origin}/s/example/")

    def fetch(self, path: str) -> str:
        """What the site's server sends, before any browser reads it."""
        address = f"http://127.0.0.1:{self.site_port}{path}"
        with urllib.request.urlopen(address, timeout=SECONDS) as answer:
            text: str = answer.read().decode()
        return text

    @contextmanager
    def folder(self, folder: Path) -> Iterator[None]:
        """A plain web server for the site."""
        with ThreadingHTTPServer(
            ("127.0.0.1", self.site_port), partial(_Quiet, directory=str(folder))
        ) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            try:
                yield
            finally:
                server.shutdown()
                thread.join()

    @contextmanager
    def program(self, folder: Path, *command: str, **variables: str) -> Iterator[None]:
        """A web server that is a program of its own; it is told its port by `{port}`."""
        log = folder / "output.txt"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [part.replace("{port}", str(self.site_port)) for part in command],
                cwd=folder,
                env={**os.environ, **variables},
                stdout=output,
                stderr=output,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 -- it takes no lock
            )
        try:
            deadline = time.monotonic() + SECONDS
            while not _answers(self.site_port):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                threading.Event().wait(0.05)
            yield
        finally:
            process.terminate()
            process.wait(SECONDS)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing: the browser's own record counts."""


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/up", timeout=SECONDS):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


@pytest.fixture(scope="module")
def consent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consent]:
    process = Consent(tmp_path_factory.mktemp("consent"))
    process.start()
    yield process
    process.stop()


@pytest.fixture
def person(visitor: Visitor) -> Visitor:
    """A visitor whose browser counts listeners, and tells what a page's framework complains of."""

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "Failed to load" not in message.text:
            visitor.errors.append(message.text)

    # A header of the test's own would make the kit's parts, of another origin, ask leave first.
    visitor.context.set_extra_http_headers({})
    visitor.page.add_init_script(COUNT)
    visitor.page.on("console", note)
    return visitor


def run(folder: Path, *command: str, **variables: str) -> None:
    done = subprocess.run(
        [NODE, *command],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def bundle(name: str, mode: str, folder: Path, consent: Consent) -> None:
    """An application with the documented code in it, as its user's bundler gives it."""
    shutil.copytree(SOURCES / name, folder, dirs_exist_ok=True)
    shutil.copyfile(SOURCES / "bundle.mjs", folder / "bundle.mjs")
    folder.joinpath("node_modules").symlink_to(TARGET / "node_modules")
    if name == "react":
        folder.joinpath("documented.jsx").write_text(documented("React", "jsx"), "utf-8")
    else:
        folder.joinpath("granted.js").write_text(documented("Vue", "js"), "utf-8")
        folder.joinpath("OurMap.vue").write_text(documented("Vue", "vue"), "utf-8")
    site = folder / "site"
    site.mkdir()
    html = SOURCES.joinpath("index.html").read_text("utf-8")
    site.joinpath("index.html").write_text(consent.fill(html), "utf-8")
    (entry,) = folder.glob("main.*")
    run(folder, "bundle.mjs", entry.name, "site/main.js", mode)


def check_silence(visitor: Visitor) -> None:
    """The map waits: its place is a button, and nobody but site and kit was contacted."""
    visitor.page.locator("#map button").wait_for()
    visitor.witness.mark(visitor.page)
    assert visitor.page.locator("#map iframe").count() == 0
    assert visitor.witness.hosts(own="localhost") == []


def await_map(visitor: Visitor) -> None:
    visitor.page.locator("#map iframe").wait_for()
    assert visitor.page.locator("#map button").count() == 0


def withdraw(visitor: Visitor) -> None:
    """Withdraws; the map's place is a button again, and what was sent so far is forgotten."""
    visitor.page.click(".sb-withdraw")
    visitor.page.locator("#map button").wait_for()
    visitor.settled()
    visitor.witness.forget()


def listeners(visitor: Visitor) -> int:
    visitor.witness.mark(visitor.page)
    count: int = visitor.page.evaluate("() => listening")
    return count


@pytest.mark.parametrize("mode", ["development", "production"])
@pytest.mark.parametrize("name", FRAMEWORKS)
def test_the_documented_component_follows_the_choice_and_leaves_nothing_behind(
    consent: Consent, person: Visitor, tmp_path: Path, name: str, mode: str
) -> None:
    page = person.page
    bundle(name, mode, tmp_path, consent)
    with consent.folder(tmp_path / "site"):
        person.open(consent.site)
        person.asked()
        check_silence(person)
        marked = page.locator("#marked .sb-embed")
        marked.wait_for()
        # One for the map, one for the text beside it; React's StrictMode mounts both twice.
        assert listeners(person) == 2

        page.get_by_text("Allow the map").click()
        page.locator("dialog[open]").wait_for()
        page.keyboard.press("Escape")
        check_silence(person)
        person.answer("accept")
        await_map(person)
        marked.wait_for(state="detached")
        person.witness.mark(page)
        embeds = person.witness.urls(f"https://{VENDOR}/maps/embed")
        assert sorted(address.rpartition("=")[2] for address in embeds) == ["%E2%80%A6", "marked"]

        for _ in range(2):
            page.get_by_text("Toggle").click()
            page.locator("#map, #marked").first.wait_for(state="detached")
            assert listeners(person) == 0
            page.get_by_text("Toggle").click()
            await_map(person)
            assert listeners(person) == 2
        page.evaluate("() => { rendered.length = 0; }")
        page.get_by_text("Another", exact=True).click()
        page.get_by_text("another false", exact=True).wait_for()
        assert "another true" not in page.evaluate("() => rendered")
        assert listeners(person) == 2

        withdraw(person)
        page.get_by_text("Toggle").click()
        page.get_by_text("Toggle").click()
        check_silence(person)
        marked.wait_for()
        assert listeners(person) == 2
        page.reload()
        check_silence(person)
    assert person.errors == []


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_documented_component_that_is_gone_before_the_kit_comes_never_listens(
    consent: Consent, person: Visitor, tmp_path: Path, name: str
) -> None:
    page = person.page
    bundle(name, "development", tmp_path, consent)
    held = person.hold("**/gate.js")
    with consent.folder(tmp_path / "site"):
        page.goto(consent.site, wait_until="commit")
        page.get_by_text("Allow the map").wait_for()
        page.get_by_text("Toggle").click()
        page.locator("#map").wait_for(state="detached")
        (gate,) = held
        gate.continue_()
        person.asked()

        assert listeners(person) == 0
        page.get_by_text("Toggle").click()
        check_silence(person)
        assert listeners(person) == 2
    assert person.errors == []


@when("next")
def test_the_documented_layout_of_next_gates_pages_with_and_without_a_nonce(
    consent: Consent, person: Visitor, tmp_path: Path
) -> None:
    folder = tmp_path / "next"
    shutil.copytree(SOURCES / "next", folder)
    folder.joinpath("node_modules").symlink_to(TARGET / "node_modules")
    layout = consent.fill(documented("Next", "jsx"))
    # "Without a nonce leave those lines out": Next then writes the pages when it builds.
    plain = re.sub(r"^.*\bheaders\b.*\n", "", layout, flags=re.MULTILINE)
    folder.joinpath("app/nonce/layout.jsx").write_text(layout, "utf-8")
    plain = plain.replace(" nonce={nonce}", "")
    assert "nonce" not in plain
    folder.joinpath("app/plain/layout.jsx").write_text(plain, "utf-8")
    component = f'"use client";\n\n{documented("React", "jsx")}'
    folder.joinpath("app/our-map.jsx").write_text(component, "utf-8")
    variables = {"NEXT_TELEMETRY_DISABLED": "1", "CONSENT": consent.origin}
    program = "node_modules/next/dist/bin/next"
    run(folder, program, "build", **variables)
    start = ("start", "--hostname", "127.0.0.1", "--port", "{port}")
    with consent.program(folder, str(NODE), program, *start, **variables):
        for kind in ("plain", "nonce"):
            check_next(consent, person, kind)
            person.context.clear_cookies()


def check_next(consent: Consent, visitor: Visitor, kind: str) -> None:
    """The same visit to the pages with a nonce and to those without."""
    page = visitor.page
    (tag,) = re.findall(r"<script [^>]*gate\.js[^>]*>", consent.fetch(f"/{kind}"))
    assert ('nonce="' in tag) == (kind == "nonce")
    assert tag.startswith(f'<script src="{consent.origin}/s/example/gate.js" async=""')
    visitor.witness.forget()
    visitor.open(f"{consent.site}/{kind}")
    visitor.asked()
    check_silence(visitor)
    assert listeners(visitor) == 1

    visitor.answer("accept")
    await_map(visitor)
    page.evaluate("() => { window.isSame = true; }")
    page.get_by_text("Contact").click()
    page.get_by_role("heading", name="Contact").wait_for()
    assert listeners(visitor) == 0
    page.get_by_text("Back").click()
    await_map(visitor)
    assert listeners(visitor) == 1
    assert page.evaluate("() => isSame")
    assert page.locator("script[src*='gate.js']").count() == 1

    withdraw(visitor)
    page.get_by_text("Contact").click()
    page.get_by_text("Back").click()
    check_silence(visitor)
    page.reload()
    check_silence(visitor)
    assert visitor.errors == []
    assert visitor.witness.violations() == []


@when("next")
def test_the_documented_code_fits_the_types_that_are_documented(tmp_path: Path) -> None:
    folder = tmp_path / "documented"
    folder.mkdir()
    for name, code in (
        ("react.jsx", documented("React", "jsx")),
        ("vue.js", documented("Vue", "js")),
        ("layout.jsx", documented("Next", "jsx")),
    ):
        folder.joinpath(name).write_text(code, "utf-8")
    shutil.copy(ROOT / "static/js/slagboom.d.ts", folder)
    shutil.copy(SOURCES / "tsconfig.json", tmp_path)
    tmp_path.joinpath("node_modules").symlink_to(TARGET / "node_modules")

    run(tmp_path, "node_modules/typescript/bin/tsc", "--project", "tsconfig.json")


@when("wordpress")
@pytest.mark.parametrize("query", ["", "?html5"])
def test_the_documented_lines_hold_a_plugins_script_back_in_wordpress(
    consent: Consent, person: Visitor, tmp_path: Path, query: str
) -> None:
    page = person.page
    folder = tmp_path / "site"
    shutil.copytree(SOURCES / "wordpress", folder)
    functions = f"<?php\n{consent.fill(documented('WordPress', 'php'))}"
    folder.joinpath("content/themes/child/functions.php").write_text(functions, "utf-8")
    person.context.route(
        "https://campaign.example/**",
        lambda route: route.fulfill(content_type="text/javascript", body="window.vendor = true;"),
    )
    gate = f"{consent.origin}/s/example/gate.js"
    server = ("php", "-S", "127.0.0.1:{port}", "front.php")
    with consent.program(folder, *server, WORDPRESS=str(find_wordpress())):
        person.open(f"{consent.site}/{query}")
        person.asked()
        person.witness.mark(page)

        assert person.witness.hosts(own="localhost") == []
        assert page.evaluate("() => [first, shop, campaign.ran]") == [gate, "open", []]
        assert page.evaluate("() => document.scripts[0].async")
        # No hint names a vendor either.
        assert page.locator("link[href*='campaign.example']").count() == 0

        person.answer("accept")
        page.wait_for_function("() => campaign.ran.length === 2")
        assert page.evaluate("() => campaign.ran") == ["before", "after"]
        assert len(person.witness.urls("campaign.example")) == 1

        page.click(".sb-withdraw")
        person.settled()
        person.witness.forget()
        page.reload()
        page.wait_for_function("() => window.slagboom")
        person.witness.mark(page)
        assert person.witness.hosts(own="localhost") == []
        assert page.evaluate("() => campaign.ran") == []
        assert re.search(r'<script [^>]*gate\.js"[^>]* nonce="abc"', consent.fetch("/?nonce"))
        assert "Fatal" not in folder.joinpath("output.txt").read_text()
    assert person.errors == []
