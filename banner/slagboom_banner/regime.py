"""Which rules a visitor's country sets for asking, with the law beside each row.

Only the country is known, so a federation takes its strictest part. A country that is not in the
table, or not known at all, gets the strictest regime: a mistake then asks once too often and never
once too little.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

EEA = frozenset(
    {"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE"}
    | {"IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"}
)


class Regime(StrEnum):
    """What must happen before a service may store, read or send."""

    OPT_IN = "opt_in"
    OPT_OUT = "opt_out"
    NOTICE_ONLY = "notice_only"


@dataclass(frozen=True, slots=True)
class Law:
    """One row of the table. countries: ISO 3166 alpha-2. source: the provision behind the row."""

    countries: frozenset[str]
    regime: Regime
    source: str


@dataclass(frozen=True, slots=True)
class Ruling:
    """What holds for one visitor.

    starts_granted: whether a service may run before the visitor has answered. source: the law.
    """

    regime: Regime
    starts_granted: bool
    source: str


LAWS = (
    Law(EEA, Regime.OPT_IN, "Directive 2002/58/EC Art. 5(3) with GDPR Art. 4(11)"),
    Law(frozenset({"GB"}), Regime.OPT_IN, "PECR 2003 reg. 6 with UK GDPR Art. 4(11)"),
    # Art. 45c alone would allow refusal afterwards; profiling and transfers need consent.
    Law(frozenset({"CH"}), Regime.OPT_IN, "TCA Art. 45c with FADP Art. 6(6) and 31"),
    Law(frozenset({"BR"}), Regime.OPT_IN, "LGPD Art. 7(I) and 8"),
    # Quebec decides for the whole of Canada.
    Law(frozenset({"CA"}), Regime.OPT_IN, "Quebec Act respecting private-sector privacy s. 8.1"),
    Law(frozenset({"US"}), Regime.OPT_OUT, "CCPA s. 1798.120 and 1798.135; 11 CCR s. 7025 (GPC)"),
    Law(frozenset({"AU"}), Regime.NOTICE_ONLY, "Privacy Act 1988, APP 5"),
    Law(frozenset({"NZ"}), Regime.NOTICE_ONLY, "Privacy Act 2020, IPP 3"),
    Law(frozenset({"JP"}), Regime.NOTICE_ONLY, "Telecommunications Business Act Art. 27-12"),
)
"""Every country outside these rows is treated as `STRICTEST`."""

STRICTEST = Law(frozenset(), Regime.OPT_IN, "no row for this country: the strictest regime")


def rule(country: str | None, *, has_gpc: bool) -> Ruling:
    """The regime of a country, and what it leaves running before an answer.

    country: ISO 3166 alpha-2, None where it is not known. has_gpc: whether the browser sends Global
    Privacy Control. The signal changes no regime; it turns "runs unless refused" into "refused
    unless granted", so nothing starts before an explicit yes.
    """
    law = next((law for law in LAWS if country in law.countries), STRICTEST)
    return Ruling(law.regime, law.regime is not Regime.OPT_IN and not has_gpc, law.source)
