"""A receipt: one record as its visitor takes it away, signed, with its place in the chain.

The record stands in it twice: in the words of ISO/IEC TS 27560 for any reader, and with everything
its leaf covers, so that the chain up to a signed checkpoint can be followed offline.
docs/receipts.md describes each part.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid5

import rfc8785

from slagboom_server.context import Context, name_context
from slagboom_server.data_integrity import sign_document
from slagboom_server.entry import to_values
from slagboom_server.export import describe_record, format_time
from slagboom_server.kantara import describe_kantara
from slagboom_server.leaf import VERSION, digest_context, digest_record
from slagboom_server.receipt_context import CONTEXT
from slagboom_server.receipt_record import CONTROLLER, VISITOR, describe_consent
from slagboom_server.row import CONTEXT_IDS, service_ids

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from pydantic import JsonValue

    from slagboom_server.evidence import Opening
    from slagboom_server.record import ConsentRecord, OfferedNotice
    from slagboom_server.store import StoredNotice

HASH_BYTES: Final = 32
_LEVELS: Final = 3
"""How deep `list_fields` tells parts of a receipt apart."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands. chain: its public name. previous: the hash in front of the record."""

    chain: bytes
    position: int
    previous: bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """The way from a record to a checkpoint: the leaves behind it, and the checkpoint's text."""

    leaves: Sequence[bytes]
    checkpoint: str


def build_receipt(  # noqa: PLR0913 -- a receipt is the sum of its parts
    record: ConsentRecord,
    notice: StoredNotice,
    opening: Opening,
    *,
    place: Place,
    segment: Segment | str,
    key: Ed25519PrivateKey,
    now: dt.datetime,
) -> dict[str, Any]:
    """A signed receipt as JSON. segment: or a line that says why there is none."""
    created = format_time(now)
    public = key.public_key().public_bytes_raw().hex()
    receipt: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "dpv:ConsentReceipt",
        "dct:conformsTo": "dpv-27560:receipt-record",
        "dpv:hasIdentifier": str(uuid5(record.decision_id, created)),
        "dct:created": created,
        "dct:publisher": CONTROLLER,
        "schema:recipient": VISITOR,
        "dpv:hasRecordOfActivity": describe_consent(record, notice.document),
        "sb:kantara": describe_kantara(record, notice.document, public),
        "sb:evidence": {
            "leaf_version": VERSION,
            "record": describe_record(record),
            "salt": opening.salt.hex(),
            "offer": opening.offer,
            "leaf": record_leaf(record, notice.offer, opening).hex(),
            "chain": place.chain.hex(),
            "position": place.position,
            "previous": place.previous.hex(),
            "segment": _describe_segment(segment),
            "why_no_segment": segment if isinstance(segment, str) else None,
        },
    }
    receipt["sb:fields"] = dict(list_fields(receipt))
    return sign_document(receipt, key, created)


def record_leaf(record: ConsentRecord, offer: OfferedNotice, opening: Opening) -> bytes:
    """The leaf of a record, computed from what a receipt says of it."""
    client = (record.browser, record.system, record.device.value)
    context = digest_context(name_context(offer, opening.offer, client, record.origin))
    nameless = Context((0, 0, 0, None), context, offer.purposes, service_ids(offer))
    values = to_values(record, nameless)[len(CONTEXT_IDS) :]
    return digest_record(opening.salt, values, context)


def list_fields(receipt: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The parts of a receipt and a short digest of each, to tell which one was altered."""
    for name, value in receipt.items():
        if name not in {"sb:fields", "proof"}:
            levels = 1 if name == "@context" else _LEVELS
            yield from _list_fields(f"/{name}", value, levels)


def _list_fields(pointer: str, value: JsonValue, levels: int) -> Iterator[tuple[str, str]]:
    if levels > 1 and value and isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for name, part in parts:
            yield from _list_fields(f"{pointer}/{name}", part, levels - 1)
    else:
        # Only the signature proves; this tells places apart, for which 8 bytes do.
        canonical = rfc8785.dumps(value)
        yield pointer, sha256(canonical).hexdigest()[:16]


def _describe_segment(segment: Segment | str) -> dict[str, str] | None:
    if isinstance(segment, str):
        return None
    leaves = b64encode(b"".join(segment.leaves)).decode()
    return {"leaves": leaves, "checkpoint": segment.checkpoint}


def read_segment(described: Mapping[str, Any]) -> Segment:
    """The segment a receipt describes. Raises KeyError, TypeError or ValueError for no such."""
    leaves = b64decode(described["leaves"], validate=True)
    if len(leaves) % HASH_BYTES:
        message = "not whole leaves"
        raise ValueError(message)
    parts = [leaves[n : n + HASH_BYTES] for n in range(0, len(leaves), HASH_BYTES)]
    return Segment(parts, str(described["checkpoint"]))
