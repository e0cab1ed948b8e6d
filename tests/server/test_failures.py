"""Decisions that cannot be stored are told in a few lines, however many they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from told_time import Time

from slagboom_server.failures import Failures

if TYPE_CHECKING:
    from collections.abc import Callable

FULL = "database or disk is full"


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    return lambda: [record.getMessage() for record in caplog.records]


def test_a_state_is_one_line_and_then_a_count_a_minute(
    time: Time, told: Callable[[], list[str]]
) -> None:
    failures = Failures(time)
    for _ in range(600):
        failures.note(2, FULL)
        # A group may succeed in between; the disk is full all the same.
        failures.note_success()
        time.now += 0.125

    assert told() == [
        f"2 decisions were not stored: {FULL}",
        f"960 more decisions were not stored: {FULL}",
    ]


def test_another_reason_is_another_line_and_ends_the_count_of_the_first(
    time: Time, told: Callable[[], list[str]]
) -> None:
    failures = Failures(time)
    for reason in (FULL, FULL, FULL, "it is gone"):
        failures.note(1, reason)

    assert told() == [
        f"1 decisions were not stored: {FULL}",
        f"2 more decisions were not stored: {FULL}",
        "1 decisions were not stored: it is gone",
    ]


def test_the_end_of_a_state_is_told_once_with_what_was_not_told_before(
    time: Time, told: Callable[[], list[str]]
) -> None:
    failures = Failures(time)
    failures.note_success()
    failures.note(1, FULL)
    failures.note(3, FULL)
    for _ in range(100):
        time.now += 0.1
        failures.note_success()

    assert told() == [
        f"1 decisions were not stored: {FULL}",
        f"3 more decisions were not stored: {FULL}",
        "decisions are stored again",
    ]


def test_the_trace_of_a_defect_is_told_once(time: Time, caplog: pytest.LogCaptureFixture) -> None:
    failures = Failures(time)
    for _ in range(5):
        error = ZeroDivisionError("a defect")
        failures.note(1, "a defect", error)

    assert [record.exc_info is not None for record in caplog.records] == [True]
