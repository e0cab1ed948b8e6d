"""The first layer drawn without a script, and the page that keeps it."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest
from bundle_samples import make_sources

from slagboom_banner.drawing import draw_first_layer, from_data
from slagboom_banner.layers import describe_first_layer
from slagboom_banner.notice import build_notice
from slagboom_banner.snapshot import Snapshot

SOURCES = make_sources()


@pytest.fixture
def document(policy_folder: Any) -> dict[str, Any]:
    return build_notice(policy_folder.read(), "nl", SOURCES.texts["nl"]).document


def read_text(html: str) -> str:
    texts: list[str] = []
    parser = HTMLParser()
    parser.handle_data = texts.append  # type: ignore[method-assign]
    parser.feed(html)
    return " ".join("".join(texts).split())


def test_every_word_of_the_layer_is_drawn(document: dict[str, Any]) -> None:
    told = read_text(draw_first_layer(document).markup(None))
    notice = describe_first_layer(document)

    words = [text for pair in notice["purposes"] for text in pair]
    words += [notice["words"], *(notice["texts"][key] for key in ("first_title", "first_intro"))]
    words += [notice["texts"][key] for key in ("accept", "reject", "choose", "statement_link")]
    for word in words:
        assert " ".join(word.split()) in told


def test_who_never_answered_reads_no_note(document: dict[str, Any]) -> None:
    drawing = draw_first_layer(document)

    assert "sb-note" not in drawing.markup(None)
    assert "De chat kwam erbij." not in drawing.markup(None)


def test_who_answered_an_earlier_revision_reads_what_changed_since(
    document: dict[str, Any],
) -> None:
    shown = draw_first_layer(document).markup(1)

    assert "De chat kwam erbij." in shown
    assert document["texts"]["expired_note"] not in read_text(shown)


def test_who_answered_this_revision_reads_that_the_choice_expired(
    document: dict[str, Any],
) -> None:
    shown = draw_first_layer(document).markup(2)

    assert "De chat kwam erbij." not in shown
    assert document["texts"]["expired_note"] in read_text(shown)


def test_a_drawing_comes_back_from_its_data(document: dict[str, Any]) -> None:
    drawing = draw_first_layer(document)

    assert from_data(drawing.to_data()) == drawing


def test_whatever_a_policy_says_stays_text(document: dict[str, Any]) -> None:
    document["texts"]["first_title"] = "<script>alert(1)</script>"
    document["controller"]["statement_url"] = 'https://x.example/"><script>'
    document["purposes"][1]["name"] = "</section>"

    shown = draw_first_layer(document).markup(1)

    assert "<script" not in shown
    assert shown.count("</section>") == 1


def make_snapshot(**changes: Any) -> Snapshot:
    fields = {
        "title": "T",
        "language": "nl",
        "style": "p{}",
        "markup": "<p>",
        "facts": [("a", "b")],
    }
    return Snapshot(**{**fields, **changes})


def test_the_page_allows_its_own_styles_and_nothing_else() -> None:
    page = make_snapshot(style="#slagboom{color:red}").to_html()

    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    digests = {
        b64encode(sha256(css.encode()).digest()).decode()
        for css in re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    }
    assert set(re.findall(r"sha256-([^']+)'", policy)) == digests
    assert len(digests) == 2
    assert re.sub(r" 'sha256-[^']+'", "", policy) == (
        "default-src 'none'; style-src; base-uri 'none'; form-action 'none'"
    )
    assert "<script" not in page


def test_a_style_cannot_end_its_element() -> None:
    page = make_snapshot(style="a{content:'</style><script>'}").to_html()

    assert page.count("</style>") == 2


def test_facts_and_title_stay_text() -> None:
    page = make_snapshot(title="<i>", facts=[("<b>", "<u>")]).to_html()

    assert not re.search("<[ibu]>", page)
