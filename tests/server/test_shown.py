"""First layers waiting in memory: counted once, bounded, and in nobody's way."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from event_loop import in_loop
from log_samples import DOCUMENT, NOON, make_offer, make_record

from slagboom_server import shown as shown_module
from slagboom_server.anonymise import Device
from slagboom_server.errors import StoreUnavailable
from slagboom_server.rollup import Shown, ShownCounts
from slagboom_server.shown import ShownCounter
from slagboom_server.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from slagboom_server.record import ConsentRecord
    from slagboom_server.store import Appended
    from slagboom_server.store_sql import SqlStore


def make_shown(language: str = "nl") -> Shown:
    return Shown("dsoft", NOON.date(), 1, language, ("statistics",), None, Device.PHONE)


class WatchedStore:
    """A store that tells when it has stored, and fails as often as it is told."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.stored = threading.Event()
        self.failures = 0

    def append(
        self, new: Sequence[ConsentRecord], shown: ShownCounts | None = None
    ) -> Sequence[Appended]:
        if self.failures:
            self.failures -= 1
            message = "gone for a moment"
            raise StoreUnavailable(message)
        answers = self._store.append(new, shown)
        self.stored.set()
        return answers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@pytest.fixture
def watched(store: SqlStore) -> WatchedStore:
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    return WatchedStore(store)


def count_of(store: WatchedStore) -> int:
    [whole] = store.rollups.read(())
    return int(whole.shown)


def test_what_is_shown_is_stored_soon_without_any_decision(watched: WatchedStore) -> None:
    with Writer(watched, shown_seconds=0.01) as writer:
        writer.count_shown(make_shown(), NOON)
        assert watched.stored.wait(60)

        assert count_of(watched) == 1


def test_what_is_shown_goes_along_with_the_next_decision(watched: WatchedStore) -> None:
    with Writer(watched, shown_seconds=3600) as writer:
        writer.count_shown(make_shown(), NOON)
        writer.count_shown(make_shown(), NOON)
        assert not watched.stored.is_set()
        in_loop(writer.submit(make_record(1)))

        assert count_of(watched) == 2


def test_a_stop_stores_what_was_shown(watched: WatchedStore) -> None:
    with Writer(watched, shown_seconds=3600) as writer:
        writer.count_shown(make_shown(), NOON)

    assert count_of(watched) == 1


def test_a_failure_loses_no_count(watched: WatchedStore) -> None:
    watched.failures = 2
    with Writer(watched, shown_seconds=0.01) as writer:
        writer.count_shown(make_shown(), NOON)
        writer.count_shown(make_shown("fr"), NOON)
        assert watched.stored.wait(60)

    assert count_of(watched) == 2


def test_a_stop_does_not_wait_for_a_log_that_is_gone(watched: WatchedStore) -> None:
    watched.failures = 1000
    with Writer(watched, shown_seconds=3600) as writer:
        writer.count_shown(make_shown(), NOON)

    assert watched.failures == 999


def test_kinds_are_bounded_and_those_that_wait_are_counted_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shown_module, "_MAX_KINDS", 2)
    counter = ShownCounter()

    firsts = [counter.add(make_shown(language), NOON) for language in ("nl", "fr", "de", "nl")]
    taken = counter.take()
    assert taken is not None
    counter.give_back(ShownCounts({make_shown("en"): 1, make_shown("sv"): 1}, NOON))
    counter.give_back(taken)

    assert firsts == [True, False, False, False]
    assert taken.counts == {make_shown("nl"): 2, make_shown("fr"): 1}
    left = counter.take()
    assert left is not None
    assert left.counts == {make_shown("en"): 1, make_shown("sv"): 1}
    assert counter.take() is None
