"""Receipts beside what was published: the structure of ISO/IEC TS 27560, the words of the DPV."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from receipt_samples import ReceiptLog, open_receipt_log

from slagboom_server import receipt_context, receipt_record

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "receipt.schema.json").read_text("utf-8"))
TERMS = json.loads((ROOT / "tests" / "golden" / "dpv_terms.json").read_text("utf-8"))


@pytest.fixture
def log(database_url: str, tmp_path: Path) -> Iterator[ReceiptLog]:
    opened = open_receipt_log(database_url, tmp_path / "keys")
    yield opened
    opened.store.close()


def find_faults(receipt: dict[str, Any]) -> list[str]:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    validator = jsonschema.Draft202012Validator(SCHEMA, format_checker=checker)
    return [error.message for error in validator.iter_errors(receipt)]


@pytest.mark.parametrize("number", [1, 5, 10])
def test_a_receipt_has_the_published_structure(log: ReceiptLog, number: int) -> None:
    assert find_faults(log.receipt(number)) == []


def test_withdrawals_and_refusals_have_it_too(log: ReceiptLog) -> None:
    previous = log.record(1)
    log.append(20, 20, action="withdraw", granted=set(), previous=previous.decision_id)
    log.append(21, 21, action="reject_all", granted=set())

    withdrawn, refused = log.receipt(20), log.receipt(21)

    assert find_faults(withdrawn) == find_faults(refused) == []
    assert read_states(withdrawn) == {"dpv:ConsentWithdrawn"}
    assert read_states(refused) == {"dpv:ConsentRefused"}
    assert withdrawn["dpv:hasRecordOfActivity"]["dpv:isAfter"] == str(previous.decision_id)
    assert withdrawn["sb:kantara"]["services"] == []


def read_states(receipt: dict[str, Any]) -> set[str]:
    processes = receipt["dpv:hasRecordOfActivity"]["dpv:hasProcess"]
    return {process["dpv:hasConsentStatus"][0]["@type"][0] for process in processes}


def test_each_purpose_and_service_has_its_own_answer(log: ReceiptLog) -> None:
    processes = log.receipt(10)["dpv:hasRecordOfActivity"]["dpv:hasProcess"]

    states = {
        process["dpv:hasIdentifier"]: process["dpv:hasConsentStatus"][0]["@type"][0]
        for process in processes
    }
    assert states == {
        "purpose:statistics": "dpv:ConsentGiven",
        "purpose:contact": "dpv:ConsentRefused",
        "service:counter": "dpv:ConsentGiven",
        "service:chat": "dpv:ConsentRefused",
    }


def test_every_entity_that_is_named_is_described(log: ReceiptLog) -> None:
    record = log.receipt(10)["dpv:hasRecordOfActivity"]

    named = set(re.findall(r'"(entity:[^"]+)"', json.dumps(record["dpv:hasProcess"])))
    assert named - {"entity:visitor"} <= record["dpv:hasEntity"].keys()
    assert "dpv:hasName" in record["dpv:hasEntity"]["entity:controller"]


def test_kantaras_fields_say_the_same(log: ReceiptLog) -> None:
    receipt, record = log.receipt(10), log.record(10)
    fields = receipt["sb:kantara"]

    assert fields["consentReceiptID"] == str(record.decision_id)
    assert fields["piiPrincipalId"] == str(record.consent_id)
    assert fields["piiControllers"][0]["piiController"] == "Acme nv"
    assert len(fields["services"]) == len(record.granted) == 1


@pytest.mark.parametrize("prefix", ["dpv", "eu-gdpr", "dpv-27560"])
def test_every_term_exists_in_the_vocabulary(log: ReceiptLog, prefix: str) -> None:
    written = inspect.getsource(receipt_record) + inspect.getsource(receipt_context)
    written += json.dumps(log.receipt(10))
    used = set(re.findall(rf'"{prefix}:([^"{{]+)"', written))

    assert used
    assert used <= set(TERMS[prefix])
    if prefix != "eu-gdpr":
        assert used == set(TERMS[prefix])


def test_every_prefix_is_declared(log: ReceiptLog) -> None:
    receipt = log.receipt(10)
    context = receipt["@context"]
    parts = {key: value for key, value in receipt.items() if not key.startswith("sb:")}
    parts.pop("proof")

    prefixes = set(re.findall(r'"([a-z0-9-]+):[A-Za-z]', json.dumps(parts)))
    assert prefixes - {"https", "urn"} <= context.keys() | {"purpose", "service", "mailto"}
