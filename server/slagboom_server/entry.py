"""A decision on its way into the log, in the numbers and bytes that the database keeps.

Most decisions differ from others in nothing but ids, times and address. What they have in common
is their kind, made once and shared, so that an entry is little more than what is its visitor's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from slagboom_server.row import flags_to_bits, pack_network, to_bits, to_ms
from slagboom_server.schema import ACTIONS, LAYERS, REGIMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slagboom_server.anonymise import Device
    from slagboom_server.context import Context
    from slagboom_server.record import ConsentRecord


# Compared by identity: it is looked up for each decision, and comparing values would take longer
# than what the look-up saves.
@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """What repeats among decisions: the first six fields by name, the others as in the schema."""

    site: str
    notice: str
    browser: str
    system: str
    device: Device
    origin: str | None
    action: int
    layer: int
    choices: int
    services: int
    anonymise_ip: bool
    gpc: bool
    regime: int
    country: str | None
    flags: int


class Entry(NamedTuple):
    """One decision. The times are ms since 1970 UTC; ip: 3 or 6 bytes of a network."""

    kind: Kind
    decision_id: bytes
    consent_id: bytes
    previous: bytes | None
    received_at: int
    given_at: int
    valid_until: int
    ip: bytes | None


def to_entry(record: ConsentRecord, purposes: Sequence[str], services: Sequence[str]) -> Entry:
    """A record as an entry of its own kind. purposes, services: as its notice orders them."""
    kind = Kind(
        record.site,
        record.notice,
        record.browser,
        record.system,
        record.device,
        record.origin,
        ACTIONS[record.action],
        LAYERS[record.layer],
        to_bits(record.choices, purposes),
        to_bits(record.services, services),
        record.anonymise_ip,
        record.gpc,
        REGIMES[record.regime],
        record.country,
        flags_to_bits(record.flags),
    )
    return Entry(
        kind,
        record.decision_id.bytes,
        record.consent_id.bytes,
        None if record.previous is None else record.previous.bytes,
        to_ms(record.received_at),
        to_ms(record.given_at),
        to_ms(record.valid_until),
        pack_network(record.ip),
    )


def as_entry(given: ConsentRecord | Entry) -> Entry:
    """The entry of a record that has its answers in the order of its notice."""
    if isinstance(given, Entry):
        return given
    return to_entry(given, tuple(given.choices), tuple(given.services))


def to_row(entry: Entry, ids: tuple[int, int, int, int | None]) -> tuple[Any, ...]:
    """The columns `row.CONTEXT_IDS` and `leaf.CANONICAL` of an entry. ids: the first of them."""
    kind, decision_id, consent_id, previous, received_at, given_at, valid_until, ip = entry
    return (
        *ids,
        received_at,
        given_at,
        valid_until,
        decision_id,
        consent_id,
        previous,
        kind.action,
        kind.layer,
        kind.choices,
        kind.services,
        kind.anonymise_ip,
        kind.gpc,
        kind.regime,
        kind.country,
        ip,
        kind.flags,
    )


def to_values(record: ConsentRecord, context: Context) -> tuple[Any, ...]:
    """The same columns of a record."""
    return to_row(to_entry(record, context.purposes, context.services), context.ids)
