from __future__ import annotations

import datetime as dt

from bench.client.measure import Speed, Weight
from bench.client.report import FIGURES, ratio, write_report
from bench.client.results import Results, Series

BYTES, TAGS, SHIFT = (
    next(figure for figure in FIGURES if words in figure.title)
    for words in ("until the first", "tags run", "layout shift")
)


def series(first: int, tags: float | None) -> Series:
    speed = Speed(visible=100, clickable=120, tags=tags, interaction=40, shift=0, lost_clicks=0)
    thrice = [speed] * 3
    return Series(Weight(first, 1000, 9000), thrice, thrice, thrice, [90, 92, 91])


def results(**peers: Series) -> Results:
    named = {name.replace("_", "-"): found for name, found in peers.items()}
    return Results(
        browser="156",
        slowdown=4,
        versions={"orejime": "3.2.1"},
        series={"slagboom": series(5000, 30), **named},
        date=dt.date(2026, 11, 22),
        machine="2 cores (Z80)",
        loads=[0.5, 1.5, 0.7],
        bare_work=[60, 62, 61],
    )


def test_ours_is_held_against_the_best_peer() -> None:
    run = results(klaro=series(50_000, 80), orejime=series(10_000, 120))
    assert ratio(BYTES, run) == 0.5
    assert ratio(TAGS, run) == 30 / 80


def test_a_peer_that_holds_no_tags_back_is_shown_but_sets_no_mark() -> None:
    run = results(orejime=series(10_000, 120), osano_cookieconsent=series(7000, 10))
    assert ratio(BYTES, run) == 0.5
    assert ratio(TAGS, run) == 30 / 120
    assert "| 7000 |" in write_report(run)


def test_nothing_is_divided_by_what_was_not_measured_or_is_nought() -> None:
    assert ratio(TAGS, results()) is None
    assert ratio(TAGS, results(orejime=series(10_000, None))) is None
    assert ratio(SHIFT, results(orejime=series(10_000, 120))) is None


def test_the_work_is_what_comes_on_top_of_the_bare_page() -> None:
    (row,) = (
        line
        for line in write_report(results(orejime=series(10_000, 120))).splitlines()
        if line.startswith("| script, style and layout")
    )
    assert row.endswith("| 1.00 | 30 | **30** |")


def test_the_table_says_how_it_came_about() -> None:
    method = write_report(results(orejime=series(10_000, 120))).splitlines()[0]
    for words in (
        "2026-11-22",
        "Chromium 156",
        "2 cores (Z80)",
        "0.5 to 1.5",
        "3 rounds",
        "orejime 3.2.1",
    ):
        assert words in method
