"""`slagboom log erase`, `log purge`, `log stats --by` and `hold` on the command line."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from typing import TYPE_CHECKING

import pytest
from kit_samples import edit
from log_samples import DOCUMENT, NOON, consent_id, decision_id, make_offer, make_record

from slagboom_server.store import Filter

if TYPE_CHECKING:
    from pathlib import Path

    from command import Run

    from slagboom_server.store_sql import SqlStore

VISITOR = str(consent_id(1))


@pytest.fixture
def run(slagboom: Run, policies: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `slagboom …`."""
    monkeypatch.setenv("SLAGBOOM_POLICIES", str(policies))
    return slagboom


@pytest.fixture
def filled(store: SqlStore) -> SqlStore:
    """Two decisions of today and two of many years ago, of two sites; one site has no policy."""
    for number, site in enumerate(("acme", "gone"), 1):
        offer = make_offer(site, number)
        store.remember_notice(offer, DOCUMENT, NOON)
        long_ago = NOON - dt.timedelta(days=6000)
        today = dt.datetime.now(dt.UTC)
        store.append(
            [
                make_record(number, offer, today, given_at=today),
                make_record(number + 2, offer, long_ago),
            ]
        )
    return store


@pytest.mark.usefixtures("filled")
def test_the_officer_erases_after_having_looked(run: Run, filled: SqlStore) -> None:
    erase = ("log", "erase", "--consent-id", VISITOR)

    assert run(*erase, "--dry-run") == (0, "1 record would be erased\n", "")
    assert filled.count(Filter()) == 4
    assert run(*erase) == (0, "1 record erased\n", "")
    assert filled.count(Filter()) == 3
    code, out, err = run(*erase)

    assert (code, out) == (1, "")
    assert err == f"slagboom: {VISITOR}: no such visitor in this log\n"


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("log", "erase", "--consent-id", "17"), "write the whole identifier"),
        (("log", "erase", "--consent-id", VISITOR, "--site", "nowhere"), "does not know it"),
        (("log", "purge", "--site", "nowhere"), "does not know it"),
        (("log", "purge", "--format", "csv"), "choose one of table, json"),
        (("hold", "add", "--reason", " "), "write 1 to 500 characters"),
        (("hold", "add", "--reason", "case", "--since", "once"), "write 2026-11-21"),
        (("log", "stats", "--by", "day,weather"), "choose one of site, day"),
        (("log", "stats", "--by", "day", "--action", "save"), "leave out --action"),
        (("log", "stats", "--by", "day", "--since", "2026-11-21T10:00"), "whole UTC days"),
    ],
)
def test_a_mistake_is_one_clear_line(
    run: Run, filled: SqlStore, arguments: tuple[str, ...], reason: str
) -> None:
    code, out, err = run(*arguments)

    assert (code, out) == (2, "")
    assert reason in err
    assert err.count("\n") == 1
    assert filled.count(Filter()) == 4


def test_a_held_visitor_is_not_erased_until_the_hold_is_released(
    run: Run, filled: SqlStore
) -> None:
    added = run("hold", "add", "--site", "acme", "--since", "2026-11-01", "--reason", "case 17")
    refused = run("log", "erase", "--consent-id", VISITOR)
    listed = run("hold", "list", "--format", "json")

    assert added == (0, "hold 1 is in force and keeps 1 record now\n", "")
    assert refused[:2] == (1, "")
    assert "legal hold 1 keeps these records" in refused[2]
    [hold] = json.loads(listed[1])
    assert hold["filter"] == {"site": "acme", "since": "2026-11-01T00:00:00+00:00"}
    assert (hold["reason"], hold["released_at"]) == ("case 17", None)
    assert "case 17" in run("hold", "list")[1]
    assert run("hold", "release", "1")[0] == 0
    code, _, err = run("hold", "release", "1")
    assert (code, err) == (1, "slagboom: hold 1: there is none in force\n")
    assert run("log", "erase", "--consent-id", VISITOR)[0] == 0
    assert filled.count(Filter()) == 3


def test_a_purge_tells_first_and_then_does_what_it_told(run: Run, filled: SqlStore) -> None:
    told = run("log", "purge", "--dry-run", "--format", "json")
    assert filled.count(Filter()) == 4
    done = run("log", "purge", "--format", "json")
    again = run("log", "purge", "--format", "json")

    assert (told[0], done[0]) == (0, 0)
    [row] = json.loads(done[1])
    assert (row["site"], row["retention_days"], row["records"], row["held"]) == ("acme", 1826, 1, 0)
    assert {**json.loads(told[1])[0], "ended_before": ""} == {**row, "ended_before": ""}
    assert json.loads(again[1])[0]["records"] == 0
    assert "gone: no policy in" in done[2]
    assert filled.count(Filter(site="gone")) == 2
    assert "acme" in run("log", "purge", "--dry-run")[1]


def test_the_policy_says_how_long_a_record_is_kept(
    run: Run, filled: SqlStore, policies: Path
) -> None:
    settings = "consent_lifetime_days: 182"
    edit(policies / "acme.yaml", settings, f"{settings}\nrecord: {{retention_days: 3660}}")
    hours = (182 + 3660) * 24
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    offer = make_offer("acme", 1)
    filled.append(
        [
            make_record(8, offer, now - dt.timedelta(hours=hours + 1)),
            make_record(9, offer, now - dt.timedelta(hours=hours - 1)),
        ]
    )

    [row] = json.loads(run("log", "purge", "--format", "json", "--site", "acme")[1])

    assert row["records"] == 2
    assert filled.record(decision_id(8)) is None
    assert filled.record(decision_id(9)) is not None


def test_a_clock_no_visitor_vouches_for_purges_nothing_until_it_is_confirmed(
    run: Run, store: SqlStore
) -> None:
    offer = make_offer("acme", 1)
    store.remember_notice(offer, DOCUMENT, NOON)
    long_ago = NOON - dt.timedelta(days=6000)
    store.append([make_record(n, offer, long_ago, given_at=long_ago) for n in range(3)])

    code, out, err = run("log", "purge")
    told = run("log", "purge", "--dry-run", "--format", "json")

    assert (code, out) == (1, "")
    assert "nobody has decided in the 24 hours before" in err
    assert err.count("\n") == told[2].count("\n") == 1
    assert (told[0], json.loads(told[1])[0]["records"]) == (0, 3)
    assert "slagboom log purge --clock-is-right" in told[2]
    assert store.count(Filter()) == 3
    code, _, err = run("log", "purge", "--clock-is-right")
    assert (code, err, store.count(Filter())) == (0, "", 0)


def test_a_purge_without_anything_to_purge_needs_nobody_to_vouch_for_the_clock(
    run: Run, store: SqlStore
) -> None:
    offer = make_offer("acme", 1)
    store.remember_notice(offer, DOCUMENT, NOON)
    quiet = dt.datetime.now(dt.UTC) - dt.timedelta(days=90)
    store.append([make_record(1, offer, quiet, given_at=quiet)])

    assert run("log", "purge")[0::2] == (0, "")


@pytest.mark.usefixtures("filled")
def test_counts_stay_when_records_go(run: Run) -> None:
    run("log", "purge")

    rows = list(
        csv.DictReader(io.StringIO(run("log", "stats", "--by", "site", "--format", "csv")[1]))
    )
    described = json.loads(run("log", "stats", "--by", "purpose", "--format", "json")[1])
    table = run("log", "stats", "--by", "day,purpose,language")[1]
    nothing = run("log", "stats", "--by", "day", "--since", "2030-01-01")[1]

    assert [(row["site"], row["decisions"], row["opt_in_rate"]) for row in rows] == [
        ("acme", "2", "1.0"),
        ("gone", "2", "1.0"),
    ]
    assert [(row["purpose"], row["granted"]) for row in described] == [
        ("marketing", 4),
        ("statistics", 4),
    ]
    assert "100.0%" in table
    assert "…" not in table
    assert nothing == "Nothing was counted.\n"
