"""What every engine's evidence must show of each attack. A test module of an engine brings a
fixture `log` (evidence_samples.open_log) and imports all of this."""

from __future__ import annotations

import datetime as dt
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from evidence_samples import Log, places, published
from log_samples import DOCUMENT, NOON, consent_id, decision_id, make_record
from sqlalchemy import delete, event, insert, select, text, update

from slagboom_server.chain import Reason, link
from slagboom_server.chain_check import Fault
from slagboom_server.checkpoint import read_checkpoint, write_checkpoint
from slagboom_server.checkpointer import CheckpointMaker
from slagboom_server.count_check import check_counts
from slagboom_server.engine import open_engine, parse_url, reading
from slagboom_server.row import CONTEXT_IDS
from slagboom_server.schema import (
    chains,
    checkpoints,
    clients,
    daily_counts,
    detailed_counts,
    erasures,
    notices,
    origins,
    records,
    sites,
    tombstones,
)
from slagboom_server.signing import SigningKeys
from slagboom_server.store_sql import open_store
from slagboom_server.verify import Verification

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Executable, Table

DAY = dt.timedelta(days=1)
AT_15 = records.c.seq == 15

CHANGES: dict[str, Any] = {
    "received_at": records.c.received_at + 1,
    "given_at": records.c.given_at - 86_400_000,
    "valid_until": records.c.valid_until + 1,
    "decision_id": b"\x01" * 16,
    "consent_id": b"\x02" * 16,
    "previous": b"\x03" * 16,
    "action": 2,
    "layer": 2,
    "choices": 0,
    "services": 0,
    "anonymise_ip": True,
    "gpc": True,
    "regime": 2,
    "country": "NL",
    "ip": b"\x0a\x00\x00",
    "flags": 1,
    "salt": b"\x04" * 16,
    "hash": b"\x05" * 32,
    "origin_id": None,
}


def test_an_untouched_log_is_whole(log: Log) -> None:
    verdict = log.verify(*log.copies())

    assert verdict.is_good, (verdict.problems, verdict.checkpoints.problems, verdict.findings)
    assert (verdict.records, verdict.erased, verdict.checkpoints.count) == (32, 0, 3)


def test_every_column_is_covered() -> None:
    assert set(CHANGES) | {"seq", *CONTEXT_IDS} == {column.name for column in records.c}


@pytest.mark.parametrize("column", CHANGES)
def test_an_altered_record_is_found_whatever_was_changed(log: Log, column: str) -> None:
    log.tamper(update(records).where(AT_15).values({column: CHANGES[column]}))

    verdict = log.verify()

    found = places(verdict, Fault.ALTERED)
    assert found[0] == 15
    assert found in ([15], [15, 16])
    if column not in {"decision_id", "received_at"}:
        assert verdict.findings[0].decision_id == decision_id(15).bytes


@pytest.mark.parametrize("column", ["decision_id", "consent_id", "previous"])
def test_a_byte_added_to_an_identifier_is_found(log: Log, column: str) -> None:
    longer = b"\x06" * 17 if column == "previous" else decision_id(15).bytes + b"\x00"
    log.tamper(update(records).where(AT_15).values({column: longer}))

    assert places(log.verify(), Fault.ALTERED) == [15]


_SHIFTS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "a byte of the visitor to the decision": lambda row: {
        "decision_id": row.decision_id + row.consent_id[:1],
        "consent_id": row.consent_id[1:],
    },
    "a byte of the decision to the visitor": lambda row: {
        "decision_id": row.decision_id[:-1],
        "consent_id": row.decision_id[-1:] + row.consent_id,
    },
    "a byte of the salt to what is replaced": lambda row: {
        "previous": bytes(16) + row.salt[:1],
        "salt": row.salt[1:],
    },
    "a byte of what is replaced to the visitor": lambda row: {
        "consent_id": row.consent_id + b"\0",
        "previous": bytes(15),
    },
    "zeros for nothing replaced": lambda _: {"previous": bytes(16)},
    "a byte behind the salt": lambda row: {"salt": row.salt + b"\0"},
    "dashes for no country": lambda _: {"country": "--"},
    "a network without bytes": lambda _: {"ip": b""},
    "a byte behind the hash": lambda row: {"hash": row.hash + b"\0"},
}


@pytest.mark.parametrize("shift", _SHIFTS)
def test_bytes_moved_to_a_neighbouring_column_never_pass(log: Log, shift: str) -> None:
    """The leaf is made of all columns in one: the same bytes cut elsewhere must not be the same."""
    # Nothing else may have been altered, so that only the new place of the cut can be found.
    log.tamper(update(records).where(AT_15).values(country=None, ip=None, origin_id=None))
    log.rewrite()
    log.tamper(delete(checkpoints))
    assert places(log.verify(), *Fault) == []
    with log.store._reading() as connection:  # noqa: SLF001 -- as an attacker would
        row = connection.execute(select(records).where(AT_15)).one()

    log.tamper(update(records).where(AT_15).values(_SHIFTS[shift](row)))

    assert 15 in places(log.verify(), Fault.ALTERED)


def test_a_country_that_swallowed_a_network_is_found(log: Log) -> None:
    if not log.url.startswith("sqlite"):
        pytest.skip("this engine's column is too narrow for it")
    log.tamper(update(records).where(AT_15).values(country=None, ip=bytes(6)))
    log.rewrite()

    log.tamper(
        text("UPDATE records SET country = '--' || char(0,0,0,0,0,0), ip = NULL WHERE seq = 15")
    )

    assert places(log.verify(), Fault.ALTERED) == [15]


@pytest.mark.parametrize(
    "change",
    [
        "action = action + 0.5",
        "action = action || 'x'",
        "regime = regime || 'x'",
        "notice_id = notice_id || 'x'",
        "site_id = site_id || 'x'",
        "decision_id = CAST(decision_id AS TEXT)",
        "consent_id = CAST(consent_id AS TEXT)",
        "salt = CAST(salt AS TEXT)",
        "hash = 'abc'",
        "decision_id = 'abc'",
        "received_at = 'abc'",
        "received_at = 1 << 62",
        "received_at = received_at + 0.5",
        "choices = -1",
    ],
)
def test_a_value_of_another_type_is_found_and_the_rest_is_checked(log: Log, change: str) -> None:
    if not log.url.startswith("sqlite"):
        pytest.skip("this engine keeps such values out by itself")
    database = sqlite3.connect(log.url.removeprefix("sqlite:///"))
    database.execute(f"UPDATE records SET {change} WHERE seq = 15")  # noqa: S608
    database.execute("UPDATE records SET choices = choices + 1 WHERE seq = 25")
    database.commit()
    database.close()

    verdict = log.verify()

    found = places(verdict, Fault.ALTERED)
    assert 15 in found
    assert 25 in found


_CELLS = {
    "notices SET offer = '{'": "its offer is none",
    "notices SET offer = '[]'": "its offer is none",
    "notices SET document = CAST(x'ff' AS TEXT)": "its text has another digest",
    "notices SET document = replace(hex(zeroblob(50000)), '0', '[')": "has another digest",
    "checkpoints SET text = CAST(x'ff' AS TEXT) WHERE number = 1": "checkpoint 1 was altered",
    "checkpoints SET text = x'00' WHERE number = 1": "checkpoint 1 was altered",
    "origins SET origin = CAST(x'ff' AS TEXT)": "its origin is none",
    "clients SET browser = CAST(x'ff' AS TEXT)": "its browser is none",
    "clients SET device = 99": "its device is none",
    "chains SET uid = x'00'": "its name does not fit",
    "chains SET started_at = -5": "its start does not fit",
    "chains SET head = 'abc'": "its head does not fit",
    "chains SET length = -5": "its length does not fit",
    "chains SET length = 1 << 62": "its length does not fit",
    "chains SET number = 1 << 60": "is none of the kit's",
}


@pytest.mark.parametrize("cell", _CELLS)
def test_an_altered_cell_is_told_and_the_rest_is_checked(log: Log, cell: str) -> None:
    if not log.url.startswith("sqlite"):
        pytest.skip("this engine keeps most of them out by itself")
    database = sqlite3.connect(log.url.removeprefix("sqlite:///"))
    database.execute(f"UPDATE {cell}")
    database.execute("INSERT INTO origins VALUES (77, CAST(x'fe' AS TEXT))")
    database.commit()
    database.close()

    told = "\n".join(log.verify().told)

    assert _CELLS[cell] in told
    assert "origins 77 was altered" in told


def test_a_tombstone_put_beside_its_record_is_found(log: Log) -> None:
    stray = {"seq": 15, "leaf": bytes(32), "hash": bytes(32), "erased_at": 1, "reason": 1}
    log.tamper(insert(tombstones).values(stray))

    assert "record number 15 is there and has a tombstone" in log.verify().problems[0]


def test_records_that_a_checkpoint_should_cover_are_told(log: Log) -> None:
    log.store.append([make_record(50, published(), NOON + dt.timedelta(minutes=20))])
    later = NOON + dt.timedelta(hours=1)
    verification = Verification(log.url, {})
    try:
        trusted = SigningKeys(log.folder).public()
        checked = verification.check_frame(trusted, []).checkpoints
        found = verification.find_uncovered(checked, later)
        fresh = verification.find_uncovered(checked, NOON + dt.timedelta(minutes=21))
    finally:
        verification.close()

    assert found is not None
    assert found.count == 3
    # It may have started a minute ago, after one that was killed.
    assert fresh is None


def test_a_fresh_record_does_not_hide_what_no_checkpoint_covers(log: Log) -> None:
    late = NOON + dt.timedelta(minutes=20)
    log.store.append([make_record(50, published(), late)])
    log.store.append([make_record(51, published(), late + dt.timedelta(hours=1))])
    verification = Verification(log.url, {})
    try:
        checked = verification.check_frame(SigningKeys(log.folder).public(), []).checkpoints
        now = late + dt.timedelta(hours=1, seconds=9)
        assert verification.find_uncovered(checked, now) is not None
    finally:
        verification.close()


def test_what_a_killed_server_left_behind_is_no_accusation(log: Log) -> None:
    log.tamper(delete(checkpoints))
    verification = Verification(log.url, {})
    try:
        checked = verification.check_frame(SigningKeys(log.folder).public(), []).checkpoints
        # All of it came within half a minute: none need have been made yet.
        assert verification.find_uncovered(checked, NOON + dt.timedelta(days=9)) is None
    finally:
        verification.close()


@pytest.mark.parametrize(
    "excess", [{"gpc": 257, "anonymise_ip": 0}, {"action": 257}, {"flags": 1 << 16}]
)
def test_a_number_too_large_for_its_place_is_found(log: Log, excess: dict[str, int]) -> None:
    if not log.url.startswith("sqlite"):
        pytest.skip("this engine keeps such numbers out by itself")
    assigned = ", ".join(f"{name} = {value}" for name, value in excess.items())
    log.tamper(text(f"UPDATE records SET {assigned} WHERE seq = 15"))  # noqa: S608

    assert places(log.verify(), Fault.ALTERED) == [15]


def test_a_record_under_another_site_notice_client_or_origin_is_found(log: Log) -> None:
    other = published("soft4doc", language="fr")
    log.store.remember_notice(other, DOCUMENT, NOON)
    log.tamper(
        insert(clients).values(browser="Safari", system="iOS", device=1),
        insert(origins).values(origin="https://elsewhere.example"),
    )
    for column in CONTEXT_IDS:
        changed = update(records).where(AT_15).values({column: records.c[column] + 1})
        back = update(records).where(AT_15).values({column: records.c[column] - 1})

        log.tamper(changed)
        found = places(log.verify(), Fault.ALTERED)
        log.tamper(back)

        assert found == [15], column
    assert log.verify().is_good


@pytest.mark.parametrize(
    "change",
    [
        update(sites).values(name="elsewhere"),
        update(clients).values(system="Windows"),
        update(origins).values(origin="https://elsewhere.example"),
        update(notices).values(revision=9),
        update(notices).values(language="de"),
    ],
)
def test_a_changed_name_is_found_in_every_record_under_it(log: Log, change: Any) -> None:
    log.tamper(change)

    verdict = log.verify()

    assert verdict.faults == 32
    assert places(verdict, Fault.ALTERED) == list(range(1, 33))


def test_a_notice_with_other_words_or_another_offer_is_found(log: Log) -> None:
    log.tamper(update(notices).values(document='{"texts":{"accept":"Yes"}}'))
    verdict = log.verify()
    assert verdict.faults == 0
    assert "was altered: its text has another digest" in verdict.problems[0]

    swapped = published(purposes=("marketing", "statistics"))
    from slagboom_server.names import write_offer  # noqa: PLC0415 -- as an attacker would

    log.tamper(update(notices).values(offer=write_offer(swapped)))
    assert log.verify().faults == 32


def test_a_removed_record_is_found_at_its_place(log: Log) -> None:
    log.tamper(delete(records).where(AT_15))

    verdict = log.verify()

    [finding] = verdict.findings
    assert (finding.fault, finding.position, finding.count) == (Fault.MISSING, 15, 1)
    assert finding.received_at is not None


def test_a_removed_stretch_is_one_finding(log: Log) -> None:
    log.tamper(delete(records).where(records.c.seq.between(5, 14)))

    [finding] = log.verify().findings

    assert (finding.fault, finding.position, finding.count) == (Fault.MISSING, 5, 10)


def test_a_removed_record_is_found_though_the_rest_moved_up(log: Log) -> None:
    log.tamper(delete(records).where(AT_15))
    log.renumber(16, -1)
    log.tamper(update(chains).values(length=31))

    verdict = log.verify()

    assert places(verdict, Fault.ALTERED) == [15]
    assert places(verdict, Fault.REWRITTEN) == [20]


def test_an_inserted_record_is_found(log: Log) -> None:
    log.renumber(15, 1)
    log.duplicate(3, 15, decision_id=b"\x07" * 16)
    log.tamper(update(chains).values(length=33))

    assert places(log.verify(), Fault.INSERTED) == [15]


def test_a_record_behind_the_end_of_its_chain_is_found(log: Log) -> None:
    log.duplicate(3, 33, decision_id=b"\x07" * 16)
    log.duplicate(3, (7 << 36) + 1, decision_id=b"\x08" * 16)
    log.level_decisions()

    verdict = log.verify()

    assert [problem[:17] for problem in verdict.problems] == ["records has numbe"] * 2
    assert verdict.faults == 0


def test_exchanged_records_are_found(log: Log) -> None:
    for seq, place in ((5, 1000), (6, 5), (1000, 6)):
        log.tamper(update(records).where(records.c.seq == seq).values(seq=place))

    # The one behind them no longer follows either.
    assert places(log.verify(), Fault.ALTERED, Fault.INSERTED) == [5, 6, 7]


def test_a_chain_written_anew_is_found_by_the_checkpoint(log: Log) -> None:
    log.tamper(update(records).where(AT_15).values(choices=0, services=0, action=2))
    log.rewrite()

    [finding] = log.verify().findings

    # Ten were signed before it, and the checkpoint of twenty no longer fits.
    assert (finding.fault, finding.position, finding.checkpoint) == (Fault.REWRITTEN, 20, 2)


def cut(log: Log, length: int) -> None:
    with_head = select(records.c.hash).where(records.c.seq == length).scalar_subquery()
    log.tamper(
        update(chains).values(length=length, head=with_head),
        delete(records).where(records.c.seq > length),
    )
    log.level_decisions()


def test_a_cut_tail_is_found_by_the_last_checkpoint(log: Log) -> None:
    cut(log, 25)

    [problem] = log.verify().problems

    assert "ends at 25; checkpoint 3 has signed 30 records: 5 were cut off" in problem


def test_a_cut_tail_without_its_checkpoint_is_found_by_a_copy(log: Log) -> None:
    copies = log.copies()
    cut(log, 20)
    log.tamper(delete(checkpoints).where(checkpoints.c.number == 3))

    assert log.verify().is_good
    verdict = log.verify(*copies)

    assert "ends at 20; checkpoint 3 has signed 30" in verdict.problems[0]
    assert "is not in the database" in verdict.checkpoints.problems[0]


def test_a_removed_checkpoint_is_found(log: Log) -> None:
    log.tamper(delete(checkpoints).where(checkpoints.c.number == 2))

    problems = log.verify().checkpoints.problems

    assert "comes where number 2 should: one was removed" in problems[0]


def test_an_altered_checkpoint_is_found(log: Log) -> None:
    kept = log.store.evidence.checkpoint(2)
    assert kept is not None
    changed = kept.text.replace(" 20 ", " 19 ")
    log.tamper(update(checkpoints).where(checkpoints.c.number == 2).values(text=changed))

    problems = "\n".join(log.verify().checkpoints.problems)

    assert "was altered: its signature is wrong" in problems
    assert "checkpoint 3 of 2026-11-21T12:03:00Z does not follow" in problems


def test_checkpoints_by_another_key_are_found(log: Log, tmp_path: Path) -> None:
    """Somebody who rewrites everything in the database, and signs it."""
    log.tamper(update(records).where(AT_15).values(choices=0, services=0, action=2))
    log.rewrite()
    key = SigningKeys(tmp_path / "other").first()
    previous = None
    for number, length in ((1, 10), (2, 20), (3, 30)):
        kept = log.store.evidence.checkpoint(number)
        assert kept is not None
        old = read_checkpoint(kept.text)
        [sealed] = log.store.evidence.sealed(length, length)
        new = write_checkpoint(
            log=old.log,
            number=number,
            made_at=old.made_at,
            time="2026-11-21T12:00:00Z",
            previous=previous,
            heads=[type(old.heads[0])(old.heads[0].uid, length, sealed.hash)],
            key=key,
        )
        previous = new.digest
        changed = update(checkpoints).where(checkpoints.c.number == number)
        log.tamper(changed.values(text=new.text, digest=new.digest))

    assert not log.verify().faults
    [problem] = log.verify().checkpoints.problems
    assert "checkpoint 1 " in problem
    assert "is signed by a key nobody here vouches for" in problem
    replaced = log.verify(*log.copies()).checkpoints.problems
    assert "checkpoint 3 of 2026-11-21T12:03:00Z is not the one in the given file" in replaced[1]


def test_a_changed_end_of_a_chain_is_found(log: Log) -> None:
    log.tamper(update(chains).values(head=b"\x09" * 32))

    assert "does not end with the hash it says" in log.verify().problems[0]


def test_a_removed_chain_is_found(log: Log) -> None:
    log.tamper(delete(records), delete(chains))

    assert "ends at 0; checkpoint 3 has signed 30" in log.verify().problems[0]


def test_an_erased_record_leaves_the_chain_whole(log: Log) -> None:
    erase(log, 15)

    verdict = log.verify(*log.copies())

    assert verdict.is_good
    assert (verdict.records, verdict.erased) == (32, 1)


def disguise(log: Log, seq: int, **changes: Any) -> None:
    """Takes a record away and puts the tombstone in its place that an erasure would leave."""
    [sealed] = log.store.evidence.sealed(seq, seq)
    tombstone = {"leaf": sealed.leaf, "hash": sealed.hash, "erased_at": 1, "reason": 1, **changes}
    log.tamper(
        insert(tombstones).values(seq=seq, **tombstone), delete(records).where(records.c.seq == seq)
    )
    log.level_decisions()


@pytest.mark.parametrize("number", [None, -3, 0, 1, 1 << 62])
def test_a_removal_disguised_as_an_erasure_is_found(log: Log, number: int | None) -> None:
    disguise(log, 15, number=number)

    verdict = log.verify()

    assert verdict.faults == 0
    [problem] = verdict.problems
    assert problem == (
        "record number 15 has a tombstone that no erasure of the kit has made: the record was "
        "removed, and the tombstone put in its place"
    )


@pytest.mark.parametrize("number", [None, 3])
def test_a_disguised_removal_is_not_covered_by_erasures_before_and_after(
    log: Log, number: int | None
) -> None:
    erase(log, 3, 20)
    log.checkpoint(5)
    disguise(log, 15, number=number)
    erase(log, 7, 32)
    log.checkpoint(6)

    told = "\n".join(log.verify().problems)

    if number is None:
        assert "record number 15 has a tombstone that no erasure of the kit has made" in told
    else:
        assert "erasures 3 to 5 are not those that checkpoint 5 of 2026-11-21T12:06:00Z" in told


def test_a_disguised_removal_is_found_though_it_was_counted_as_an_earlier_one(log: Log) -> None:
    """The whole order written anew, as somebody who knows this program would."""
    erase(log, 3)
    log.checkpoint(5)
    disguise(log, 15, number=2)
    log.tamper(update(tombstones).values(number=-tombstones.c.number))
    log.tamper(update(tombstones).values(number=3 + tombstones.c.number))
    log.count_erasures()

    problems = log.verify().problems
    log.checkpoint(6)
    later = log.verify().problems

    assert "erasures 1 to 1 are not those that checkpoint 4 of" in problems[0]
    assert "erasures 1 to 1 are not those that checkpoint 4 of" in later[0]


@pytest.mark.parametrize("change", [{"erased_at": 5}, {"reason": 3}, {"reason": -1}])
def test_an_altered_tombstone_is_found_though_its_chain_is_whole(
    log: Log, change: dict[str, int]
) -> None:
    erase(log, 3, 15, 20)
    assert log.verify().is_good
    log.checkpoint(5)
    erase(log, 21)
    log.tamper(update(tombstones).where(tombstones.c.seq == 15).values(change))

    [problem] = log.verify().problems

    assert problem == (
        "the tombstones of erasures 1 to 3 are not those that checkpoint 4 of 2026-11-21T12:05:00Z "
        "tells of: one was altered, removed, put in or exchanged"
    )


def test_a_removed_tombstone_is_found_though_its_record_is_back(log: Log) -> None:
    engine = open_engine(parse_url(log.url))
    with reading(engine) as connection:
        kept = connection.execute(select(records).where(AT_15)).one()._mapping  # noqa: SLF001 -- its public name
    engine.dispose()
    erase(log, 15, 16)
    log.checkpoint(5)
    log.tamper(delete(tombstones).where(tombstones.c.seq == 15), insert(records).values(dict(kept)))
    log.level_decisions()

    [problem] = log.verify().problems

    assert "erasures 1 to 2 are not those that checkpoint 4" in problem
    assert "1 of them are gone" in problem
    log.tamper(delete(tombstones))
    log.count_erasures()
    assert "0 erasures are counted, and checkpoint 4 of" in log.verify().problems[0]


@pytest.mark.parametrize(
    "change",
    [
        update(erasures).values(length=7),
        update(erasures).values(length=-1),
        update(erasures).values(head=b"\x0d" * 32),
        update(erasures).values(head=b""),
        delete(erasures),
    ],
)
def test_an_altered_count_of_erasures_is_found_and_keeps_nobody_from_erasing(
    log: Log, change: Executable
) -> None:
    erase(log, 3, 15)
    log.checkpoint(5)
    log.tamper(change)

    assert not log.verify().is_good
    erase(log, 16)
    log.checkpoint(6)
    assert not log.verify().is_good
    assert log.verify().faults == 0


def test_erasures_counted_back_by_somebody_are_found_until_the_next_one_counts_on(log: Log) -> None:
    erase(log, 3, 15)
    log.tamper(update(erasures).values(length=1))
    assert "record number 15 has a tombstone" in log.verify().problems[-1]

    erase(log, 16)

    assert log.verify().is_good


def test_an_erasure_is_news_for_a_checkpoint_which_signs_it(log: Log) -> None:
    log.checkpoint(4)
    erase(log, 15)

    made = log.checkpoint(5)

    assert made.erased is not None
    assert made.erased.length == 1
    assert "\nerasures 1 " in made.text
    assert log.verify(*log.copies()).is_good
    assert CheckpointMaker(log.store.evidence, log.folder).make(NOON + DAY) is None


def test_checkpoints_that_sign_no_erasures_stay_good(log: Log) -> None:
    """Those made before erasures were signed, or before there was one."""
    assert "erasures" not in log.copies()[-1].text
    erase(log, 15)

    assert log.verify(*log.copies()).is_good


def test_who_erases_at_the_same_time_takes_no_number_twice(log: Log) -> None:
    stores = [open_store(log.url) for _ in range(3)]

    def erase_some(number: int) -> int:
        store = stores[number % 3]
        return store.retention.erase(consent_id(number), Reason.DPO, NOON + number * DAY)

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(erase_some, range(1, 31))) == [1] * 30
    for store in stores:
        store.close()

    made = log.checkpoint(5)
    assert made.erased is not None
    assert made.erased.length == 30
    assert log.verify().is_good


def test_an_altered_tombstone_is_found(log: Log) -> None:
    [sealed] = log.store.evidence.sealed(15, 15)
    tombstone = {
        "seq": 15,
        "leaf": b"\x0b" * 32,
        "hash": sealed.hash,
        "erased_at": 1,
        "reason": 1,
    }
    log.tamper(insert(tombstones).values(tombstone), delete(records).where(AT_15))

    assert places(log.verify(), Fault.ALTERED) == [15]


def test_a_segment_leads_from_a_record_to_a_signed_head(log: Log) -> None:
    """What a receipt holds."""
    own, *later = log.store.evidence.sealed(25, 30)
    checkpoint = log.copies()[0]

    head = own.hash
    for sealed in later:
        head = link(head, sealed.leaf)

    assert head == checkpoint.heads[0].hash


def test_a_verification_goes_on_where_another_stopped(log: Log) -> None:
    uid = log.store.evidence.chains()[0].uid
    [sealed] = log.store.evidence.sealed(20, 20)
    start = {uid: (20, sealed.hash)}
    log.tamper(update(records).where(records.c.seq == 3).values(choices=0))
    log.tamper(update(records).where(records.c.seq == 25).values(choices=0))

    verdict = log.verify(start=start)

    assert verdict.records == 12
    assert places(verdict, Fault.ALTERED) == [25]
    wrong = log.verify(start={uid: (20, b"\x0c" * 32)})
    assert "is another one up to 20" in wrong.problems[0]


def test_what_is_appended_during_a_verification_is_no_fault(log: Log) -> None:
    verification = Verification(log.url, {})
    verdict = verification.check_frame(SigningKeys(log.folder).public(), [])
    log.store.append([make_record(99, published(), NOON)])
    verification.run(verdict, 1, lambda _: None)
    verification.close()

    assert verdict.is_good
    assert verdict.records == 32


def erase(log: Log, *numbers: int) -> None:
    """Erases these decisions as their visitors would."""
    for number in numbers:
        assert log.store.retention.erase(consent_id(number), Reason.VISITOR, NOON) == 1


def raise_counts(log: Log, *tables: Table, by: int = 1000) -> None:
    """Adds to what was accepted, in the rows of all decisions and of every purpose."""
    for table in tables:
        raised = {name: table.c[name] + by for name in ("accepted", "granted")}
        log.tamper(update(table).values(raised))


def test_counts_that_come_from_the_records_are_no_fault(log: Log) -> None:
    later = NOON + 3 * DAY
    log.store.append([make_record(40, published(), later), make_record(41, published(), later)])
    assert log.check_counts() == []

    erase(log, 1, 15, 32, 41)

    assert log.check_counts() == []


def test_counts_that_were_raised_are_found_by_site_day_and_column(log: Log) -> None:
    log.tamper(update(daily_counts).values(accepted=daily_counts.c.accepted + 1000))

    told = log.check_counts()

    assert (
        "counts of dsoft on 2026-11-21, all decisions: accepted says 1,032, and its records come "
        "to 32" in told
    )
    assert any("on 2026-11-21, marketing: accepted says 1,032" in line for line in told)
    assert not any("granted says" in line for line in told)


def test_counts_that_were_raised_in_both_tables_are_found(log: Log) -> None:
    raise_counts(log, daily_counts, detailed_counts)

    told = "\n".join(log.check_counts())

    assert "2026-11-21, all decisions: granted says 1,032, and its records come to 32" in told
    assert "all decisions (revision 1, nl, unknown country, computer): accepted says 1,032" in told


def test_counts_moved_to_another_day_are_found_on_both(log: Log) -> None:
    for table in (daily_counts, detailed_counts):
        log.tamper(update(table).values(day=table.c.day - 7))

    told = "\n".join(log.check_counts())

    assert "on 2026-11-14, all decisions: accepted says 32, and its records come to 0" in told
    assert "on 2026-11-21, all decisions: accepted says 0, and its records come to 32" in told


def test_counts_that_were_removed_are_found(log: Log) -> None:
    log.tamper(delete(daily_counts), delete(detailed_counts))

    assert "accepted says 0, and its records come to 32" in log.check_counts()[0]


def test_counts_of_a_day_with_an_erased_record_cannot_be_less_than_what_is_left(log: Log) -> None:
    erase(log, 15)
    raise_counts(log, daily_counts, detailed_counts, by=-2)

    told = "\n".join(log.check_counts())

    assert "accepted says 30, and its records come to at least 31" in told


def test_counts_of_a_day_with_an_erased_record_must_still_fit_the_length_of_the_chains(
    log: Log,
) -> None:
    erase(log, 15)
    raise_counts(log, daily_counts, detailed_counts)

    [told] = log.check_counts()

    assert told == "the counts come to 1,032 decisions, and the chains to 32"


def test_an_erased_record_does_not_cover_the_counts_of_another_day(log: Log) -> None:
    later = NOON + 3 * DAY
    log.store.append([make_record(number, published(), later) for number in (40, 41, 42)])
    erase(log, 41)
    raise_counts(log, daily_counts, detailed_counts)

    told = "\n".join(log.check_counts())

    assert "on 2026-11-21, all decisions: accepted says 1,032, and its records come to 32" in told
    assert "on 2026-11-24, all decisions: accepted says" not in told


def test_what_was_shown_must_be_the_same_in_both_tables(log: Log) -> None:
    log.tamper(update(daily_counts).values(shown=7))

    assert any("shown says 7 by day, and 0 in the" in line for line in log.check_counts())


def test_counts_agree_with_the_records_while_a_server_counts_on(log: Log) -> None:
    """What comes in between two looks is in one of them and not in the other."""
    engine = open_engine(parse_url(log.url))
    number = 50

    def append_one(*_: object) -> None:
        nonlocal number
        if number < 60:
            number += 1
            log.append(number, number)

    try:
        event.listen(engine, "after_cursor_execute", append_one)
        assert check_counts(engine) == []
    finally:
        engine.dispose()
    assert number == 60


@pytest.mark.parametrize("value", [1 << 62, -1])
def test_a_day_that_is_none_is_told_and_does_not_end_the_recount(log: Log, value: int) -> None:
    log.tamper(update(records).where(AT_15).values(received_at=value))

    assert any(
        "accepted says 32, and its records come to 31" in line for line in log.check_counts()
    )
