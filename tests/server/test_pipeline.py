"""Statements that PostgreSQL gets together, over the library below the driver."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from slagboom_server.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postgresql_server import Server

Driver = psycopg.Connection


@pytest.fixture
def driver(postgresql_url: str) -> Iterator[Driver]:
    """A connection with a table of its own."""
    with closing(psycopg.connect(postgresql_url)) as connection:
        connection.execute("CREATE TEMPORARY TABLE told (number BIGINT, words BYTEA, flag BOOLEAN)")
        connection.commit()
        yield connection


_TELL = "INSERT INTO told VALUES (%s, %s, %s)"
_READ = "SELECT number, words FROM told ORDER BY number"


def test_each_statement_has_its_answer_and_the_last_is_followed_by_the_commit(
    driver: Driver,
) -> None:
    pipeline = Pipeline(driver)
    values = [(1 << 40, b"\x00\xff", True), (-1, b"", False), (0, None, None)]
    first, *others = pipeline.run([(_TELL, each) for each in values] + [(_READ, ())], are_last=True)
    assert first == []
    assert others == [[], [], [(-1, b""), (0, None), (1 << 40, b"\x00\xff")]]
    assert driver.pgconn.transaction_status == TransactionStatus.IDLE
    assert driver.execute("SELECT count(*) FROM told WHERE flag").fetchone() == (1,)


def test_what_is_not_the_last_stays_to_be_committed_or_undone(driver: Driver) -> None:
    Pipeline(driver).run([(_TELL, (1, b"", True)), (_READ, ())], are_last=False)
    assert driver.pgconn.transaction_status == TransactionStatus.INTRANS
    driver.rollback()
    assert Pipeline(driver).run([(_READ, ())], are_last=True) == [[]]


def test_more_than_the_system_takes_at_once_comes_through_both_ways(driver: Driver) -> None:
    pipeline = Pipeline(driver)
    words = bytes(range(256)) * 4096
    pipeline.run([(_TELL, (number, words, True)) for number in range(8)], are_last=True)
    found, again = pipeline.run([(_READ, ()), (_READ, ())], are_last=True)
    assert found == again == [(number, words) for number in range(8)]


def test_of_several_statements_one_that_fails_undoes_all(driver: Driver) -> None:
    pipeline = Pipeline(driver)
    wrong = [(_TELL, (1, b"", True)), ("SELECT number / 0 FROM told", ()), (_READ, ())]
    with pytest.raises(psycopg.errors.DivisionByZero):
        pipeline.run(wrong, are_last=True)
    assert driver.pgconn.transaction_status == TransactionStatus.INERROR
    driver.rollback()
    assert pipeline.run([(_READ, ()), (_TELL, (2, b"", True))], are_last=True) == [[], []]


def test_a_server_that_has_forgotten_its_names_is_told_them_anew(driver: Driver) -> None:
    pipeline = Pipeline(driver)
    pipeline.run([(_TELL, (1, b"", True))], are_last=True)
    driver.execute("DEALLOCATE ALL")
    driver.commit()
    with pytest.raises(psycopg.errors.InvalidSqlStatementName):
        pipeline.run([(_TELL, (2, b"", True))], are_last=True)
    driver.rollback()
    pipeline.run([(_TELL, (3, b"", True))], are_last=True)
    assert pipeline.run([(_READ, ())], are_last=True) == [[(1, b""), (3, b"")]]


def test_a_session_that_was_ended_says_why_and_is_closed(
    driver: Driver, postgresql: Server
) -> None:
    pipeline = Pipeline(driver)
    pipeline.run([(_READ, ())], are_last=True)
    postgresql.execute(f"SELECT pg_terminate_backend({driver.info.backend_pid})")
    with pytest.raises(psycopg.errors.AdminShutdown, match="terminating connection"):
        pipeline.run([(_READ, ())], are_last=True)
    assert driver.closed


def test_what_is_broken_off_halfway_closes_the_connection(driver: Driver) -> None:
    """What came later would be taken for the answer to the next question."""
    pipeline = Pipeline(driver)
    with pytest.raises(KeyError):
        pipeline.run([(_READ, ()), (_TELL, (1.5, b"", True))], are_last=True)
    assert driver.closed
