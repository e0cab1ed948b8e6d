"""A run as a table: each figure of ours, the best peer's beside it, their ratio and the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.client.subjects import OURS, PEERS
from bench.document import write_table
from bench.spread import Spread, spread

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.client.results import Results, Series

_WHOLE_FROM = 10  # below, a digit behind the point tells something
_GATING = {peer.name for peer in PEERS if peer.gates}


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the table. goal: the target in words.

    take: the spread of it in one subject's series. among: whose best it is compared with.
    """

    title: str
    goal: str
    take: Callable[[Series, Results], Spread | None]
    among: frozenset[str] = frozenset(_GATING)


def _weight(field: str) -> Callable[[Series, Results], Spread | None]:
    return lambda series, _: spread([getattr(series.weight, field, None)])


def _speed(line: str, field: str) -> Callable[[Series, Results], Spread | None]:
    return lambda series, _: spread(getattr(speed, field) for speed in getattr(series, line))


def _work(series: Series, results: Results) -> Spread | None:
    """Round by round the difference to the page without a banner in the same round."""
    pairs = zip(series.work, results.bare_work, strict=False)
    return spread(with_banner - bare for with_banner, bare in pairs)


_ALL = frozenset(peer.name for peer in PEERS)
FIGURES = (
    Figure("bytes until the first layer shows", "6500", _weight("first")),
    Figure("bytes for a visitor who has decided", "3000", _weight("decided")),
    Figure("bytes of everything, second layer included", "11000", _weight("everything")),
    Figure("first visible, slow 4G, ms", "below every peer", _speed("slow", "visible"), _ALL),
    Figure("clickable, slow 4G, ms", "below every peer", _speed("slow", "clickable"), _ALL),
    Figure("first visible, loopback, ms", "", _speed("local", "visible"), _ALL),
    Figure("clickable, loopback, ms", "", _speed("local", "clickable"), _ALL),
    Figure("script, style and layout over the bare page, ms", "half the best peer", _work),
    Figure("accept click to tags run, ms", "half the best peer", _speed("read", "tags")),
    Figure(
        "interaction to next paint on accept, ms", "below every peer", _speed("read", "interaction")
    ),
    Figure("a click at once to tags run, ms", "half the best peer", _speed("local", "tags")),
    Figure(
        "interaction to next paint of a click at once, ms",
        "below every peer",
        _speed("local", "interaction"),
    ),
    Figure("layout shift", "0", _speed("local", "shift")),
    Figure("clicks that did nothing", "0", _speed("local", "lost_clicks")),
)


def _cell(value: Spread | None) -> str:
    if value is None:
        return "-"
    whole = all(part.is_integer() for part in (value.lower, value.median, value.upper))
    digits = 0 if whole or value.median >= _WHOLE_FROM else 1
    middle = f"{value.median:.{digits}f}"
    if value.lower == value.upper:
        return middle
    return f"{middle} [{value.lower:.{digits}f}, {value.upper:.{digits}f}]"


def _best(figure: Figure, results: Results) -> tuple[str, float] | None:
    taken = (
        (name, figure.take(series, results))
        for name, series in results.series.items()
        if name in figure.among
    )
    medians = [(name, value.median) for name, value in taken if value is not None]
    return min(medians, key=lambda pair: pair[1], default=None)


def ratio(figure: Figure, results: Results) -> float | None:
    """Ours over the best peer's; None where there is no peer, or the peer's is 0."""
    best = _best(figure, results)
    ours = figure.take(results.series[OURS.name], results)
    return ours.median / best[1] if ours and best and best[1] else None


def write_report(results: Results) -> str:
    """The run as Markdown: how it was measured, and one table."""
    names = list(results.series)
    rows = []
    for figure in FIGURES:
        best = _best(figure, results)
        against = ratio(figure, results)
        cells = [
            f"**{cell}**" if best and name == best[0] else cell
            for name in names
            for cell in [_cell(figure.take(results.series[name], results))]
        ]
        share = "-" if against is None else f"{against:.2f}"
        rows.append([figure.title, figure.goal or "-", share, *cells])
    head = ["", "to reach", "ours / best peer", *names]
    return f"{_method(results)}\n\n{write_table(head, rows)}"


def _method(results: Results) -> str:
    rounds = len(results.loads)
    low, high = (min(results.loads), max(results.loads)) if rounds else (0, 0)
    packages = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    bare = spread(results.bare_work)
    return (
        f"Measured on {results.date}: Chromium {results.browser}, CPU slowed"
        f" {results.slowdown:g} times, {results.machine}, load average {low:.1f} to"
        f" {high:.1f}. Medians of {rounds} rounds with quartiles, the best peer's in bold;"
        f" the bare page takes {_cell(bare)} ms of script, style and layout. Peers: {packages}."
    )
