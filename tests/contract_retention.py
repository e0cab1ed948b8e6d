"""What every engine must do about erasing, purging, holding and counting. A test module of an
engine brings a fixture `store` (empty, migrated) and imports all of this."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

import pytest
from log_samples import DOCUMENT, NOON, consent_id, decision_id, make_offer, make_record

from slagboom_banner.model import Action
from slagboom_server.anonymise import Device
from slagboom_server.chain import Reason, begin_chain, link, to_seq
from slagboom_server.retention import Pace, RecordsHeld, purge, purge_sites
from slagboom_server.rollup import Dimension, Shown, ShownCounts
from slagboom_server.store import Answer, Filter, Stored

if TYPE_CHECKING:
    from slagboom_server.record import ConsentRecord
    from slagboom_server.store_sql import SqlStore

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
WITHOUT_REST = Pace(lambda: 0.0, lambda _seconds: False)
DSOFT = make_offer("dsoft", 1)
SHORT = make_offer("dsoft", 2, revision=2, consent_lifetime_days=10)
OTHER = make_offer("soft4doc", 3, language="fr")


@pytest.fixture
def kept(store: SqlStore) -> SqlStore:
    """Two sites; six decisions of four visitors, on two days."""
    for offer in (DSOFT, OTHER):
        store.remember_notice(offer, DOCUMENT, NOON)
    granted = {"statistics", "google-analytics"}
    store.append(
        [
            make_record(1, DSOFT, NOON),
            make_record(2, DSOFT, NOON + HOUR, granted=granted),
            make_record(3, OTHER, NOON + HOUR, consent_id=consent_id(1)),
            dataclasses.replace(
                make_record(4, DSOFT, NOON + DAY, granted=set(), action="reject_all"), country="BE"
            ),
            make_record(
                5,
                DSOFT,
                NOON + DAY,
                granted=set(),
                action="withdraw",
                consent_id=consent_id(1),
                previous=decision_id(1),
            ),
            make_record(6, DSOFT, NOON + DAY + HOUR),
        ]
    )
    return store


def numbers(store: SqlStore) -> list[int]:
    return [record.decision_id.int & 0xFFFF for record in store.page(Filter(), limit=1000)]


def check_chains(store: SqlStore) -> int:
    """Follows every chain from its beginning to its head; how many of its records are erased."""
    erased = 0
    for chain in store.evidence.chains():
        head = begin_chain(chain.number, chain.uid, chain.started_at).head
        sealed = store.evidence.sealed(to_seq(chain.number, 1), to_seq(chain.number, chain.length))
        assert len(sealed) == chain.length
        for entry in sealed:
            head = link(head, entry.leaf)
            assert head == entry.hash
            erased += entry.is_erased
        assert head == chain.head
    return erased


def check_sums(store: SqlStore) -> None:
    """Whatever was erased: the counts are those of everything ever stored."""
    [whole] = store.rollups.read(())
    assert whole.decisions == sum(chain.length for chain in store.evidence.chains())
    for by in (Dimension.DAY, Dimension.COUNTRY, Dimension.DEVICE, Dimension.LANGUAGE):
        lines = store.rollups.read((Dimension.SITE, by))
        assert sum(line.decisions for line in lines) == whole.decisions
        assert sum(line.granted for line in lines) == whole.granted


def test_erasing_takes_a_visitors_records_and_nobody_elses(kept: SqlStore) -> None:
    assert kept.retention.erase(consent_id(1), Reason.VISITOR, NOON + DAY) == 3

    assert numbers(kept) == [2, 4, 6]
    assert kept.records_of(consent_id(1)) == []
    assert kept.record(decision_id(1)) is None
    assert check_chains(kept) == 3
    check_sums(kept)


def test_erasing_for_one_site_leaves_the_other_sites_alone(kept: SqlStore) -> None:
    assert kept.retention.erase(consent_id(1), Reason.DPO, NOON + DAY, "soft4doc") == 1
    assert kept.retention.erase(consent_id(1), Reason.DPO, NOON + DAY, "nowhere") == 0

    assert numbers(kept) == [1, 2, 4, 5, 6]


def test_erasing_nothing_is_no_error(kept: SqlStore) -> None:
    assert kept.retention.count(consent_id(99)) == (0, [])
    assert kept.retention.erase(consent_id(99), Reason.VISITOR, NOON) == 0
    assert check_chains(kept) == 0


def test_counts_of_a_visitor_tell_before_anything_is_erased(kept: SqlStore) -> None:
    assert kept.retention.count(consent_id(1)) == (3, [])
    assert kept.retention.count(consent_id(1), "dsoft") == (2, [])
    assert numbers(kept) == [1, 2, 3, 4, 5, 6]


def test_many_records_of_one_visitor_go_in_several_steps(store: SqlStore) -> None:
    store.remember_notice(DSOFT, DOCUMENT, NOON)
    store.append([make_record(n, DSOFT, consent_id=consent_id(1)) for n in range(450)])

    assert store.retention.erase(consent_id(1), Reason.VISITOR, NOON) == 450

    assert check_chains(store) == 450


def test_what_was_erased_may_be_given_again(kept: SqlStore) -> None:
    kept.retention.erase(consent_id(1), Reason.VISITOR, NOON + DAY)

    [answer] = kept.append([make_record(1, DSOFT, NOON + 2 * DAY)])

    assert isinstance(answer, Stored)
    assert check_chains(kept) == 3
    check_sums(kept)


def end_of(record: ConsentRecord | None, retention_days: int) -> dt.datetime:
    assert record is not None
    return record.valid_until + retention_days * DAY


def test_a_record_is_purged_only_once_its_time_is_up(kept: SqlStore) -> None:
    end = end_of(kept.record(decision_id(1)), 30)

    early = kept.retention.due("dsoft", 30, end)
    late = kept.retention.due("dsoft", 30, end + HOUR + HOUR)

    assert (early.records, early.held) == (0, 0)
    assert (late.records, late.held) == (2, 0)
    assert numbers(kept) == [1, 2, 3, 4, 5, 6]
    done = purge(kept.retention, late, end + HOUR + HOUR, WITHOUT_REST)
    assert (done.records, done.held, done.notices) == (2, 0, 0)
    assert numbers(kept) == [3, 4, 5, 6]
    assert check_chains(kept) == 2
    check_sums(kept)


def test_sites_are_purged_by_their_own_retention(kept: SqlStore) -> None:
    now = end_of(kept.record(decision_id(6)), 30) + DAY

    done = purge_sites(kept.retention, {"dsoft": 30, "soft4doc": 400}, now, WITHOUT_REST)

    assert [(site.site, site.records) for site in done] == [("dsoft", 5), ("soft4doc", 0)]
    assert numbers(kept) == [3]


def test_lifetimes_of_one_site_may_differ(store: SqlStore) -> None:
    store.remember_notice(DSOFT, DOCUMENT, NOON)
    store.remember_notice(SHORT, DOCUMENT, NOON)
    store.append([make_record(1, DSOFT, NOON), make_record(2, SHORT, NOON + HOUR)])
    now = NOON + 50 * DAY

    purge_sites(store.retention, {"dsoft": 30}, now, WITHOUT_REST)

    assert numbers(store) == [1]


def test_a_purge_goes_on_where_it_stopped(store: SqlStore) -> None:
    store.remember_notice(DSOFT, DOCUMENT, NOON)
    store.append([make_record(n, DSOFT, NOON + n * HOUR) for n in range(450)])
    now = NOON + 400 * DAY
    rests: list[float] = []

    def stop(seconds: float) -> bool:
        rests.append(seconds)
        return len(rests) == 1

    due = store.retention.due("dsoft", 30, now)
    first = purge(store.retention, due, now, Pace(lambda: 0.0, stop))
    second = purge(store.retention, due, now, Pace(lambda: 0.0, stop))

    assert due.records == 450
    assert (first.records, second.records) == (200, 250)
    assert all(seconds > 0 for seconds in rests)
    assert check_chains(store) == 450


def test_a_held_record_is_neither_erased_nor_purged(kept: SqlStore) -> None:
    hold = kept.retention.add_hold(
        Filter(site="dsoft", since=NOON + DAY), "case 2026/17", NOON + DAY
    )
    now = NOON + 9000 * DAY

    with pytest.raises(RecordsHeld) as refused:
        kept.retention.erase(consent_id(1), Reason.VISITOR, NOON + DAY)
    due = kept.retention.due("dsoft", 30, now)
    done = purge(kept.retention, due, now, WITHOUT_REST)

    assert refused.value.holds == [hold.number]
    assert (due.records, due.held) == (2, 3)
    assert (done.records, done.held) == (2, 3)
    assert numbers(kept) == [3, 4, 5, 6]
    assert kept.retention.count(consent_id(1)) == (2, [hold.number])


@pytest.mark.parametrize(
    ("chosen", "left"),
    [
        (Filter(), [1, 2, 4, 5, 6]),
        (Filter(site="soft4doc"), []),
        (Filter(until=NOON + HOUR), [1]),
        (Filter(action=Action.REJECT_ALL), [4]),
        (Filter(consent_id=consent_id(1)), [1, 5]),
        (Filter(purpose=Answer("marketing", granted=True)), [1, 6]),
        (Filter(service=Answer("leadinfo", granted=False)), [2, 4, 5]),
    ],
)
def test_a_hold_keeps_what_its_filter_finds(
    kept: SqlStore, chosen: Filter, left: list[int]
) -> None:
    found = [r.decision_id for r in kept.page(dataclasses.replace(chosen, site="dsoft"), limit=9)]
    kept.retention.add_hold(chosen, "case 2026/17", NOON)

    purge_sites(kept.retention, {"dsoft": 1}, NOON + 9000 * DAY, WITHOUT_REST)

    assert [number for number in numbers(kept) if number != 3] == left
    if chosen.site is None:
        assert [number.int & 0xFFFF for number in found] == left


def test_a_released_hold_keeps_nothing_and_stays_on_record(kept: SqlStore) -> None:
    chosen = Filter(site="dsoft", purpose=Answer("marketing", granted=False))
    first = kept.retention.add_hold(chosen, "case 2026/17", NOON)
    second = kept.retention.add_hold(Filter(), "case 2026/18", NOON)

    released = kept.retention.release_hold(first.number, NOON + DAY)

    assert released == dataclasses.replace(first, released_at=NOON + DAY)
    assert kept.retention.release_hold(first.number, NOON + DAY) is None
    assert kept.retention.release_hold(99, NOON + DAY) is None
    assert kept.retention.holds() == [released, second]
    kept.retention.release_hold(second.number, NOON + DAY)
    assert kept.retention.erase(consent_id(1), Reason.DPO, NOON + DAY) == 3


def test_a_notice_keeps_its_words_for_as_long_as_anybody_may_refer_to_it(store: SqlStore) -> None:
    first, newer = DSOFT, make_offer("dsoft", 2, revision=2)
    store.remember_notice(first, DOCUMENT, NOON)
    store.remember_notice(newer, DOCUMENT, NOON + 100 * DAY)
    store.append([make_record(1, first, NOON + 90 * DAY)])
    replaced = NOON + 100 * DAY

    # The record has gone, but the notice was still to be answered until it was replaced.
    record_ends = end_of(store.record(decision_id(1)), 30)
    purge_sites(store.retention, {"dsoft": 30}, record_ends + DAY, WITHOUT_REST)
    assert numbers(store) == []
    assert store.notice("dsoft", first.digest) is not None
    # Nobody can hold an answer to it any more.
    now = replaced + (first.consent_lifetime_days + 30 + 1) * DAY
    [done] = purge_sites(store.retention, {"dsoft": 30}, now, WITHOUT_REST)

    assert done.notices == 1
    assert store.notice("dsoft", first.digest) is None
    assert store.notice("dsoft", newer.digest) is not None
    assert [notice.offer for notice in store.latest_notices("dsoft")] == [newer]
    assert purge_sites(store.retention, {"dsoft": 30}, now, WITHOUT_REST)[0].notices == 0


def test_a_notice_keeps_its_words_while_a_held_record_refers_to_it(store: SqlStore) -> None:
    store.remember_notice(DSOFT, DOCUMENT, NOON)
    store.remember_notice(make_offer("dsoft", 2, revision=2), DOCUMENT, NOON)
    store.append([make_record(1, DSOFT, NOON)])
    store.retention.add_hold(Filter(), "case 2026/17", NOON)

    purge_sites(store.retention, {"dsoft": 1}, NOON + 9000 * DAY, WITHOUT_REST)

    assert store.notice("dsoft", DSOFT.digest) is not None


def test_a_notice_that_is_published_again_has_its_words_again(store: SqlStore) -> None:
    store.remember_notice(DSOFT, DOCUMENT, NOON)
    store.remember_notice(make_offer("dsoft", 2, revision=2), DOCUMENT, NOON)
    purge_sites(store.retention, {"dsoft": 1}, NOON + 9000 * DAY, WITHOUT_REST)
    assert store.notice("dsoft", DSOFT.digest) is None

    store.remember_notice(DSOFT, DOCUMENT, NOON + 9001 * DAY)

    again = store.notice("dsoft", DSOFT.digest)
    assert again is not None
    assert (again.document, again.first_seen) == (DOCUMENT, NOON)


def test_counts_by_day_and_purpose_are_those_of_the_decisions(kept: SqlStore) -> None:
    lines = kept.rollups.read((Dimension.DAY, Dimension.PURPOSE), site="dsoft")

    assert [(*line.place, line.decisions, line.granted) for line in lines] == [
        ("2026-11-21", "marketing", 2, 1),
        ("2026-11-21", "statistics", 2, 2),
        ("2026-11-22", "marketing", 3, 1),
        ("2026-11-22", "statistics", 3, 1),
    ]
    second_day = lines[2]
    assert (second_day.accepted, second_day.refused, second_day.withdrawn) == (1, 1, 1)
    assert (second_day.chosen, second_day.signalled, second_day.expired) == (0, 0, 0)
    assert second_day.opt_in_rate == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ((), [((), 6, 4)]),
        ((Dimension.SITE,), [(("dsoft",), 5, 3), (("soft4doc",), 1, 1)]),
        ((Dimension.LANGUAGE,), [(("fr",), 1, 1), (("nl",), 5, 3)]),
        ((Dimension.COUNTRY,), [(("",), 5, 4), (("BE",), 1, 0)]),
        ((Dimension.DEVICE,), [(("computer",), 6, 4)]),
        (
            (Dimension.REVISION, Dimension.PURPOSE),
            [((1, "marketing"), 6, 3), ((1, "statistics"), 6, 4)],
        ),
    ],
)
def test_counts_by_any_dimension_add_up(
    kept: SqlStore, by: tuple[Dimension, ...], expected: list[tuple[tuple[str, ...], int, int]]
) -> None:
    lines = kept.rollups.read(by)

    assert [(line.place, line.decisions, line.granted) for line in lines] == expected


def test_days_bound_what_is_counted(kept: SqlStore) -> None:
    last = kept.rollups.read((), first_day=(NOON + DAY).date())
    first = kept.rollups.read((), last_day=NOON.date())

    assert [line.decisions for line in (*first, *last)] == [3, 3]
    assert kept.rollups.read((), first_day=(NOON + 9 * DAY).date()) == []
    assert kept.rollups.read((Dimension.DAY,), site="nowhere") == []


def test_a_repeated_decision_is_counted_once(kept: SqlStore) -> None:
    kept.append([make_record(1, DSOFT, NOON + DAY), make_record(1, DSOFT, NOON + DAY)])

    check_sums(kept)


def test_a_group_that_fails_is_not_counted(kept: SqlStore) -> None:
    shown = ShownCounts({make_shown(): 3}, NOON)

    with pytest.raises(Exception, match="was not remembered"):
        kept.append([make_record(7), make_record(8, make_offer("dsoft", 77))], shown)

    check_sums(kept)
    [whole] = kept.rollups.read(())
    assert whole.shown == 0


def make_shown(country: str | None = None) -> Shown:
    return Shown("dsoft", NOON.date(), 1, "nl", DSOFT.purposes, country, Device.PHONE)


def test_first_layers_are_counted_with_decisions_and_alone(store: SqlStore) -> None:
    store.remember_notice(DSOFT, DOCUMENT, NOON)

    store.append([], ShownCounts({make_shown(): 3}, NOON))
    store.append([make_record(1)], ShownCounts({make_shown(): 2, make_shown("BE"): 1}, NOON))

    [whole] = store.rollups.read(())
    assert (whole.shown, whole.decisions) == (6, 1)
    by_device = store.rollups.read((Dimension.DEVICE, Dimension.COUNTRY))
    assert [(*line.place, line.shown, line.decisions) for line in by_device] == [
        ("phone", "", 5, 0),
        ("phone", "BE", 1, 0),
        ("computer", "", 0, 1),
    ]
    by_purpose = store.rollups.read((Dimension.DAY, Dimension.PURPOSE))
    assert [(*line.place, line.shown) for line in by_purpose] == [
        ("2026-11-21", "marketing", 6),
        ("2026-11-21", "statistics", 6),
    ]
    assert check_chains(store) == 0
    check_sums(store)
