from __future__ import annotations

import pytest

from slagboom_banner.regime import EEA, LAWS, Regime, rule


@pytest.mark.parametrize("country", [*sorted(EEA), "GB", "CH", "BR", "CA"])
def test_nothing_starts_before_an_answer_where_consent_comes_first(country: str) -> None:
    ruling = rule(country, has_gpc=False)

    assert ruling.regime is Regime.OPT_IN
    assert not ruling.starts_granted


@pytest.mark.parametrize("country", [None, "", "XX", "be", "KP", "PR"])
def test_an_unknown_country_gets_the_strictest_regime(country: str | None) -> None:
    ruling = rule(country, has_gpc=False)

    assert ruling.regime is Regime.OPT_IN
    assert not ruling.starts_granted


@pytest.mark.parametrize(("country", "regime"), [("US", "opt_out"), ("AU", "notice_only")])
def test_a_privacy_signal_is_a_refusal_and_changes_no_regime(country: str, regime: str) -> None:
    without, with_signal = rule(country, has_gpc=False), rule(country, has_gpc=True)

    assert without.regime.value == with_signal.regime.value == regime
    assert without.starts_granted
    assert not with_signal.starts_granted


def test_the_eea_has_thirty_members() -> None:
    assert len(EEA) == 30


def test_a_country_has_one_row_and_each_row_names_its_law() -> None:
    countries = [country for law in LAWS for country in law.countries]

    assert len(countries) == len(set(countries))
    assert all(law.source for law in LAWS)
