from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from log_samples import DOCUMENT, NOON, consent_id, make_offer

from slagboom_banner.errors import SlagboomError
from slagboom_banner.model import Action
from slagboom_server.query import Query, read_filter, read_time
from slagboom_server.store import Answer, Filter

if TYPE_CHECKING:
    from slagboom_server.store_sql import SqlStore


@pytest.fixture
def published(store: SqlStore) -> SqlStore:
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    return store


def test_a_query_becomes_a_filter(published: SqlStore) -> None:
    query = Query(
        site="dsoft",
        since="2026-11-21",
        until="2026-11-22",
        purpose="statistics",
        service="!leadinfo",
        action="save",
        consent_id=str(consent_id(1)),
    )

    assert read_filter(query, published) == Filter(
        site="dsoft",
        since=dt.datetime(2026, 11, 21, tzinfo=dt.UTC),
        until=dt.datetime(2026, 11, 23, tzinfo=dt.UTC),
        purpose=Answer("statistics", granted=True),
        service=Answer("leadinfo", granted=False),
        action=Action.SAVE,
        consent_id=consent_id(1),
    )


def test_an_empty_query_asks_for_everything(published: SqlStore) -> None:
    assert read_filter(Query(), published) == Filter()


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-21", dt.datetime(2026, 11, 21)),  # noqa: DTZ001 -- made UTC below
        ("2026-11-21T10:00:00Z", dt.datetime(2026, 11, 21, 10)),  # noqa: DTZ001 -- as above
        ("2026-11-21T10:00:00+01:00", dt.datetime(2026, 11, 21, 9)),  # noqa: DTZ001 -- as above
        ("2026-11-21 10:00", dt.datetime(2026, 11, 21, 10)),  # noqa: DTZ001 -- as above
    ],
)
def test_a_time_is_read_as_utc(text: str, time: dt.datetime) -> None:
    assert read_time("since", text) == time.replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (Query(site="dsotf"), "--site 'dsotf': the log does not know it; it knows dsoft"),
        (Query(purpose="x"), "--purpose 'x': the log does not know it; it knows marketing, stat"),
        (Query(service="!x"), "--service 'x': the log does not know it; it knows google-analytics"),
        (Query(action="accept"), "--action 'accept': choose one of accept_all, reject_all"),
        (Query(since="yesterday"), "--since 'yesterday': write 2026-11-21 or 2026-11-21T10:00:00Z"),
        (Query(until="2026-13-01"), "--until '2026-13-01': write"),
        (Query(until="9999-12-31"), "--until '9999-12-31': write"),
        (Query(consent_id="abc"), "--consent-id 'abc': write the whole identifier"),
    ],
)
def test_a_value_that_means_nothing_is_one_clear_line(
    published: SqlStore, query: Query, reason: str
) -> None:
    with pytest.raises(SlagboomError) as error:
        read_filter(query, published)

    assert reason in str(error.value)
    assert "\n" not in str(error.value)
