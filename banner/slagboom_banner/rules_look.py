"""Legal lint of how the layers look: readable in both schemes, and no answer hidden by colour.

Contrast is computed as WCAG 2.2 defines it (relative luminance, 1.4.3 and 1.4.11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from slagboom_banner.remark import Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slagboom_banner.load import LoadedPolicy
    from slagboom_banner.remark import Texts

# The colours of the theme `plain`, where a palette leaves one out.
_THEME = {
    "light": {
        "surface": "#ffffff",
        "text": "#1c2127",
        "quiet": "#4b5563",
        "accent": "#1f3b57",
        "on_accent": "#ffffff",
        "note": "#eef3f8",
        "focus": "#0b63ce",
    },
    "dark": {
        "surface": "#1a1f26",
        "text": "#e9edf2",
        "quiet": "#b4bdc8",
        "accent": "#c3dbf5",
        "on_accent": "#10202f",
        "note": "#242d38",
        "focus": "#8fc1ff",
    },
}
_LINEAR_BELOW = 0.04045
_TEXT_RATIO = 4.5
_CONTROL_RATIO = 3.0
# Lines are left out: each only surrounds what its text or its place tells apart already.
_PAIRS = (
    ("text", "surface", _TEXT_RATIO),
    ("text", "note", _TEXT_RATIO),
    ("quiet", "surface", _TEXT_RATIO),
    ("on_accent", "accent", _TEXT_RATIO),
    ("accent", "surface", _CONTROL_RATIO),
    ("accent", "note", _CONTROL_RATIO),
    ("focus", "surface", _CONTROL_RATIO),
    ("focus", "note", _CONTROL_RATIO),
)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours written as `#rrggbb`, 1 to 21."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    linear = (
        part / 12.92 if part <= _LINEAR_BELOW else ((part + 0.055) / 1.055) ** 2.4
        for part in (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    )
    red, green, blue = linear
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def check_contrast(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """A company's colours leave every text and button readable, in the light and in the dark.

    Source: WCAG 2.2, 1.4.3 and 1.4.11; EDPB Cookie Banner Taskforce report, on contrast.
    """
    look = loaded.policy.look
    for scheme, palette in (("light", look.light), ("dark", look.dark)):
        given = palette.model_dump(exclude_none=True)
        if look.scheme not in {None, "auto", scheme}:
            if given:
                message = f"is not used, for the scheme is {look.scheme}; take one of the two out"
                yield Remark(f"look.{scheme}", message, severity="warning")
            continue
        colours = _THEME[scheme] | given
        stand_ins = palette.stand_ins()
        judged = set()
        for role, ground, least in _PAIRS:
            front, back = stand_ins.get(role, role), stand_ins.get(ground, ground)
            # A pair with a stand-in is one of those before it, and held to no less there.
            if (front, back) in judged or not {front, back} & given.keys():
                continue
            judged.add((front, back))
            ratio = contrast(colours[front], colours[back])
            if ratio < least:
                named = front if front in given else back
                yield Remark(
                    f"look.{scheme}.{named}",
                    f"{front} {colours[front]} on {back} {colours[back]} has a contrast of "
                    f"{ratio:.1f}; {least} is the least, take a darker or lighter one",
                )
