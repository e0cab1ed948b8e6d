"""What every engine's receipts must show. A test module of an engine brings a fixture `log`
(receipt_samples.open_receipt_log) and imports all of this."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from log_samples import NOON, decision_id

from slagboom_server.data_integrity import sign_document
from slagboom_server.receipt import list_fields
from slagboom_server.receipt_check import check_receipt
from slagboom_server.receipts import Receipts
from slagboom_server.signing import SigningKeys

if TYPE_CHECKING:
    from receipt_samples import ReceiptLog

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


def test_several_receipts_share_the_room_for_leaves(log: ReceiptLog) -> None:
    found = [log.record(1), log.record(4)]

    first, second = Receipts(log.store, log.folder).make(found, NOON, 3)

    assert first["sb:evidence"]["segment"] is not None
    assert second["sb:evidence"]["segment"] is None


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
