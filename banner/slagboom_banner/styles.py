"""A theme's style sheet, cut in the parts that load apart and hardened against the host page.

Every declaration becomes important in a cascade layer: important rules in a layer win over
important rules outside any (CSS Cascading and Inheritance Level 5, 6.4.1), so the host page's
`button { … !important }` cannot make one button louder than the other. Custom properties stay
as they are written: they are how a site changes the theme. The word itself is not sent: the client
puts it in (static/js/root.js), by the rule of `harden`.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

import tinycss2
from tinycss2.ast import Declaration, QualifiedRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from slagboom_banner.model import Look, Scheme

_CUT = re.compile(r"/\* --- (.+?) --- \*/")
_SPACE = re.compile(r"\s+")
_TIGHT = re.compile(r"\s*([,>{}/])\s*")
_ZERO = re.compile(r"(?<![\w.])0(?=\.\d)")
_DARK = re.compile(r"@media \(prefers-color-scheme: dark\)\{((?:[^{}]*\{[^{}]*\})*)\}")
_DECLARATION = re.compile(r"[{;][a-z][^{};]*(?=[;}])")


def _serialise(tokens: Iterable[Any]) -> str:
    return _SPACE.sub(" ", tinycss2.serialize(list(tokens))).strip()


def _fault(node: Any) -> str:  # noqa: ANN401 -- any node of the syntax tree
    return f"theme: line {node.source_line}: neither a rule nor a declaration; mend the style sheet"


def _minify_declarations(content: list[Any]) -> str:
    declarations = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
    parts = []
    for declaration in declarations:
        if not isinstance(declaration, Declaration):
            raise ValueError(_fault(declaration))  # noqa: TRY004 -- the style sheet is wrong, no type
        is_property = declaration.name.startswith("--")
        important = "!important" if is_property and declaration.important else ""
        value = _ZERO.sub("", _TIGHT.sub(r"\1", _serialise(declaration.value)))
        text = f"{declaration.name}:{value}{important}"
        if not is_property and harden(f"{{{text}}}") != f"{{{text}!important}}":
            message = f"theme: line {declaration.source_line}: {text} cannot be made important"
            raise ValueError(message)
        parts.append(text)
    return ";".join(parts)


def _minify_rules(rules: Iterable[Any]) -> str:
    parts = []
    for rule in rules:
        if rule.type == "at-rule" and rule.content is not None:
            nested = tinycss2.parse_rule_list(
                rule.content, skip_comments=True, skip_whitespace=True
            )
            condition = _serialise(rule.prelude)
            parts.append(f"@{rule.at_keyword} {condition}{{{_minify_rules(nested)}}}")
        elif not isinstance(rule, QualifiedRule) or rule.content is None:
            raise ValueError(_fault(rule))
        else:
            selectors = _TIGHT.sub(r"\1", _serialise(rule.prelude))
            parts.append(f"{selectors}{{{_minify_declarations(rule.content)}}}")
    return "".join(parts)


@functools.lru_cache(maxsize=32)
def cut_style(css: str, scheme: Scheme | None = None) -> Mapping[str, str]:
    """The sections of a theme by name, minified; `gate` is the one before the first cut.

    css: a theme file; comments of the form `--- name ---` divide it. scheme: as in `Look`.
    Raises ValueError where it is no valid style sheet.
    """
    names_and_texts = ["gate", *_CUT.split(css)]
    pairs = zip(names_and_texts[::2], names_and_texts[1::2], strict=True)
    return {name: _fix_scheme(_minify_part(text), scheme) for name, text in pairs}


def _fix_scheme(css: str, scheme: Scheme | None) -> str:
    """The style for a site that has one scheme alone, whatever the visitor's browser prefers."""
    if scheme in {None, "auto"}:
        return css
    css = _DARK.sub(r"\1" if scheme == "dark" else "", css)
    return css.replace("color-scheme:light dark", f"color-scheme:{scheme}")


def _minify_part(css: str) -> str:
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    return _minify_rules(rules)


def join_sections(sections: Iterable[str]) -> str:
    """Sections as one style sheet in the kit's cascade layer."""
    return f"@layer slagboom{{{''.join(sections)}}}"


def style_first_layer(css: str, look: Look) -> str:
    """All that a first layer is drawn with, in the order the client adds it. css: a theme file."""
    sections = cut_style(css, look.scheme)
    names = ["first layer", look.layout, *(["logo"] if look.logo else []), "note"]
    parts = [sections["gate"], paint(look)], [sections["layers"]], [sections[n] for n in names]
    return harden("".join(map(join_sections, parts)))


def harden(css: str) -> str:
    """The style as the client has it: every declaration of a property of CSS itself important."""
    return _DECLARATION.sub(r"\g<0>!important", css)


def paint(look: Look) -> str:
    """A company's colours as custom properties; a style sheet of the site still outranks them."""
    parts = []
    for scheme, palette in (("light", look.light), ("dark", look.dark)):
        colours = palette.model_dump(exclude_none=True)
        colours |= {name: f"var(--sb-{other})" for name, other in palette.stand_ins().items()}
        if not colours or look.scheme not in {None, "auto", scheme}:
            continue
        properties = ";".join(
            f"--sb-{name.replace('_', '-')}:{value}" for name, value in colours.items()
        )
        # The theme's own colours come later, with a layer.
        rule = f"#slagboom#slagboom,.sb-embed.sb-embed{{{properties}}}"
        if look.scheme != scheme:
            rule = f"@media (prefers-color-scheme:{scheme}){{{rule}}}"
        parts.append(rule)
    return "".join(parts)
