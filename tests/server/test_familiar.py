"""An answer that is known already leads to the very entry that reading it as a whole leads to."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_samples import NOON, REQUEST, make_decision, make_offer

from slagboom_server.anonymise import Client, Device
from slagboom_server.decision_body import parse_decision, split_body
from slagboom_server.entry import to_entry
from slagboom_server.familiar import Circumstances, Familiar
from slagboom_server.geo import NoCountry
from slagboom_server.problems import Refusal
from slagboom_server.record import build_record
from slagboom_server.row import service_ids, to_ms

if TYPE_CHECKING:
    from slagboom_server.entry import Entry
    from slagboom_server.record import OfferedNotice

CLIENT = Client("Firefox", "Linux", Device.COMPUTER)
AROUND = Circumstances("dsoft", CLIENT, "https://www.dsoft.be", has_gpc=False, country=None)
OFFER = make_offer()


def write(number: int = 1, **changes: Any) -> bytes:
    """A decision as the kit's own scripts write it."""
    fields = make_decision(number, OFFER, **changes).model_dump(mode="json")
    given_at = dt.datetime.fromisoformat(fields["given_at"])
    fields["given_at"] = f"{given_at:%Y-%m-%dT%H:%M:%S}.{given_at.microsecond // 1000:03}Z"
    return json.dumps(fields, separators=(",", ":")).encode()


def read_whole(body: bytes, offer: OfferedNotice = OFFER, address: str = REQUEST.address) -> Entry:
    record = build_record(
        parse_decision(body),
        offer,
        REQUEST._replace(address=address),
        NOON,
        is_current=True,
        countries=NoCountry(),
        clients=lambda _: CLIENT,
    )
    return to_entry(record, offer.purposes, service_ids(offer))


def learn(familiar: Familiar, body: bytes, offer: OfferedNotice = OFFER) -> Entry:
    split = split_body(body)
    assert split is not None
    entry = read_whole(body, offer)
    familiar.remember(split, AROUND, entry, offer)
    return entry


def recall(
    familiar: Familiar, body: bytes, around: Circumstances = AROUND, address: str = REQUEST.address
) -> Entry | None:
    split = split_body(body)
    assert split is not None
    return familiar.recall(split, around, address, to_ms(NOON))


def plain(entry: Entry | None) -> tuple[Any, ...]:
    assert entry is not None
    return (dataclasses.astuple(entry.kind), *entry[1:])


ADDRESSES = st.ip_addresses().map(str) | st.text(max_size=20)
TIMES = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2026, 11, 22)).map(  # noqa: DTZ001 -- made aware below
    lambda time: time.replace(tzinfo=dt.UTC)
)


@given(
    answer=st.sets(st.sampled_from([*OFFER.purposes, *service_ids(OFFER)])),
    flags=st.tuples(st.booleans(), st.booleans()),
    ids=st.tuples(st.uuids(version=4), st.none() | st.integers(0, 2**40)),
    given_at=TIMES,
    network=st.tuples(ADDRESSES, st.sampled_from(["truncated", "omitted"])),
)
def test_what_is_recalled_is_what_reading_leads_to(
    answer: set[str],
    flags: tuple[bool, bool],
    ids: tuple[Any, int | None],
    given_at: dt.datetime,
    network: tuple[str, str],
) -> None:
    (anonymise_ip, gpc), (consent_id, before), (address, keeps) = flags, ids, network
    said = {"granted": answer, "anonymise_ip": anonymise_ip, "gpc": gpc}
    own = {
        "consent_id": consent_id,
        "previous": None if before is None else f"01a20000-0000-7000-8000-{before:012x}",
        "given_at": given_at,
    }
    offer = dataclasses.replace(OFFER, ip=keeps)
    familiar = Familiar()
    learn(familiar, write(1, **said), offer)
    later = write(2, **said, **own)

    assert plain(recall(familiar, later, address=address)) == plain(
        read_whole(later, offer, address)
    )


def test_visitors_with_one_answer_share_one_kind() -> None:
    familiar = Familiar()
    entry = learn(familiar, write(1))
    recalled = recall(familiar, write(2))

    assert recalled is not None
    assert recalled.kind is entry.kind
    assert recalled.decision_id != entry.decision_id


@pytest.mark.parametrize(
    "changes",
    [
        {"site": "kresoft"},
        {"client": Client("Firefox", "Linux", Device.PHONE)},
        {"origin": "https://dsoft.be"},
        {"has_gpc": True},
        {"country": "BE"},
    ],
)
def test_an_answer_under_other_circumstances_is_read_anew(changes: dict[str, Any]) -> None:
    familiar = Familiar()
    learn(familiar, write(1))

    assert recall(familiar, write(2)) is not None
    assert recall(familiar, write(2), AROUND._replace(**changes)) is None


def test_another_answer_is_read_anew() -> None:
    familiar = Familiar()
    learn(familiar, write(1))

    assert recall(familiar, write(2, granted={"statistics"})) is None


def test_a_withdrawal_of_nothing_is_not_taken_for_one_of_something() -> None:
    familiar = Familiar()
    withdrawal: dict[str, Any] = {"granted": set(), "action": "withdraw"}
    previous = "01a20000-0000-7000-8000-000000000009"
    learn(familiar, write(1, **withdrawal, previous=previous))

    assert recall(familiar, write(2, **withdrawal, previous=previous)) is not None
    assert recall(familiar, write(2, **withdrawal)) is None


@pytest.mark.parametrize("off", [dt.timedelta(days=2), dt.timedelta(days=-401)])
def test_a_wrong_clock_is_neither_learned_nor_recalled(off: dt.timedelta) -> None:
    familiar = Familiar()
    learn(familiar, write(1, given_at=NOON + off))
    assert recall(familiar, write(2)) is None

    learn(familiar, write(2))
    assert recall(familiar, write(3)) is not None
    assert recall(familiar, write(3, given_at=NOON + off)) is None


def test_the_oldest_answer_is_forgotten_first() -> None:
    familiar = Familiar(capacity=2)
    answers: list[set[str]] = [set(), {"statistics"}, {"marketing"}]
    for number, granted in enumerate(answers):
        learn(familiar, write(number, granted=granted))

    recalled = [recall(familiar, write(9, granted=granted)) for granted in answers]
    assert [entry is None for entry in recalled] == [True, False, False]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'{"decision_id"', b'{ "decision_id"'),
        (b'"01a20000', b'"01A20000'),
        (b"-7000-", b"-4000-"),
        (b"-4000-", b"-7000-"),
        (b"-8000-", b"-c000-"),
        (b'"previous":null', b'"previous":"null"'),
        (b"2026-11-21", b"2026-13-21"),
        (b"2026-11-21", b"0000-11-21"),
        (b"12:00:00.000Z", b"12:00:60.000Z"),
        (b"12:00:00.000Z", b"12:00:00.000+00:00"),
        (b"12:00:00.000Z", b"12:00:00Z"),
        (b'Z"}', b'Z"} '),
        (b'"given_at"', b'"given_At"'),
    ],
)
def test_a_body_in_another_form_is_read_as_a_whole(before: bytes, after: bytes) -> None:
    body = write(1)
    assert split_body(body) is not None
    assert before in body

    assert split_body(body.replace(before, after)) is None


def test_a_second_id_among_what_is_shared_is_never_learned() -> None:
    body = write(1).replace(
        b'"revision"', b'"decision_id":"01a20000-0000-7000-8000-000000000002","revision"'
    )

    with pytest.raises(Refusal, match="a name twice"):
        parse_decision(body)
