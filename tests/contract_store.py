"""What every engine behind `Store` must do. A test module of an engine brings a fixture `store`
(empty, migrated) and imports all of this."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any, TextIO

import pytest
from log_samples import DOCUMENT, NOON, consent_id, decision_id, make_offer, make_record
from sqlalchemy import select

from slagboom_banner.model import Action
from slagboom_server import export_tasks, lean
from slagboom_server.csv_lines import write_csv
from slagboom_server.engine import reading
from slagboom_server.errors import StoreUnavailable
from slagboom_server.export import Format, write_records
from slagboom_server.export_tasks import Export, write_text
from slagboom_server.json_lines import write_json, write_json_lines
from slagboom_server.migration import open_current
from slagboom_server.record import Flag
from slagboom_server.schema import spent_tokens
from slagboom_server.store import Answer, Conflict, Cursor, Filter, Repeated, Stored
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from slagboom_server.lean import Lookup
    from slagboom_server.record import ConsentRecord
    from slagboom_server.store import Store

HOUR = dt.timedelta(hours=1)
TOKEN = bytes(range(20))


@pytest.fixture
def filled(store: Store) -> Store:
    """Two sites, two revisions of one of them, seven decisions an hour apart."""
    dsoft = make_offer("dsoft", 1)
    reordered = make_offer(
        "dsoft",
        2,
        revision=2,
        purposes=("marketing", "statistics"),
        services=tuple(reversed(dsoft.services)),
    )
    french = make_offer("soft4doc", 3, language="fr")
    for offer in (dsoft, reordered, french):
        store.remember_notice(offer, DOCUMENT, NOON)
    store.append(
        [
            make_record(1, dsoft, NOON),
            make_record(2, dsoft, NOON + HOUR, granted={"statistics", "google-analytics"}),
            make_record(3, dsoft, NOON + 2 * HOUR, granted=set(), action="reject_all"),
            make_record(4, reordered, NOON + 3 * HOUR, granted={"statistics"}),
            make_record(5, reordered, NOON + 4 * HOUR, granted={"marketing", "leadinfo"}),
            make_record(6, french, NOON + 13 * HOUR),
            make_record(
                7,
                dsoft,
                NOON + 14 * HOUR,
                granted=set(),
                action="withdraw",
                consent_id=consent_id(1),
                previous=decision_id(1),
            ),
        ]
    )
    return store


def found(store: Store, chosen: Filter) -> list[int]:
    return [record.decision_id.int & 0xFFFF for record in store.page(chosen, limit=100)]


def without_seq(record: ConsentRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__ if name != "seq"}


def test_a_record_comes_back_as_it_was_stored(store: Store) -> None:
    offer = make_offer()
    store.remember_notice(offer, DOCUMENT, NOON)
    record = make_record(1, offer, previous=decision_id(9), granted={"marketing"}, gpc=True)

    [answer] = store.append([record])

    back = store.record(record.decision_id)
    assert back is not None
    assert isinstance(answer, Stored)
    assert back.seq == answer.seq
    assert without_seq(back) == without_seq(record)


def test_a_notice_is_kept_once_and_word_for_word(store: Store) -> None:
    offer = make_offer()

    store.remember_notice(offer, DOCUMENT, NOON)
    store.remember_notice(offer, {"texts": "another"}, NOON + HOUR)

    kept = store.notice("dsoft", offer.digest)
    assert kept is not None
    assert (kept.offer, kept.document, kept.first_seen) == (offer, DOCUMENT, NOON)
    assert store.offers() == [offer]


@pytest.mark.parametrize("digest", ["f" * 64, "no digest", ""])
def test_an_unknown_notice_is_none(store: Store, digest: str) -> None:
    store.remember_notice(make_offer(), DOCUMENT, NOON)

    assert store.notice("dsoft", digest) is None
    assert store.notice("soft4doc", make_offer().digest) is None


def test_two_sites_may_show_the_same_notice(store: Store) -> None:
    store.remember_notice(make_offer("dsoft"), DOCUMENT, NOON)
    store.remember_notice(make_offer("kresoft"), DOCUMENT, NOON)

    assert {offer.site for offer in store.offers()} == {"dsoft", "kresoft"}


def test_the_latest_notices_are_those_of_the_highest_revision(filled: Store) -> None:
    assert [notice.offer.revision for notice in filled.latest_notices("dsoft")] == [2]
    assert [notice.offer.language for notice in filled.latest_notices("soft4doc")] == ["fr"]
    assert filled.latest_notices("kresoft") == []


def test_a_repeated_decision_is_stored_once(filled: Store) -> None:
    again = make_record(1, make_offer("dsoft", 1), NOON + 20 * HOUR)
    first = filled.record(decision_id(1))

    [answer] = filled.append([again])

    assert first is not None
    assert first.seq is not None
    assert answer == Repeated(first.seq)
    assert filled.record(decision_id(1)) == first
    assert filled.count(Filter()) == 7


def test_a_known_decision_with_another_content_changes_nothing(filled: Store) -> None:
    before = filled.record(decision_id(1))
    forged = make_record(1, make_offer("dsoft", 1), granted=set())

    [answer] = filled.append([forged])

    assert answer == Conflict(decision_id(1))
    assert filled.record(decision_id(1)) == before
    assert filled.count(Filter()) == 7


def test_one_group_may_hold_a_decision_several_times(store: Store) -> None:
    offer = make_offer()
    store.remember_notice(offer, DOCUMENT, NOON)
    same, forged = make_record(1), make_record(1, granted=set())

    first, second, third, other = store.append([same, same, forged, make_record(2)])

    assert isinstance(first, Stored)
    assert second == Repeated(first.seq)
    assert third == Conflict(decision_id(1))
    assert isinstance(other, Stored)
    assert other.seq != first.seq
    assert store.count(Filter()) == 2


def test_no_record_without_its_notice(store: Store) -> None:
    store.remember_notice(make_offer(), DOCUMENT, NOON)

    with pytest.raises(StoreUnavailable, match="was not remembered"):
        store.append([make_record(1), make_record(2, make_offer("dsoft", 77))])

    assert store.count(Filter()) == 0


def test_a_failed_group_leaves_no_name_behind(store: Store) -> None:
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    with pytest.raises(StoreUnavailable):
        store.append([make_record(1), make_record(2, make_offer("dsoft", 77))])

    store.append([make_record(1)])

    back = store.record(decision_id(1))
    assert back is not None
    assert back.origin == "https://www.dsoft.be"
    assert back.browser == "Firefox"


def test_an_empty_group_is_no_error(store: Store) -> None:
    assert store.append([]) == []


def test_a_visitor_has_their_own_records_oldest_first(filled: Store) -> None:
    assert [r.action for r in filled.records_of(consent_id(1))] == [
        Action.ACCEPT_ALL,
        Action.WITHDRAW,
    ]
    assert filled.records_of(consent_id(99)) == []


def test_an_unknown_decision_is_none(filled: Store) -> None:
    assert filled.record(decision_id(99)) is None


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Filter(), [1, 2, 3, 4, 5, 6, 7]),
        (Filter(site="dsoft"), [1, 2, 3, 4, 5, 7]),
        (Filter(site="nowhere"), []),
        (Filter(since=NOON + HOUR), [2, 3, 4, 5, 6, 7]),
        (Filter(until=NOON + HOUR), [1]),
        (Filter(since=NOON + HOUR, until=NOON + 2 * HOUR), [2]),
        (Filter(purpose=Answer("statistics", granted=True)), [1, 2, 4, 6]),
        (Filter(purpose=Answer("statistics", granted=False)), [3, 5, 7]),
        (Filter(purpose=Answer("nothing", granted=False)), []),
        (Filter(service=Answer("leadinfo", granted=True)), [1, 5, 6]),
        (Filter(service=Answer("leadinfo", granted=False)), [2, 3, 4, 7]),
        (Filter(action=Action.SAVE), [2, 4, 5]),
        (Filter(consent_id=consent_id(1)), [1, 7]),
        (Filter(site="dsoft", purpose=Answer("marketing", granted=True)), [1, 5]),
    ],
)
def test_a_filter_finds_exactly_its_records(
    filled: Store, chosen: Filter, expected: list[int]
) -> None:
    assert found(filled, chosen) == expected
    assert filled.count(chosen) == len(expected)
    assert filled.stats(chosen).decisions == len(expected)


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("site", [None, "dsoft"])
def test_pages_cover_everything_once(
    store: Store,
    site: str | None,
    newest_first: bool,  # noqa: FBT001 -- parametrised
) -> None:
    offer = make_offer()
    store.remember_notice(offer, DOCUMENT, NOON)
    # Five decisions share each moment, so that a page ends among equals.
    store.append([make_record(n, offer, NOON + HOUR * (n // 5)) for n in range(23)])

    seen: list[int] = []
    after = None
    while page := store.page(Filter(site=site), after, limit=3, newest_first=newest_first):
        seen += [record.decision_id.int & 0xFFFF for record in page]
        assert page[-1].seq is not None
        after = Cursor(page[-1].received_at, page[-1].seq)

    assert seen == sorted(range(23), reverse=newest_first)


@pytest.mark.parametrize(
    ("format_", "write"), [("csv", write_csv), ("json", write_json), ("jsonl", write_json_lines)]
)
@pytest.mark.parametrize("site", [None, "dsoft", "nowhere"])
def test_an_export_from_bare_rows_is_the_one_from_records(
    filled: Store,
    monkeypatch: pytest.MonkeyPatch,
    site: str | None,
    format_: Format,
    write: Callable[[Any, Lookup, TextIO], None],
) -> None:
    # Several pages, of which one ends among records of the same moment.
    monkeypatch.setattr(lean, "_PAGE", 3)
    odd = make_record(8, make_offer("dsoft", 1), NOON + HOUR, previous=decision_id(1))
    filled.append(
        [
            dataclasses.replace(odd, ip="2001:db8:77::/48", browser='=1+"x"', flags=tuple(Flag)),
            dataclasses.replace(
                make_record(9, make_offer("dsoft", 1), NOON + HOUR),
                ip=None,
                origin=None,
                country="BE",
                gpc=True,
                given_at=dt.datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=dt.UTC),
            ),
        ]
    )
    bare, made = io.StringIO(newline=""), io.StringIO(newline="")

    write(filled.lean_pages(Filter(site=site)), filled, bare)
    write_records(filled.page(Filter(site=site), limit=100), format_, made)

    assert bare.getvalue() == made.getvalue()


@pytest.mark.parametrize("size", [1, 3, 7, 100])
@pytest.mark.parametrize("site", [None, "dsoft", "nowhere"])
def test_slices_hold_each_record_once(filled: Store, site: str | None, size: int) -> None:
    chosen = Filter(site=site)
    whole = [row for page in filled.lean_pages(chosen) for row in page]
    slices = list(filled.split(chosen, size))
    held = [[row for page in filled.lean_pages(chosen, part) for row in page] for part in slices]

    assert [row for rows in held for row in rows] == whole
    assert all(len(rows) == size for rows in held[:-1])
    assert [part.until is None for part in slices] == [False] * (len(slices) - 1) + [True]


@pytest.mark.parametrize("shape", ["csv", "json", "jsonl"])
def test_processes_side_by_side_write_what_one_writes(
    filled: Store, monkeypatch: pytest.MonkeyPatch, shape: Format
) -> None:
    monkeypatch.setattr(export_tasks, "SLICE", 2)
    monkeypatch.setattr(export_tasks, "MANY", 2)
    texts = []
    for processes in (1, 2):
        out, advanced = io.StringIO(newline=""), list[int]()
        export = Export(filled, Filter(site="dsoft"), processes)
        write_text(export, shape, out, advanced.append)
        assert sum(advanced) == filled.count(Filter(site="dsoft"))
        texts.append(out.getvalue())

    assert texts[0] == texts[1]
    assert len(advanced) > 1 or shape == "json"


def test_stats_add_up(filled: Store) -> None:
    stats = filled.stats(Filter())

    assert stats.decisions == 7
    assert stats.actions == {
        Action.SAVE: 3,
        Action.ACCEPT_ALL: 2,
        Action.REJECT_ALL: 1,
        Action.WITHDRAW: 1,
    }
    assert (stats.purposes["statistics"].granted, stats.purposes["statistics"].refused) == (4, 3)
    assert (stats.purposes["marketing"].granted, stats.purposes["marketing"].refused) == (3, 4)
    assert (stats.services["leadinfo"].granted, stats.services["leadinfo"].refused) == (3, 4)
    assert stats.days == {dt.date(2026, 11, 21): 5, dt.date(2026, 11, 22): 2}
    assert stats.languages == {"nl": 6, "fr": 1}


def test_a_token_is_spent_once_whoever_spends_it(store: Store, database_url: str) -> None:
    ends = NOON + dt.timedelta(minutes=2)
    with closing(open_store(database_url)) as other, ThreadPoolExecutor(8) as pool:
        spending = [pool.submit(each.spend_token, TOKEN, ends, NOON) for each in [store, other] * 4]
        first = [one.result() for one in spending]

        assert sorted(first) == [False] * 7 + [True]
        assert store.spend_token(TOKEN[::-1], ends, NOON)
    # Clocks of nodes differ by some minutes at most.
    assert not store.spend_token(TOKEN, ends, ends + dt.timedelta(minutes=9))


def test_a_spent_token_is_forgotten_when_it_is_good_for_nothing(
    store: Store, database_url: str
) -> None:
    for minutes in range(0, 60, 5):
        now = NOON + dt.timedelta(minutes=minutes)
        token = minutes.to_bytes(len(TOKEN))
        assert store.spend_token(token, now + dt.timedelta(minutes=2), now)

    engine = open_current(database_url)
    with reading(engine) as connection:
        left = connection.scalars(select(spent_tokens.c.digest)).all()
    engine.dispose()
    assert sorted(map(int.from_bytes, left)) == [45, 50, 55]


def test_stats_of_nothing_are_empty(store: Store) -> None:
    stats = store.stats(Filter())

    assert stats.decisions == 0
    assert not stats.purposes
