"""A theme as it is served: stronger than the page around it, and in touch with nobody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args

import pytest
import tinycss2

from slagboom_banner.assets import static_directory, themes_directory
from slagboom_banner.model import Look, Palette
from slagboom_banner.styles import cut_style, harden, join_sections, paint

if TYPE_CHECKING:
    from collections.abc import Iterator

THEMES = {file.stem: file.read_text("utf-8") for file in themes_directory().glob("*.css")}
CUT = re.compile(r"/\* --- (.+?) --- \*/")
SECTIONS = ["gate", "layers", "first layer", "embed", "note", "second layer"]


def list_rules(rules: list[Any]) -> Iterator[Any]:
    for rule in rules:
        if rule.type == "at-rule":
            nested = tinycss2.parse_rule_list(
                rule.content, skip_comments=True, skip_whitespace=True
            )
            yield from list_rules(nested)
        else:
            assert rule.type == "qualified-rule", rule
            yield rule


def list_declarations(rules: list[Any]) -> Iterator[Any]:
    for rule in list_rules(rules):
        yield from tinycss2.parse_blocks_contents(
            rule.content, skip_comments=True, skip_whitespace=True
        )


def parse(css: str) -> list[Any]:
    rules: list[Any] = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    return rules


def cut(theme: str) -> dict[str, str]:
    """The sections of a theme file as they stand in it, by name."""
    names_and_texts = ["gate", *CUT.split(theme)]
    return dict(zip(names_and_texts[::2], names_and_texts[1::2], strict=True))


def list_conditions(css: str) -> list[str]:
    return [re.sub(r"\s+", " ", found).strip() for found in re.findall(r"@media([^{]*)\{", css)]


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_has_a_section_for_each_part_and_each_layout(theme: str) -> None:
    layouts = get_args(Look.model_fields["layout"].annotation)

    assert set(cut_style(THEMES[theme])) == {*SECTIONS, *layouts, "logo"}


@pytest.mark.parametrize("theme", THEMES)
def test_every_declaration_of_a_theme_is_important_except_what_a_site_may_set(theme: str) -> None:
    sources = cut(THEMES[theme])
    sections = cut_style(THEMES[theme])
    assert list(sections) == list(sources)
    for section, minified in sections.items():
        declarations = list(list_declarations(parse(harden(minified))))
        written = list(list_declarations(parse(sources[section])))
        names = [declaration.name for declaration in declarations]

        assert names == [declaration.name for declaration in written]
        assert names
        for declaration, original in zip(declarations, written, strict=True):
            assert declaration.type == "declaration"
            is_property = declaration.name.startswith("--")
            assert declaration.important is (original.important if is_property else True)


def test_sections_are_joined_in_the_kits_layer() -> None:
    sections = cut_style("a{top:0}/* --- one --- */b{top:1px}/* --- two --- */i{top:2px}")
    (layer,) = parse(join_sections([sections["gate"], sections["two"]]))

    assert (layer.type, layer.at_keyword) == ("at-rule", "layer")
    assert tinycss2.serialize(layer.prelude).strip() == "slagboom"
    assert tinycss2.serialize(layer.content) == "a{top:0}i{top:2px}"


@pytest.mark.parametrize("theme", THEMES)
def test_every_media_query_of_a_theme_is_kept(theme: str) -> None:
    parts = cut_style(THEMES[theme]).values()
    conditions = list_conditions(THEMES[theme])

    assert [condition for part in parts for condition in list_conditions(part)] == conditions
    assert "(forced-colors: active)" in conditions
    assert "(prefers-color-scheme: dark)" in conditions


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_fetches_nothing(theme: str) -> None:
    for part in cut_style(THEMES[theme]).values():
        for fetching in ("url(", "@import", "@font-face", "image-set(", "image(", "src("):
            assert fetching not in part.lower()
        assert "\\" not in re.sub(r'"[^"]*"', "", part), "an escape could spell any of them"


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_touches_nothing_of_the_page(theme: str) -> None:
    """Each selector holds on to the kit's element or to one of its classes."""
    rules = [rule for part in cut_style(THEMES[theme]).values() for rule in list_rules(parse(part))]
    selectors = [tinycss2.serialize(rule.prelude) for rule in rules]
    parts = [part for selector in selectors for part in re.split(r",(?![^(]*\))", selector)]

    assert len(parts) > 50
    assert {part for part in parts if not re.search(r"#slagboom|\.sb-", part)} == set()


def test_the_sections_are_cut_at_their_lines() -> None:
    assert cut_style("a{color:red}\n/* --- one --- */\nb{color:blue}/* no cut */") == {
        "gate": "a{color:red}",
        "one": "b{color:blue}",
    }


@pytest.mark.parametrize(
    "css",
    [
        '@import "https://fonts.example/a.css";',
        "@import url(https://fonts.example/a.css);",
        "@charset 'utf-8';",
        "a { color }",
        "a { top: 0; b { top: 0 } }",
        "a { top: 0; } }",
        "a",
    ],
)
def test_what_is_no_rule_is_refused(css: str) -> None:
    with pytest.raises(ValueError, match="mend the style sheet"):
        cut_style(css)


@pytest.mark.parametrize(
    ("css", "hardened"),
    [
        ("a { color: red !important }", "a{color:red!important}"),
        ("a { --own: 1px 2px; width: var(--own) }", "a{--own:1px 2px;width:var(--own)!important}"),
        ("a { /* why */ width: calc(1px + 2px) /* so */; }", "a{width:calc(1px + 2px)!important}"),
        ("a  >  b ,\n c + d::before { top: 0 }", "a>b,c + d::before{top:0!important}"),
        (
            "@media (min-width: 9px) and print { a { top: 0 } }",
            "@media (min-width: 9px) and print{a{top:0!important}}",
        ),
        (
            "@media print { @supports (top: 0) { a { top: 0 } } }",
            "@media print{@supports (top: 0){a{top:0!important}}}",
        ),
        ("@media print {}", "@media print{}"),
    ],
)
def test_rules_keep_their_meaning(css: str, hardened: str) -> None:
    assert {name: harden(css) for name, css in cut_style(css).items()} == {"gate": hardened}


@pytest.mark.parametrize(
    "css", ["a{-webkit-hyphens:none}", 'a{content:";"}', "a{background:url(data:a;b)}"]
)
def test_what_the_client_could_not_make_important_is_refused(css: str) -> None:
    with pytest.raises(ValueError, match="cannot be made important"):
        cut_style(css)


def test_the_client_makes_important_what_harden_does() -> None:
    source = (static_directory() / "js" / "choice" / "main.js").read_text("utf-8")
    (expression,) = re.findall(r"css\.replace\(/(.+)/g, ", source)

    for theme in THEMES.values():
        css = join_sections(cut_style(theme).values())
        assert re.sub(expression, r"\g<0>!important", css) == harden(css)
        assert harden(css) != css


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_site_of_one_scheme_asks_no_browser_for_another(theme: str, scheme: Any) -> None:
    usual = cut_style(THEMES[theme])
    sections = cut_style(THEMES[theme], scheme)

    assert list(sections) == list(usual)
    for section, css in sections.items():
        assert "prefers-color-scheme" not in css
        assert "color-scheme:light dark" not in css
        assert parse(css)
        if "prefers-color-scheme" not in usual[section]:
            fixed = usual[section].replace("color-scheme:light dark", f"color-scheme:{scheme}")
            assert css == fixed
    surfaces = re.findall(r"--sb-surface:(#\w+)", sections["layers"])
    assert surfaces == (["#ffffff"] if scheme == "light" else ["#ffffff", "#1a1f26"])


@pytest.mark.parametrize("theme", THEMES)
def test_a_policy_that_names_no_scheme_gets_the_bytes_it_got(theme: str) -> None:
    assert cut_style(THEMES[theme], "auto") == cut_style(THEMES[theme], None)
    assert "scheme" not in Look().model_dump(exclude_none=True)
    assert paint(Look()) == ""


def test_colours_of_one_scheme_are_not_put_behind_a_question() -> None:
    look = Look(scheme="dark", light=Palette(text="#000000"), dark=Palette(accent="#c3dbf5"))

    assert paint(look) == "#slagboom#slagboom,.sb-embed.sb-embed{--sb-accent:#c3dbf5}"


def test_a_ground_of_the_companys_brings_its_note_and_ring_along() -> None:
    painted = paint(Look(dark=Palette(surface="#ffffff", text="#1c2127")))

    assert "--sb-note:var(--sb-surface);--sb-focus:var(--sb-text)}}" in painted
    chosen = Palette(surface="#ffffff", note="#eeeeee", focus="#0000ff")
    assert "var(" not in paint(Look(light=chosen))
    assert "note" not in paint(Look(light=Palette(accent="#1f3b57")))
