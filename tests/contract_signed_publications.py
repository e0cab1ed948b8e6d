"""What every engine's evidence must show of each attack on publications. A test module of an engine
brings a fixture `log` (empty) and imports all of this."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from evidence_samples import MINUTE
from log_samples import NOON
from publication_samples import DAY, FIRST, NOTICES, change, fill
from sqlalchemy import and_, delete, insert, select, update

from slagboom_server.checkpointer import CheckpointMaker
from slagboom_server.engine import open_engine, parse_url, writing
from slagboom_server.publication import digest, to_canonical
from slagboom_server.schema import checkpoints, contents, notices, publications, sites

if TYPE_CHECKING:
    from evidence_samples import Log

DSOFT = (
    publications.c.site_id == select(sites.c.id).where(sites.c.name == "dsoft").scalar_subquery()
)
KRESOFT = publications.c.site_id != (
    select(sites.c.id).where(sites.c.name == "dsoft").scalar_subquery()
)
FIRST_CHECKPOINT = "checkpoint 1 of 2026-11-21T12:01:00Z"
SECOND_CHECKPOINT = "checkpoint 2 of 2026-11-21T12:02:00Z"
REWRITTEN = (
    f"publication 3 of dsoft is not the one {SECOND_CHECKPOINT} signed: it, or one before it, "
    "was altered, exchanged, removed or put in"
)


@pytest.fixture
def signed(log: Log) -> Log:
    """`publication_samples.fill`."""
    fill(log)
    return log


def numbered(number: int) -> Any:
    return and_(DSOFT, publications.c.number == number)


def find(log: Log, *statements: Any) -> list[str]:
    """What is said of publications once somebody has run these statements past the kit."""
    log.tamper(*statements)
    verdict = log.verify()
    assert verdict.is_good == (not verdict.publications.problems)
    return verdict.publications.problems


def write_anew(log: Log) -> None:
    """Computes every digest of the site anew, as somebody who knows this program would."""
    engine = open_engine(parse_url(log.url))
    with writing(engine) as connection:
        previous = None
        rows = connection.execute(select(publications).where(DSOFT).order_by("number")).all()
        for row in rows:
            described = {**json.loads(row.text), "number": row.number, "previous": previous}
            text = to_canonical(described)
            previous = digest(text)
            values = {"text": text, "digest": bytes.fromhex(previous)}
            connection.execute(update(publications).where(numbered(row.number)).values(values))
    engine.dispose()


def test_untouched_publications_are_as_they_were_signed(signed: Log) -> None:
    verdict = signed.verify(*signed.copies())

    assert verdict.is_good, verdict.told
    assert (verdict.publications.count, verdict.publications.unsigned) == (4, 0)


def test_a_publication_alone_is_news_for_a_checkpoint(signed: Log) -> None:
    maker = CheckpointMaker(signed.store.evidence, signed.folder)
    assert maker.make(NOON + 3 * MINUTE) is None

    signed.store.publications.add(FIRST, "Ann", NOON + 3 * DAY)
    assert signed.verify().publications.unsigned == 1
    made = maker.make(NOON + 3 * MINUTE)

    assert made is not None
    assert made.heads == signed.copies()[0].heads
    assert signed.verify().publications.unsigned == 0
    assert maker.make(NOON + 4 * MINUTE) is None


def test_an_altered_publication_is_found(signed: Log) -> None:
    [_, second, _] = signed.store.publications.all("dsoft")
    forged = second.text.replace("Ben", "Ann")

    problems = find(signed, update(publications).where(numbered(2)).values(text=forged))

    assert problems == [
        "publication 2 of dsoft was altered: its text has another digest",
        "publication 3 of dsoft does not follow from the one before it",
    ]


@pytest.mark.parametrize(
    ("column", "value"), [("published_at", publications.c.published_at + 1), ("revision", 7)]
)
def test_a_date_or_revision_beside_the_text_is_found(
    signed: Log, column: str, value: object
) -> None:
    problems = find(signed, update(publications).where(numbered(2)).values({column: value}))

    assert len(problems) == 1
    assert problems[0].startswith(f"publication 2 of dsoft was altered or moved: its {column} is ")


def test_an_author_changed_with_every_digest_after_it_is_found(signed: Log) -> None:
    [_, second, _] = signed.store.publications.all("dsoft")
    forged = second.text.replace("Ben", "Ann")
    signed.tamper(update(publications).where(numbered(2)).values(text=forged))
    write_anew(signed)

    assert find(signed) == [REWRITTEN]


def test_a_publication_that_was_taken_out_is_found(signed: Log) -> None:
    problems = find(signed, delete(publications).where(numbered(2)))

    assert problems == ["publication 3 of dsoft comes where number 2 should: one was removed"]


def test_a_publication_taken_out_with_every_digest_after_it_is_found(signed: Log) -> None:
    signed.tamper(
        delete(publications).where(numbered(2)),
        update(publications).where(numbered(3)).values(number=2),
    )
    write_anew(signed)

    assert find(signed) == [
        f"publication 3 of dsoft, which {SECOND_CHECKPOINT} signed, was removed"
    ]


def test_the_newest_publication_that_was_taken_out_is_found(signed: Log) -> None:
    problems = find(signed, delete(publications).where(numbered(3)))

    assert problems == [f"publication 3 of dsoft, which {SECOND_CHECKPOINT} signed, was removed"]


def test_a_site_without_its_publications_is_found(signed: Log) -> None:
    problems = find(signed, delete(publications).where(KRESOFT))

    assert problems == [f"publication 1 of kresoft, which {SECOND_CHECKPOINT} signed, was removed"]


def test_a_publication_taken_out_with_the_checkpoint_is_found_by_a_copy(signed: Log) -> None:
    copies = signed.copies()
    signed.tamper(
        delete(publications).where(numbered(3)),
        delete(checkpoints).where(checkpoints.c.number == 2),
    )

    verdict = signed.verify(*copies)

    assert verdict.publications.problems == [
        f"publication 3 of dsoft, which {SECOND_CHECKPOINT} signed, was removed"
    ]


def test_a_publication_that_was_put_in_is_found(signed: Log) -> None:
    engine = open_engine(parse_url(signed.url))
    with writing(engine) as connection:
        forged = connection.execute(select(publications).where(numbered(1))).one()
        for number in (3, 2):
            move = update(publications).where(numbered(number)).values(number=number + 1)
            connection.execute(move)
        values = {"site_id": forged.site_id, "revision": 1, "published_at": forged.published_at}
        values |= {"number": 2, "digest": forged.digest, "text": forged.text}
        connection.execute(insert(publications).values(values))
    engine.dispose()
    write_anew(signed)

    assert find(signed) == [REWRITTEN]


def test_exchanged_publications_are_found(signed: Log) -> None:
    problems = find(
        signed,
        update(publications).where(numbered(2)).values(number=9),
        update(publications).where(numbered(3)).values(number=2),
        update(publications).where(numbered(9)).values(number=3),
    )

    assert problems[0].startswith(
        "publication 2 of dsoft was altered or moved: its number is 2, but its text says 3"
    )
    assert problems[-1].startswith(f"publication 3 of dsoft is not the one {SECOND_CHECKPOINT}")


def test_an_altered_text_is_found(signed: Log) -> None:
    same = contents.c.digest == bytes.fromhex(digest(FIRST.style))

    problems = find(signed, update(contents).where(same).values(text="#slagboom{color:red}"))

    assert problems == [f"text {digest(FIRST.style)} of a publication was altered"]


def test_a_text_that_is_gone_is_found(signed: Log) -> None:
    same = contents.c.digest == bytes.fromhex(digest("other{}"))

    problems = find(signed, delete(contents).where(same))

    assert problems == [
        f"publication 2 of dsoft has lost its style sheet: text {digest('other{}')} was removed"
    ]


def test_a_notice_nobody_has_answered_yet_is_missed_all_the_same(signed: Log) -> None:
    same = and_(notices.c.digest == bytes.fromhex(NOTICES[1]), notices.c.site_id == 1)

    problems = find(signed, delete(notices).where(same))

    assert problems == [
        f"publication 3 of dsoft has lost its notice in nl: {NOTICES[1]} was removed"
    ]


def test_a_list_that_was_signed_and_is_gone_is_found(signed: Log) -> None:
    [first, *_] = signed.store.publications.all("dsoft")
    listed = f"dsoft 1 {first.digest}\n"

    problems = find(
        signed, delete(contents).where(contents.c.digest == bytes.fromhex(digest(listed)))
    )

    assert problems == [f"the list of publications that {FIRST_CHECKPOINT} signed was removed"]


def test_what_is_published_after_the_last_checkpoint_is_not_signed_yet(signed: Log) -> None:
    signed.store.publications.add(change(kit="2.0"), "Ann", NOON + 3 * DAY)

    verdict = signed.verify()

    assert verdict.is_good
    assert (verdict.publications.count, verdict.publications.unsigned) == (5, 1)
