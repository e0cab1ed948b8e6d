"""First layers counted in memory until they are stored; bounded, and about nobody."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from slagboom_server.rollup import ShownCounts

if TYPE_CHECKING:
    import datetime as dt

    from slagboom_server.rollup import Shown

_MAX_KINDS: Final = 10_000
"""Kinds of first layers held while the log cannot be used; a busy site has some hundreds."""


class ShownCounter:
    """How often which kind of first layer was shown since the last `take`; for one thread."""

    def __init__(self) -> None:
        self._counts: Counter[Shown] = Counter()
        self._counted_at: dt.datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._counts

    def add(self, shown: Shown, now: dt.datetime) -> bool:
        """Counts one; whether it is the first to wait. A new kind too many is not counted."""
        is_first = not self._counts
        if shown in self._counts or len(self._counts) < _MAX_KINDS:
            self._counts[shown] += 1
            self._counted_at = now
        return is_first

    def take(self) -> ShownCounts | None:
        """What waits, None for nothing."""
        if self._counted_at is None or not self._counts:
            return None
        taken = ShownCounts(self._counts, self._counted_at)
        self._counts = Counter()
        return taken

    def give_back(self, taken: ShownCounts) -> None:
        """What could not be stored, to be taken again."""
        for shown, times in taken.counts.items():
            if shown in self._counts or len(self._counts) < _MAX_KINDS:
                self._counts[shown] += times
        self._counted_at = self._counted_at or taken.counted_at
