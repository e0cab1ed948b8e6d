"""The lint of a company's colours: readable in the light and in the dark, or an error."""

from __future__ import annotations

import dataclasses
import re

import pytest

from slagboom_banner.assets import policies_directory, texts_directory, themes_directory
from slagboom_banner.load import read_policies
from slagboom_banner.model import Look, Palette
from slagboom_banner.rules import check_policy
from slagboom_banner.rules_look import _PAIRS, _THEME, contrast
from slagboom_banner.styles import cut_style
from slagboom_banner.texts import read_texts


def find_contrast_errors(look: Look) -> list[str]:
    loaded = read_policies(policies_directory())["dsoft"]
    changed = dataclasses.replace(loaded, policy=loaded.policy.model_copy(update={"look": look}))
    findings = check_policy(changed, read_texts(texts_directory()))
    return [finding.path for finding in findings if finding.rule == "contrast"]


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#123456", "#123456", 1.0)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize(
    ("palette", "path"),
    [
        (Palette(accent="#dddddd"), "look.light.accent"),
        (Palette(text="#999999"), "look.light.text"),
        (Palette(surface="#202020"), "look.light.surface"),
        (Palette(on_accent="#1f3b57"), "look.light.on_accent"),
        (Palette(note="#333333"), "look.light.note"),
        (Palette(focus="#eeeeee"), "look.light.focus"),
    ],
)
def test_colours_nobody_can_read_are_an_error(palette: Palette, path: str) -> None:
    assert path in find_contrast_errors(Look(light=palette))


def test_each_scheme_is_judged_by_its_own_colours() -> None:
    assert find_contrast_errors(Look(dark=Palette(accent="#1f3b57"))) != []
    assert find_contrast_errors(Look(light=Palette(accent="#1f3b57"))) == []


def test_the_theme_and_readable_colours_pass() -> None:
    assert find_contrast_errors(Look()) == []
    assert find_contrast_errors(Look(light=Palette(accent="#7a1f3d"))) == []


def test_a_ring_nobody_sees_on_a_coloured_surface_is_an_error() -> None:
    blue = {"surface": "#0b63ce", "text": "#ffffff", "quiet": "#ffffff", "accent": "#ffffff"}
    ring = Palette(**blue, on_accent="#0b63ce", focus="#0b63ce")

    assert find_contrast_errors(Look(light=ring)) == ["look.light.focus"]


def test_light_colours_given_for_the_dark_are_readable_on_every_ground() -> None:
    light = {"surface": "#ffffff", "text": "#1c2127", "quiet": "#4b5563", "accent": "#1f3b57"}
    palette = Palette(**light, on_accent="#ffffff")

    assert palette.stand_ins() == {"note": "surface", "focus": "text"}
    assert find_contrast_errors(Look(dark=palette)) == []
    # What nothing stands in for is judged as it will be seen.
    dark_note = palette.model_copy(update={"note": "#242d38"})
    assert "look.dark.text" in find_contrast_errors(Look(dark=dark_note))


def test_an_unreadable_pair_is_told_once() -> None:
    assert find_contrast_errors(Look(light=Palette(text="#999999"))) == ["look.light.text"]


def test_a_scheme_that_never_shows_is_not_judged() -> None:
    unreadable = Palette(text="#ffffff")
    assert find_contrast_errors(Look(light=unreadable, scheme="auto")) == ["look.light.text"]

    # One finding, that the colours are of no use.
    assert find_contrast_errors(Look(light=unreadable, scheme="dark")) == ["look.light"]
    assert find_contrast_errors(Look(dark=Palette(), scheme="light")) == []


def test_the_lint_knows_the_colours_of_the_theme() -> None:
    css = cut_style(themes_directory().joinpath("plain.css").read_text("utf-8"))
    for role in {role for pair in _PAIRS for role in pair[:2]}:
        section = css["second layer" if role == "quiet" else "layers"]
        found = re.findall(f"--sb-{role.replace('_', '-')}:(#[0-9a-f]{{6}})", section)
        assert found == [_THEME["light"][role], _THEME["dark"][role]]
