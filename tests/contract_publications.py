"""What every engine must do with publications. A test module of an engine brings a fixture `log`
(empty) and `store`, which writes it, and imports all of this."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from log_samples import NOON
from publication_samples import DAY, FIRST, NOTICES, change, fill
from sqlalchemy import delete, update

from slagboom_banner.errors import SlagboomError
from slagboom_server.earlier_parts import LOOK_SECONDS, EarlierParts
from slagboom_server.publication import digest, find_publication, in_force
from slagboom_server.schema import contents

if TYPE_CHECKING:
    from evidence_samples import Log

    from slagboom_server.store_sql import SqlStore


@pytest.fixture
def published(log: Log) -> SqlStore:
    """Three publications of one site and one of another."""
    fill(log)
    return log.store


def test_a_publication_comes_back_with_all_its_texts(store: SqlStore) -> None:
    made = store.publications.add(FIRST, "Ann", NOON)

    assert store.publications.all() == [made]
    assert made is not None
    assert (made.site, made.number, made.revision, made.author) == ("dsoft", 1, 1, "Ann")
    assert made.published_at == NOON
    assert made.served == FIRST.describe()
    for text in FIRST.texts:
        assert store.publications.read(digest(text)) == text


def test_what_is_published_already_is_not_published_again(store: SqlStore) -> None:
    store.publications.add(FIRST, "Ann", NOON)

    assert store.publications.add(FIRST, "Ben", NOON + DAY) is None
    assert len(store.publications.all("dsoft")) == 1


def test_a_text_that_was_lost_comes_back_with_the_next_start(log: Log) -> None:
    store = log.store
    store.publications.add(FIRST, "Ann", NOON)
    log.tamper(delete(contents))
    store.publications.add(FIRST, "Ann", NOON + DAY)

    for text in FIRST.texts:
        assert store.publications.find(digest(text)) == text


def test_an_earlier_part_is_found_by_its_name_on_its_own_site(published: SqlStore) -> None:
    published.publications.add(change(scripts={}, parts={}), "Ann", NOON + 3 * DAY)
    parts = EarlierParts(published.publications, lambda: 0.0)

    assert parts.find("dsoft", "choice-1.js") == b"choice()"
    assert parts.find("dsoft", "choice-2.js") is None
    assert parts.find("dsoft", "gate.js") is None
    assert parts.find("soft4doc", "choice-1.js") is None


def test_the_publications_are_read_for_what_is_not_there_once_a_second(store: SqlStore) -> None:
    now = 0.0
    parts = EarlierParts(store.publications, lambda: now)
    assert parts.find("dsoft", "choice-1.js") is None
    store.publications.add(FIRST, "Ann", NOON)

    assert parts.find("dsoft", "choice-1.js") is None
    now = LOOK_SECONDS
    assert parts.find("dsoft", "choice-1.js") == b"choice()"


def test_a_part_that_was_altered_is_not_served(log: Log) -> None:
    log.store.publications.add(FIRST, "Ann", NOON)
    same = contents.c.digest == bytes.fromhex(digest("choice()"))
    log.tamper(update(contents).where(same).values(text="spy()"))

    assert EarlierParts(log.store.publications, lambda: 0.0).find("dsoft", "choice-1.js") is None


def test_going_back_to_what_was_is_a_publication_too(published: SqlStore) -> None:
    again = published.publications.add(FIRST, "Ann", NOON + 3 * DAY)

    assert again is not None
    assert again.number == 4
    assert again.served == FIRST.describe()


@pytest.mark.parametrize(
    ("reference", "number"), [("dsoft", 3), ("dsoft@1", 2), ("dsoft@2", 3), ("dsoft#1", 1)]
)
def test_a_reference_finds_its_publication(
    published: SqlStore, reference: str, number: int
) -> None:
    assert find_publication(published.publications.all(), reference).number == number


@pytest.mark.parametrize("reference", ["dsoft@3", "dsoft#4", "soft4doc", "dsoft@", "dsoft#x"])
def test_a_reference_to_nothing_is_one_clear_line(published: SqlStore, reference: str) -> None:
    with pytest.raises(SlagboomError) as error:
        find_publication(published.publications.all(), reference)

    assert reference in str(error.value)
    assert "\n" not in str(error.value)


def test_what_a_visitor_met_is_the_last_publication_before(published: SqlStore) -> None:
    found = published.publications.all("dsoft")
    hour = dt.timedelta(hours=1)
    first, second = NOTICES

    def number(notice: str, time: dt.datetime) -> int | None:
        made = in_force(found, notice, time)
        return None if made is None else made.number

    assert number(first, NOON + hour) == 1
    assert number(first, NOON + DAY + hour) == 2
    # A page that was open still asks with the notice of the publication before.
    assert number(first, NOON + 2 * DAY + hour) == 2
    assert number(second, NOON + 2 * DAY + hour) == 3
    assert number(second, NOON) == 3
    assert number("d" * 64, NOON) is None


def test_a_missing_text_is_one_clear_line(store: SqlStore) -> None:
    with pytest.raises(SlagboomError, match="is gone"):
        store.publications.read("e" * 64)
