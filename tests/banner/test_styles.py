"""A theme as it is served: stronger than the page around it, and in touch with nobody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import tinycss2

from slagboom_banner.assets import themes_directory
from slagboom_banner.styles import harden_style

if TYPE_CHECKING:
    from collections.abc import Iterator

THEMES = {file.stem: file.read_text("utf-8") for file in themes_directory().glob("*.css")}
CUTS = ("/* --- first layer --- */", "/* --- second layer --- */")


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


def cut(theme: str) -> list[str]:
    """The parts of a theme file as they stand in it."""
    assert all(theme.count(mark) == 1 for mark in CUTS)
    return re.split("|".join(map(re.escape, CUTS)), theme)


def list_conditions(css: str) -> list[str]:
    return [re.sub(r"\s+", " ", found).strip() for found in re.findall(r"@media([^{]*)\{", css)]


@pytest.mark.parametrize("theme", THEMES)
def test_every_declaration_of_a_theme_is_important_except_what_a_site_may_set(theme: str) -> None:
    for part, source in zip(harden_style(THEMES[theme]), cut(THEMES[theme]), strict=True):
        declarations = list(list_declarations(parse(part)))
        written = list(list_declarations(parse(source)))
        names = [declaration.name for declaration in declarations]

        assert names == [declaration.name for declaration in written]
        assert len(names) > 10
        for declaration, original in zip(declarations, written, strict=True):
            assert declaration.type == "declaration"
            is_property = declaration.name.startswith("--")
            assert declaration.important is (original.important if is_property else True)


@pytest.mark.parametrize("theme", THEMES)
def test_every_part_of_a_theme_stands_in_the_layer(theme: str) -> None:
    for part in harden_style(THEMES[theme]):
        (layer,) = parse(part)

        assert (layer.type, layer.at_keyword) == ("at-rule", "layer")
        assert tinycss2.serialize(layer.prelude).strip() == "slagboom"


@pytest.mark.parametrize("theme", THEMES)
def test_every_media_query_of_a_theme_is_kept(theme: str) -> None:
    parts = harden_style(THEMES[theme])
    conditions = list_conditions(THEMES[theme])

    assert [condition for part in parts for condition in list_conditions(part)] == conditions
    assert "(forced-colors: active)" in conditions
    assert "(prefers-color-scheme: dark)" in conditions


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_fetches_nothing(theme: str) -> None:
    for part in harden_style(THEMES[theme]):
        for fetching in ("url(", "@import", "@font-face", "image-set(", "image(", "src("):
            assert fetching not in part.lower()
        assert "\\" not in re.sub(r'"[^"]*"', "", part), "an escape could spell any of them"


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_touches_nothing_of_the_page(theme: str) -> None:
    """Each selector holds on to the kit's element or to one of its classes."""
    rules = [rule for part in harden_style(THEMES[theme]) for rule in list_rules(parse(part))]
    selectors = [tinycss2.serialize(rule.prelude) for rule in rules]
    parts = [part for selector in selectors for part in re.split(r",(?![^(]*\))", selector)]

    assert len(parts) > 50
    assert {part for part in parts if not re.search(r"#slagboom|\.sb-", part)} == set()


def test_the_parts_are_cut_at_their_lines() -> None:
    parts = harden_style(f"a{{color:red}}\n{CUTS[0]}\nb{{color:blue}}\n{CUTS[1]}\ni{{color:lime}}")

    assert parts == (
        "@layer slagboom{a{color:red!important}}",
        "@layer slagboom{b{color:blue!important}}",
        "@layer slagboom{i{color:lime!important}}",
    )


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
        harden_style(css)


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
    assert harden_style(css)[0] == f"@layer slagboom{{{hardened}}}"
