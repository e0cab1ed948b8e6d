from __future__ import annotations

import pytest

from bench.spread import Spread, spread


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0], Spread(3, 3, 3)),
        ([1.0, 2.0, 3.0, 4.0, 5.0], Spread(3, 2, 4)),
        ([4.0, 1.0, 3.0, 2.0], Spread(2.5, 1.75, 3.25)),
    ],
)
def test_the_middle_and_the_quartiles_of_what_was_measured(
    values: list[float], expected: Spread
) -> None:
    assert spread(values) == expected


def test_one_slow_run_moves_no_median() -> None:
    calm, disturbed = (
        spread([10.0, 11.0, 12.0, 13.0, 14.0]),
        spread([10.0, 11.0, 12.0, 13.0, 900.0]),
    )
    assert calm is not None
    assert disturbed is not None
    assert disturbed.median == calm.median


def test_what_was_not_measured_is_left_out_and_never_counts_as_nought() -> None:
    assert spread([None, 5.0, None, 7.0]) == Spread(6, 5.5, 6.5)
    assert spread([None]) is None
    assert spread([]) is None
