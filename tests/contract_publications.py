"""What every engine must do with publications. A test module of an engine brings fixtures
`store` (empty, migrated) and `address` (of its database) and imports all of this."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from log_samples import NOON
from sqlalchemy import delete, update

from slagboom_banner.errors import SlagboomError
from slagboom_server.engine import open_engine, parse_url, writing
from slagboom_server.publication import Served, digest, find_publication, in_force
from slagboom_server.publications_sql import check_publications
from slagboom_server.schema import contents, publications

if TYPE_CHECKING:
    from slagboom_server.store_sql import SqlStore

DAY = dt.timedelta(days=1)
FIRST = Served(
    site="dsoft",
    revision=1,
    kit="1.0",
    policy='{"policy":"één"}',
    style="#slagboom{}",
    first_layers={"nl": "<section>"},
    notices={"nl": "a" * 64},
    scripts={"gate.js": "b" * 64},
)


def change(**changes: Any) -> Served:
    return dataclasses.replace(FIRST, **changes)


def tamper(address: str, *statements: Any) -> list[str]:
    """Runs statements past the kit; the problems that are found then."""
    engine = open_engine(parse_url(address))
    with writing(engine) as connection:
        for statement in statements:
            connection.execute(statement)
        problems = check_publications(connection)
    engine.dispose()
    return problems


@pytest.fixture
def published(store: SqlStore) -> SqlStore:
    """Three publications of one site and one of another."""
    store.publications.add(FIRST, "Ann", NOON)
    store.publications.add(change(style="other{}"), "Ben", NOON + DAY)
    store.publications.add(change(revision=2, notices={"nl": "c" * 64}), "Ann", NOON + 2 * DAY)
    store.publications.add(change(site="kresoft"), "Ann", NOON)
    return store


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

    def number(notice: str, time: dt.datetime) -> int | None:
        made = in_force(found, notice * 64, time)
        return None if made is None else made.number

    assert number("a", NOON + hour) == 1
    assert number("a", NOON + DAY + hour) == 2
    # A page that was open still asks with the notice of the publication before.
    assert number("a", NOON + 2 * DAY + hour) == 2
    assert number("c", NOON + 2 * DAY + hour) == 3
    assert number("c", NOON) == 3
    assert number("d", NOON) is None


def test_a_missing_text_is_one_clear_line(store: SqlStore) -> None:
    with pytest.raises(SlagboomError, match="is gone"):
        store.publications.read("e" * 64)


@pytest.mark.usefixtures("published")
def test_untouched_publications_have_no_problem(address: str) -> None:
    assert tamper(address) == []


@pytest.mark.usefixtures("published")
def test_an_altered_publication_is_found(address: str, published: SqlStore) -> None:
    [_, second, _] = published.publications.all("dsoft")
    forged = second.text.replace("Ben", "Ann")

    problems = tamper(
        address, update(publications).where(publications.c.number == 2).values(text=forged)
    )

    assert problems == [
        "publication 2 of dsoft was altered: its text has another digest",
        "publication 3 of dsoft does not follow from the one before it",
    ]


@pytest.mark.usefixtures("published")
def test_a_publication_that_was_taken_out_is_found(address: str) -> None:
    problems = tamper(address, delete(publications).where(publications.c.number == 2))

    assert problems == ["publication 3 of dsoft comes where number 2 should: one was removed"]


@pytest.mark.usefixtures("published")
def test_an_altered_text_is_found(address: str) -> None:
    same = contents.c.digest == bytes.fromhex(digest(FIRST.style))

    problems = tamper(address, update(contents).where(same).values(text="#slagboom{color:red}"))

    assert problems == [f"text {digest(FIRST.style)} of a publication was altered"]
