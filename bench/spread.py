"""Repeated measurements as a median with quartiles: a mean would follow the one slow run."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle of some measurements: median, lower and upper quartile, in their own unit."""

    median: float
    lower: float
    upper: float


def spread(values: Iterable[float | None]) -> Spread | None:
    """The spread of what was measured, None where nothing was; None among the values is left out.

    Quartiles as `statistics.quantiles` has them with the method "inclusive": never outside of what
    was measured.
    """
    measured = [float(value) for value in values if value is not None]
    if not measured:
        return None
    if len(measured) == 1:
        return Spread(measured[0], measured[0], measured[0])
    lower, median, upper = statistics.quantiles(measured, n=4, method="inclusive")
    return Spread(median, lower, upper)
