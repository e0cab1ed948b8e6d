"""A run as a table: each figure as a ratio to its limit or peer, the target, the raw figures."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from bench.document import write_table
from bench.server.load import CONNECTIONS
from bench.server.results import BARE, FILLED, KIT, PEER
from bench.spread import spread

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from bench.server.reading import Work
    from bench.server.results import Engine, Results

    class _Rated(Protocol):
        @property
        def rate(self) -> float: ...


Row = tuple[str, str, str, str]

_OF_NOTHING = {"SQLite": "0.60 or more", "PostgreSQL": "0.45 or more"}
_DIGITS_BELOW = 10  # from there on, digits behind the point tell nothing


def compare(ours: Sequence[_Rated], theirs: Sequence[_Rated]) -> float | None:
    """The median over the rounds of our rate / theirs in the same round; None without rounds."""
    pairs = zip(ours, theirs, strict=False)
    ratios = [mine.rate / other.rate for mine, other in pairs if other.rate]
    return statistics.median(ratios) if ratios else None


def write_report(results: Results) -> str:
    """The run as Markdown: how it was measured, a table, what is missing."""
    head = ["", "to reach", "ratio", "measured"]
    rows = [
        row for name, engine in results.engines.items() for row in _engine(name, engine, results)
    ]
    missing = "".join(f"\nNot measured: {reason}.\n" for reason in results.missing)
    return f"{_method(results)}\n\n{write_table(head, rows)}{missing}"


def _method(results: Results) -> str:
    versions = "".join(f", {name} {version}" for name, version in results.versions.items())
    loads = spread(results.loads)
    load = f"{loads.lower:.1f} to {loads.upper:.1f}" if loads else "unknown"
    return (
        f"Measured on {results.date}: {results.machine}, shared with the load, load average"
        f" {load}, {CONNECTIONS} connections, {len(results.nothing)} rounds, every answer durable,"
        f" {results.rows:,} decisions stored before the filled log was measured{versions}."
    )


def _engine(name: str, engine: Engine, results: Results) -> list[Row]:
    rows = [*_load_rows(name, engine, results), *_reading_rows(name, engine)]
    for kind, title, goal in (
        ("export", "export as CSV", "1.00 or more"),
        ("export_json", "export as JSON Lines", "1.00 or more"),
        ("verify", "verify the chain", "1.00 on one core, 1.70 on two"),
    ):
        rows += _walk_rows(f"{name}: {title}", goal, getattr(engine, kind))
    size = engine.bytes_per_decision
    if KIT in size:
        share = size[KIT] / size[PEER] if PEER in size else None
        told = f"{size[KIT]:.0f}" + (f"; c15t {size[PEER]:.0f}" if PEER in size else "")
        rows.append(
            (f"{name}: bytes a decision on disk / c15t", "at most 450", _ratio(share), told)
        )
    kills = engine.kills
    if kills is not None:
        told = f"{kills.lost} of {len(kills.acknowledged):,} acknowledged in {kills.times} kills"
        rows.append((f"{name}: acknowledged and lost", "0", "-", told))
    return rows


def _load_rows(name: str, engine: Engine, results: Results) -> list[Row]:
    ours = engine.bursts.get(KIT, [])
    if not ours:
        return []
    versus = [
        ("Starlette storing nothing", _OF_NOTHING[name], results.nothing),
        ("bare group commit with chain", "-", engine.bursts.get(BARE, [])),
        ("c15t", "-", engine.bursts.get(PEER, [])),
    ]
    rows = [
        (
            f"{name}: decisions a second / {title}",
            goal,
            _ratio(compare(ours, theirs)),
            f"{_rate(ours)} / {_rate(theirs)}",
        )
        for title, goal, theirs in versus
        if theirs
    ]
    filled = engine.bursts.get(FILLED, [])
    if filled:
        stored = f"{results.rows:,} stored"
        share = _ratio(compare(filled, ours))
        told = f"{_rate(filled)} / {_rate(ours)}"
        rows.append((f"{name}: with {stored} / empty log", "0.90 or more", share, told))
    tails = spread(burst.tail for burst in ours)
    median = spread(burst.median for burst in ours)
    if tails and median:
        told = f"median {median.median:.1f} ms"
        rows.append((f"{name}: slowest hundredth / median", "below 8", _ratio(tails.median), told))
    return rows


def _reading_rows(name: str, engine: Engine) -> list[Row]:
    answers = engine.answers
    if answers is None:
        return []
    visitor = f"{_ms(answers.visitor)}, slowest hundredth {_ms(answers.slow_visitor)}"
    asked = f"{_ms(answers.asked)}, slowest hundredth {_ms(answers.slow_asked)}"
    pages = (
        f"first {_ms(answers.first_page)}, last {_ms(answers.last_page)}, any"
        f" {_ms(answers.any_page)}, slowest hundredth {_ms(answers.slow_page)}"
    )
    ratio = answers.last_page / answers.first_page
    return [
        (f"{name}: look up one visitor", "below 1 ms", "-", visitor),
        (f"{name}: the same over HTTP, with a receipt", "below 10 ms", "-", asked),
        (f"{name}: a page of 100, last / first", "below 8 ms each", _ratio(ratio), pages),
        (f"{name}: opt-in rate by day and purpose", "below 10 ms", "-", _ms(answers.year)),
    ]


def _walk_rows(title: str, goal: str, walks: dict[str, list[Work]]) -> list[Row]:
    bare = walks.get(BARE, [])
    return [
        (
            f"{title}, {who} / bare loop",
            goal,
            _ratio(compare(walk, bare)),
            (
                f"{_rate(walk)} / {_rate(bare)} rows a second,"
                f" at most {max(work.memory for work in walk):.0f} MB"
            ),
        )
        for who, walk in walks.items()
        if who != BARE
    ]


def _rate(measured: Sequence[_Rated]) -> str:
    found = spread(one.rate for one in measured)
    if found is None:
        return "-"
    return f"{found.median:,.0f} [{found.lower:,.0f}, {found.upper:,.0f}]"


def _ratio(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if value < _DIGITS_BELOW else f"{value:.0f}"


def _ms(value: float) -> str:
    return f"{value:.2f} ms"
