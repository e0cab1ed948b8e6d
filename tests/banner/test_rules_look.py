"""The lint of a company's colours: readable in the light and in the dark, or an error."""

from __future__ import annotations

import dataclasses

import pytest

from slagboom_banner.assets import policies_directory, texts_directory
from slagboom_banner.load import read_policies
from slagboom_banner.model import Look, Palette
from slagboom_banner.rules import check_policy
from slagboom_banner.rules_look import contrast
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
