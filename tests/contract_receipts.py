"""What every engine's receipts must show. A test module of an engine brings a fixture `log`
(receipt_samples.open_receipt_log) and `log_url`, an empty log, and imports all of this."""

from __future__ import annotations

import asyncio
import datetime as dt
import http.client
import json
import time
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from event_loop import in_loop
from kit_samples import copy_policies
from log_samples import NOON, decision_id
from server_process import make_body, run, serving

from slagboom_server import checkpointer
from slagboom_server.checkpoint import read_checkpoint
from slagboom_server.checkpointer import MANY_RECORDS, Checkpointer, CheckpointMaker
from slagboom_server.data_integrity import sign_document
from slagboom_server.receipt import list_fields
from slagboom_server.receipt_check import check_receipt
from slagboom_server.receipts import MOST_ONLINE, Receipts
from slagboom_server.signing import SigningKeys
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from receipt_samples import ReceiptLog
    from server_process import Server

NOBODY: frozenset[bytes] = frozenset()


def sign_again(receipt: dict[str, Any]) -> dict[str, Any]:
    """What somebody with a key of their own could hand out."""
    unsigned = {name: value for name, value in receipt.items() if name != "proof"}
    unsigned["sb:fields"] = dict(list_fields(unsigned))
    return sign_document(unsigned, Ed25519PrivateKey.generate(), "2026-11-21T12:00:00.000Z")


@pytest.mark.parametrize(("number", "checkpoint", "leaves"), [(1, 1, 2), (3, 1, 0), (4, 2, 2)])
def test_a_receipt_leads_to_the_first_checkpoint_that_covers_it(
    log: ReceiptLog, number: int, checkpoint: int, leaves: int
) -> None:
    verdict = check_receipt(log.receipt(number), SigningKeys(log.folder).public())

    assert verdict.problems == []
    assert verdict.checkpoint is not None
    assert verdict.checkpoint.number == checkpoint
    assert verdict.record == log.record(number)
    assert verdict.decision_id == str(decision_id(number))
    covered = sum(head.length for head in verdict.checkpoint.heads)
    assert covered - number == leaves


def test_a_record_without_a_checkpoint_says_so_and_gets_one_later(log: ReceiptLog) -> None:
    early = check_receipt(log.receipt(10), NOBODY)
    log.checkpoint(4)
    later = check_receipt(log.receipt(10), NOBODY)

    assert (early.problems, early.checkpoint) == ([], None)
    assert "no checkpoint covers this record yet" in str(early.note)
    assert (later.problems, later.note) == ([], None)
    assert later.checkpoint is not None
    assert later.checkpoint.number == 4


def test_a_way_that_is_too_long_is_left_out_and_said(log: ReceiptLog) -> None:
    verdict = check_receipt(log.receipt(1, most_leaves=1), NOBODY)

    assert (verdict.problems, verdict.checkpoint) == ([], None)
    assert "ask the controller" in str(verdict.note)


def test_several_receipts_share_the_room_for_leaves_the_newest_first(log: ReceiptLog) -> None:
    found = [log.record(1), log.record(4)]

    first, second = Receipts(log.store, log.folder).make(found, NOON, 3)

    assert first["sb:evidence"]["segment"] is None
    assert second["sb:evidence"]["segment"] is not None


def test_a_neighbour_that_was_erased_does_not_break_the_chain(log: ReceiptLog) -> None:
    log.erase(4)
    log.erase(6)

    verdict = check_receipt(log.receipt(5), SigningKeys(log.folder).public())

    assert verdict.problems == []
    assert verdict.checkpoint is not None


def test_an_erased_record_has_no_receipt(log: ReceiptLog) -> None:
    record = log.record(5)
    log.erase(5)

    assert Receipts(log.store, log.folder).make([record], NOON, 1000) == []


def list_places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every scalar of a document."""
    if isinstance(value, dict):
        return [place for k, v in value.items() for place in list_places(v, (*path, k))]
    if isinstance(value, list):
        return [place for n, v in enumerate(value) for place in list_places(v, (*path, n))]
    return [path]


def put(document: Any, path: tuple[Any, ...], change: Any) -> None:
    for step in path[:-1]:
        document = document[step]
    document[path[-1]] = change(document[path[-1]])


def change_scalar(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if value is None:
        return "x"
    return "é" + value[1:] if value else "x"


def test_tampering_with_any_field_fails_and_names_it(log: ReceiptLog) -> None:
    receipt = log.receipt(5)
    places = list_places(receipt)
    assert len(places) > 300
    written = json.dumps(receipt)

    for place in places:
        forged = json.loads(written)
        put(forged, place, change_scalar)
        problems = check_receipt(forged, NOBODY).problems
        assert problems, place
        if place[0] == "proof":
            assert any(problem.startswith("proof") for problem in problems), (place, problems)
        elif place[0] == "sb:fields":
            assert any(place[1] in problem for problem in problems), (place, problems)
        elif place[0] == "@context":
            assert any("/@context" in problem for problem in problems), (place, problems)
        else:
            named = "/" + "/".join(str(step) for step in place[:3])
            assert any(problem.startswith(f"{named}: was altered") for problem in problems), (
                place,
                problems,
            )


@pytest.mark.parametrize("name", ["dpv:hasRecordOfActivity", "sb:kantara", "sb:evidence", "proof"])
def test_a_part_that_was_taken_out_is_named(log: ReceiptLog, name: str) -> None:
    receipt = log.receipt(5)
    del receipt[name]

    assert any(name in problem for problem in check_receipt(receipt, NOBODY).problems)


def test_a_part_that_was_put_in_is_named(log: ReceiptLog) -> None:
    receipt = {**log.receipt(5), "note": "and thanks"}

    assert check_receipt(receipt, NOBODY).problems == ["/note: was put in"]


def test_a_receipt_by_somebody_else_is_not_taken_for_the_logs(log: ReceiptLog) -> None:
    verdict = check_receipt(sign_again(log.receipt(5)), SigningKeys(log.folder).public())

    assert len(verdict.problems) == 1
    assert "is not the one given" in verdict.problems[0]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("choices", {"statistics": False, "contact": True}, "sb:evidence/leaf"),
        ("given_at", "2026-11-21T12:00:00.001Z", "sb:evidence/leaf"),
        ("ip", "10.0.0.0/24", "sb:evidence/leaf"),
        ("origin", None, "sb:evidence/leaf"),
        ("granted", [], "sb:evidence/record/granted"),
        ("more", 1, "sb:evidence/record/more"),
        ("action", "dance", "sb:evidence: cannot be read"),
        ("services", {}, "sb:evidence: cannot be read"),
    ],
)
def test_a_forged_record_fails_by_its_leaf_whoever_signs(
    log: ReceiptLog, field: str, value: object, said: str
) -> None:
    receipt = log.receipt(5)
    receipt["sb:evidence"]["record"][field] = value

    problems = check_receipt(sign_again(receipt), NOBODY).problems

    assert any(problem.startswith(said) for problem in problems), problems


def test_words_that_say_something_else_than_the_record_fail_whoever_signs(
    log: ReceiptLog,
) -> None:
    receipt = log.receipt(10)
    processes = receipt["dpv:hasRecordOfActivity"]["dpv:hasProcess"]
    refused = next(p for p in processes if p["dpv:hasIdentifier"] == "purpose:contact")
    refused["dpv:hasConsentStatus"][0]["@type"][0] = "dpv:ConsentGiven"

    problems = check_receipt(sign_again(receipt), NOBODY).problems

    [problem] = problems
    assert problem.startswith("dpv:hasRecordOfActivity/dpv:hasProcess: ")
    assert "the consent status of purpose:contact is not the recorded one" in problem


@pytest.mark.parametrize("other", [5, 7])
def test_a_leaf_left_out_or_exchanged_breaks_the_way_whoever_signs(
    log: ReceiptLog, other: int
) -> None:
    receipt = log.receipt(4)
    segment = receipt["sb:evidence"]["segment"]
    segment["leaves"] = log.receipt(other)["sb:evidence"]["segment"]["leaves"]

    problems = check_receipt(sign_again(receipt), NOBODY).problems

    assert len(problems) == 1
    assert "the chain does not lead from this record to checkpoint 2" in problems[0]


@pytest.mark.parametrize("leaves", ["AAAA", "no base64", 7, None])
def test_a_segment_of_another_kind_is_one_clear_line(log: ReceiptLog, leaves: object) -> None:
    receipt = log.receipt(4)
    receipt["sb:evidence"]["segment"]["leaves"] = leaves

    problems = check_receipt(sign_again(receipt), NOBODY).problems

    assert len(problems) == 1
    assert problems[0].startswith("sb:evidence/segment: cannot be read")


class Clock:
    """An hour after the samples' last checkpoint, and from then on as fast as any."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def __call__(self) -> dt.datetime:
        return NOON + dt.timedelta(hours=1, seconds=time.monotonic() - self._begun)


def add(log: ReceiptLog, first: int, last: int) -> None:
    log.append(first, last, anonymise_ip=True)


def last_number(log: ReceiptLog) -> int:
    stored = log.store.evidence.last_checkpoint()
    assert stored is not None
    return stored.number


def test_who_asks_right_after_the_decision_gets_the_segment(log: ReceiptLog) -> None:
    with Checkpointer(log.store.evidence, log.folder, Clock()) as made:
        receipts = Receipts(log.store, log.folder, made)
        for number in (11, 12):
            add(log, number, number)
            records = [log.record(number)]
            in_loop(receipts.wait_for_checkpoint(records))
            [receipt] = receipts.make(records, NOON, MOST_ONLINE)

            verdict = check_receipt(receipt, SigningKeys(log.folder).public())
            assert (verdict.problems, verdict.note) == ([], None)
            assert verdict.checkpoint is not None


def test_what_a_checkpoint_covers_makes_no_other(log: ReceiptLog) -> None:
    with Checkpointer(log.store.evidence, log.folder, Clock()) as made:
        receipts = Receipts(log.store, log.folder, made)
        for _ in range(3):
            in_loop(receipts.wait_for_checkpoint([log.record(3), log.record(9)]))

        assert last_number(log) == 3


def test_asking_makes_no_more_checkpoints_than_the_log_allows(
    log: ReceiptLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpointer, "WISH_EVERY_SECONDS", 0.4)
    other = open_store(log.url)
    clock = Clock()
    with (
        closing(other),
        Checkpointer(log.store.evidence, log.folder, clock) as here,
        Checkpointer(other.evidence, log.folder, clock) as there,
    ):
        asked = [Receipts(log.store, log.folder, each) for each in (here, there)]

        async def ask(lane: int) -> None:
            for turn in range(5):
                number = 100 + 10 * lane + turn
                await asyncio.to_thread(add, log, number, number)
                await asked[lane % 2].wait_for_checkpoint([log.record(number)])

        async def ask_all() -> None:
            await asyncio.gather(*map(ask, range(8)))

        in_loop(ask_all())
        texts = [stored.text for stored in log.store.evidence.checkpoints()][3:]
    times = [read_checkpoint(text).made_at for text in texts]

    # The one of the stop is nobody's wish.
    gaps = [after - before for before, after in pairwise(times[:-1])]
    assert gaps
    assert min(gaps) >= 400


def test_nobody_waits_for_a_process_that_cannot_sign(log: ReceiptLog) -> None:
    for file in log.folder.glob("*.key"):
        file.unlink()
    with Checkpointer(log.store.evidence, log.folder, Clock()) as made:
        begun = time.monotonic()
        in_loop(made.wish({bytes(16): 1}, 60))
    assert time.monotonic() - begun < 30


def test_nobody_waits_for_a_checkpoint_that_cannot_be_made(
    log: ReceiptLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Checkpointer(log.store.evidence, log.folder, Clock()) as made:
        monkeypatch.setattr(log.store.evidence, "published", lambda: 1 // 0)
        begun = time.monotonic()
        in_loop(made.wish({bytes(16): 1}, 60))

        assert time.monotonic() - begun < 30
        assert caplog.text.count("no checkpoint was made") == 1
        assert made.trouble() is None


def test_a_stop_ends_the_waiting_and_covers_what_was_waited_for(log: ReceiptLog) -> None:
    async def wait_until_the_stop() -> None:
        with Checkpointer(log.store.evidence, log.folder, Clock()) as made:
            receipts = Receipts(log.store, log.folder, made)
            add(log, 11, 11)
            await receipts.wait_for_checkpoint([log.record(11)])
            add(log, 12, 12)
            waiting = asyncio.create_task(made.wish({log.chain: 12}, 60))
            await asyncio.sleep(0)
        await asyncio.wait_for(waiting, 30)
        await made.wish({log.chain: 99}, 60)

    begun = time.monotonic()
    in_loop(wait_until_the_stop())

    assert time.monotonic() - begun < 30
    assert log.receipt(12)["sb:evidence"]["segment"] is not None


def test_after_a_burst_every_receipt_has_its_segment(log: ReceiptLog) -> None:
    last = 10 + MOST_ONLINE + MANY_RECORDS
    with Checkpointer(log.store.evidence, log.folder, Clock()) as made:
        for first in range(11, last, 100):
            add(log, first, first + 99)
            made.note(100)
        receipts = Receipts(log.store, log.folder, made)
        records = [log.record(number) for number in (*range(11, last, 500), last)]
        in_loop(receipts.wait_for_checkpoint(records))
        found = [receipts.make([record], NOON, MOST_ONLINE)[0] for record in records]

    without = [
        record.seq
        for record, receipt in zip(records, found, strict=True)
        if receipt["sb:evidence"]["segment"] is None
    ]
    assert without == []
    # By records, and one by the wish; the minute has made none.
    assert last_number(log) - 3 <= (last - 10) // MANY_RECORDS + 2


def test_few_records_call_for_no_checkpoint(log: ReceiptLog) -> None:
    add(log, 11, 20)
    maker = CheckpointMaker(log.store.evidence, log.folder)
    hour = dt.timedelta(hours=1)

    assert maker.make(NOON + hour, min_records=12) is None
    assert maker.make(NOON + hour, min_records=11) is not None


def download(server: Server, number: int) -> list[dict[str, Any]]:
    """The receipts a visitor takes away right after a decision."""
    body = make_body(server, number)
    assert server.open("/s/acme/decisions", json.dumps(body).encode())[0] == 201
    status, answer = server.open(f"/s/acme/records/{body['consent_id']}")
    assert status == 200
    receipts: list[dict[str, Any]] = json.loads(answer)["receipts"]
    return receipts


def verify_offline(receipts: list[dict[str, Any]], folder: Path) -> None:
    """Fails where one of them does not verify with nothing at hand but the public key."""
    file, key = folder / "receipts.json", folder / "log.pub"
    file.write_text(json.dumps(receipts))
    [public] = (folder / "secrets").glob("*.pub")
    key.write_bytes(public.read_bytes())
    told = run("log", "verify", "--receipt", file, "--key", key)
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.count("stands in the log that checkpoint") == len(receipts) > 0
    assert "not yet tied" not in told.stdout


def test_a_visitor_of_any_worker_leaves_with_a_receipt_that_verifies_offline(
    log_url: str, tmp_path: Path
) -> None:
    policies, keys = copy_policies(tmp_path), str(tmp_path / "secrets")
    with serving(policies, tmp_path, log_url, workers=2, SLAGBOOM_KEYS=keys) as server:
        receipts = [receipt for number in (1, 2, 3) for receipt in download(server, number)]

        verify_offline(receipts, tmp_path)


def test_a_server_told_to_stop_answers_who_waits_for_a_checkpoint(
    log_url: str, tmp_path: Path
) -> None:
    policies, keys = copy_policies(tmp_path), str(tmp_path / "secrets")
    with serving(policies, tmp_path, log_url, SLAGBOOM_KEYS=keys) as server:
        first = download(server, 1)
        body = make_body(server, 2)
        assert server.open("/s/acme/decisions", json.dumps(body).encode())[0] == 201
        waiting = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        with closing(waiting):
            waiting.request("GET", f"/s/acme/records/{body['consent_id']}")
            # Whoever comes later is answered, so that one has been read.
            assert server.open("/health/live")[0] == 200
            assert server.stop() == 0
            answer = waiting.getresponse()

            assert answer.status == 200
            verify_offline([*first, *json.loads(answer.read())["receipts"]], tmp_path)
        assert "Traceback" not in server.said
