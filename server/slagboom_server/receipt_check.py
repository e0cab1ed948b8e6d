"""A receipt checked offline, with nothing but itself and, to trust it, the log's public key."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from slagboom_banner.errors import SlagboomError
from slagboom_banner.model import Action, Layer
from slagboom_banner.regime import Regime
from slagboom_server.anonymise import Device
from slagboom_server.chain import link
from slagboom_server.checkpoint import read_checkpoint
from slagboom_server.checkpoint_check import describe
from slagboom_server.data_integrity import is_signed, read_key
from slagboom_server.evidence import Opening
from slagboom_server.export import describe_record
from slagboom_server.leaf import VERSION
from slagboom_server.names import parse_offer
from slagboom_server.receipt import list_fields, read_segment, record_leaf
from slagboom_server.record import ConsentRecord, Flag, granted_services
from slagboom_server.row import service_ids

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from slagboom_server.checkpoint import Checkpoint
    from slagboom_server.record import OfferedNotice

_BROKEN: Final = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError)
"""What reading raises where somebody has put something of another kind."""


@dataclass(slots=True)
class ReceiptVerdict:
    """What a receipt comes to.

    problems: one line each; none where it is as it was signed. key: the raw public key it is signed
    by. checkpoint: the one its segment leads to. note: why it has no segment.
    """

    problems: list[str] = field(default_factory=list)
    decision_id: str = "unknown"
    key: bytes | None = None
    record: ConsentRecord | None = None
    checkpoint: Checkpoint | None = None
    note: str | None = None


def check_receipt(receipt: Mapping[str, Any], trusted: frozenset[bytes]) -> ReceiptVerdict:
    """Checks everything a receipt says against everything else it says.

    trusted: raw public keys known from elsewhere; where there are none, any key will do.
    """
    verdict = ReceiptVerdict()
    try:
        verdict.key = read_key(receipt)
    except SlagboomError as error:
        verdict.problems.append(f"proof: {error}")
    else:
        if trusted and verdict.key not in trusted:
            verdict.problems.append(
                f"proof: signed by the key {verdict.key.hex()}, which is not the one given"
            )
        if not is_signed(receipt):
            verdict.problems += _find_altered(receipt)
    evidence = receipt.get("sb:evidence")
    if not isinstance(evidence, dict):
        verdict.problems.append("sb:evidence: is missing, so this is no receipt of a Slagboom log")
        return verdict
    leaf = _check_record(verdict, receipt, evidence)
    if leaf is not None:
        _check_segment(verdict, evidence, leaf, trusted)
    return verdict


def _find_altered(receipt: Mapping[str, Any]) -> Iterator[str]:
    """Where a receipt is not what was signed."""
    try:
        signed = dict(receipt["sb:fields"])
        found = dict(list_fields(receipt))
    except _BROKEN:
        signed, found = {}, {}
    places = [name for name in {**signed, **found} if signed.get(name) != found.get(name)]
    for name in places:
        what = "is missing" if name not in found else "was put in"
        yield f"{name}: {'was altered' if name in found and name in signed else what}"
    if not places:
        yield "proof or sb:fields: was altered, for the signature is not over this receipt"


def _check_record(
    verdict: ReceiptVerdict, receipt: Mapping[str, Any], evidence: Mapping[str, Any]
) -> bytes | None:
    """The leaf, where record, salt and offer lead to the one the receipt names."""
    try:
        described = evidence["record"]
        verdict.decision_id = str(described["decision_id"])
        if evidence["leaf_version"] != VERSION:
            verdict.problems.append("sb:evidence/leaf_version: is not known to this version")
            return None
        offer = _read_offer(evidence)
        record = verdict.record = read_record(described, offer)
        opening = Opening(bytes.fromhex(evidence["salt"]), evidence["offer"])
        leaf = record_leaf(record, offer, opening)
        stated = bytes.fromhex(evidence["leaf"])
    except _BROKEN as error:
        verdict.problems.append(f"sb:evidence: cannot be read ({error!r})")
        return None
    again = describe_record(record)
    for name in dict.fromkeys((*again, *described)):
        if name not in described or again.get(name) != described[name]:
            verdict.problems.append(f"sb:evidence/record/{name}: does not fit the rest")
    if {*record.choices, *record.services} != {*offer.purposes, *service_ids(offer)}:
        verdict.problems.append("sb:evidence/record: answers what the notice did not offer")
    if leaf != stated:
        verdict.problems.append(
            "sb:evidence/leaf: is not that of this record, salt and offer: one of them was altered"
        )
    verdict.problems += _compare_words(receipt, record)
    return leaf


def _read_offer(evidence: Mapping[str, Any]) -> OfferedNotice:
    described = evidence["record"]
    return parse_offer(
        evidence["offer"],
        site=described["site"],
        digest=described["notice"],
        revision=described["revision"],
        language=described["language"],
    )


def read_record(described: Mapping[str, Any], offer: OfferedNotice) -> ConsentRecord:
    """The record that `describe_record` has described.

    Raises one of the errors of reading where it is none.
    """
    previous = described["previous"]
    services = dict(described["services"])
    anonymise_ip = described["anonymise_ip"]
    return ConsentRecord(
        decision_id=UUID(described["decision_id"]),
        consent_id=UUID(described["consent_id"]),
        previous=None if previous is None else UUID(previous),
        received_at=dt.datetime.fromisoformat(described["received_at"]),
        given_at=dt.datetime.fromisoformat(described["given_at"]),
        site=described["site"],
        revision=described["revision"],
        notice=described["notice"],
        language=described["language"],
        layer=Layer(described["layer"]),
        action=Action(described["action"]),
        choices=dict(described["choices"]),
        services=services,
        anonymise_ip=anonymise_ip,
        granted=granted_services(offer, services, anonymise_ip=anonymise_ip),
        gpc=described["gpc"],
        regime=Regime(described["regime"]),
        country=described["country"],
        ip=described["ip"],
        browser=described["browser"],
        system=described["system"],
        device=Device(described["device"]),
        origin=described["origin"],
        valid_until=dt.datetime.fromisoformat(described["valid_until"]),
        flags=tuple(Flag(flag) for flag in described["flags"]),
        seq=described["seq"],
    )


def _compare_words(receipt: Mapping[str, Any], record: ConsentRecord) -> Iterator[str]:
    """Where the words of the standard say something else than the record under the leaf."""
    where = "dpv:hasRecordOfActivity"
    try:
        told = receipt[where]
        facts = {
            "dpv:hasIdentifier": (told["dpv:hasIdentifier"], str(record.decision_id)),
            "dpv:hasDataSubject": (
                told["dpv:hasDataSubject"]["dpv:hasIdentifier"],
                str(record.consent_id),
            ),
            "dpv:hasNotice": (told["dpv:hasNotice"][0]["dpv:hasIdentifier"], record.notice),
            "dct:language": (told["dct:language"], record.language),
        }
        answers = {
            process["dpv:hasIdentifier"]: (
                "dpv:ConsentGiven" in process["dpv:hasConsentStatus"][0]["@type"]
            )
            for process in told["dpv:hasProcess"]
        }
    except _BROKEN as error:
        yield f"{where}: cannot be read ({error!r})"
        return
    for name, (said, recorded) in facts.items():
        if said != recorded:
            yield f"{where}/{name}: says {said}, the record {recorded}"
    recorded_answers = {
        **{f"purpose:{name}": granted for name, granted in record.choices.items()},
        **{f"service:{name}": granted for name, granted in record.services.items()},
    }
    for name in dict.fromkeys((*recorded_answers, *answers)):
        if answers.get(name) != recorded_answers.get(name):
            yield f"{where}/dpv:hasProcess: the consent status of {name} is not the recorded one"


def _check_segment(
    verdict: ReceiptVerdict, evidence: Mapping[str, Any], leaf: bytes, trusted: frozenset[bytes]
) -> None:
    """Follows the chain from the record to the checkpoint."""
    described = evidence.get("segment")
    if described is None:
        verdict.note = str(evidence.get("why_no_segment"))
        return
    try:
        segment = read_segment(described)
        checkpoint = read_checkpoint(segment.checkpoint)
        chain = bytes.fromhex(evidence["chain"])
        head = link(bytes.fromhex(evidence["previous"]), leaf)
        length = evidence["position"] + len(segment.leaves)
    except (*_BROKEN, SlagboomError) as error:
        verdict.problems.append(f"sb:evidence/segment: cannot be read ({error})")
        return
    for each in segment.leaves:
        head = link(head, each)
    if not checkpoint.is_signed():
        verdict.problems.append("sb:evidence/segment/checkpoint: was altered: wrong signature")
    elif trusted and checkpoint.key not in trusted:
        verdict.problems.append(
            f"sb:evidence/segment/checkpoint: signed by the key {checkpoint.key.hex()}, which is "
            "not one given; name each by --key"
        )
    if not any(
        (each.uid, each.length, each.hash) == (chain, length, head) for each in checkpoint.heads
    ):
        verdict.problems.append(
            "sb:evidence/segment: the chain does not lead from this record to "
            f"{describe(checkpoint)}"
        )
    verdict.checkpoint = checkpoint
