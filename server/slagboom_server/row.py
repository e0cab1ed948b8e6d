"""A consent record as a row of the database, and back.

The order of the bits is the order of the notice, so a row can only be read beside its notice.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from slagboom_server.record import ConsentRecord, Flag, granted_services
from slagboom_server.schema import ACTIONS, DEVICES, FLAGS, LAYERS, REGIMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Row

    from slagboom_server.anonymise import Client
    from slagboom_server.record import OfferedNotice

    AnyRow = Row[*tuple[Any, ...]]

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND: Final = dt.timedelta(milliseconds=1)
ACTION_OF: Final = {number: action for action, number in ACTIONS.items()}
DEVICE_OF: Final = {number: device for device, number in DEVICES.items()}
_LAYER_OF: Final = {number: layer for layer, number in LAYERS.items()}
_REGIME_OF: Final = {number: regime for regime, number in REGIMES.items()}
_IPV4_BYTES: Final = 3
"""A /24 has three bytes, a /48 six: the length tells the protocol."""

CONTENT: Final = (
    "notice_id",
    "given_at",
    "consent_id",
    "previous",
    "action",
    "layer",
    "choices",
    "services",
    "anonymise_ip",
    "gpc",
)
"""The columns that come from the visitor: a repeated decision must agree in all of them."""


def to_ms(time: dt.datetime) -> int:
    """Milliseconds since 1970 UTC."""
    return (time - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> dt.datetime:
    """The time so many milliseconds after the start of 1970 UTC."""
    return _EPOCH + dt.timedelta(milliseconds=milliseconds)


def to_bits(answers: Mapping[str, bool], order: Iterable[str]) -> int:
    """One bit for each name, set where its answer is yes; the first name has the lowest."""
    bits = 0
    for position, name in enumerate(order):
        bits |= answers[name] << position
    return bits


def from_bits(bits: int, order: Iterable[str]) -> dict[str, bool]:
    """The answers `to_bits` was given."""
    return {name: bool(bits >> position & 1) for position, name in enumerate(order)}


def flags_to_bits(flags: Iterable[Flag]) -> int:
    """The set of flags as one number."""
    return sum(FLAGS[flag] for flag in flags)


def flags_from_bits(bits: int) -> tuple[Flag, ...]:
    """The flags of a number, in the order of their definition."""
    return tuple(flag for flag, bit in FLAGS.items() if bits & bit) if bits else ()


def pack_network(network: str | None) -> bytes | None:
    """The network part of a /24 or /48, 3 or 6 bytes."""
    if network is None:
        return None
    address, _, prefix = network.partition("/")
    return ipaddress.ip_address(address).packed[: int(prefix) // 8]


def unpack_network(packed: bytes | None) -> str | None:
    """The text `pack_network` was given."""
    if packed is None:
        return None
    size, prefix = (4, 24) if len(packed) == _IPV4_BYTES else (16, 48)
    address = ipaddress.ip_address(packed.ljust(size, b"\0"))
    return f"{address}/{prefix}"


def service_ids(offer: OfferedNotice) -> tuple[str, ...]:
    """The services of an offer in the order of their bits."""
    return tuple(service.id for service in offer.services)


def to_row(
    record: ConsentRecord, offer: OfferedNotice, ids: Mapping[str, int | None]
) -> dict[str, Any]:
    """The columns of a record but `seq`. ids: its site_id, notice_id, client_id, origin_id."""
    return {
        **ids,
        "received_at": to_ms(record.received_at),
        "given_at": to_ms(record.given_at),
        "valid_until": to_ms(record.valid_until),
        "decision_id": record.decision_id.bytes,
        "consent_id": record.consent_id.bytes,
        "previous": None if record.previous is None else record.previous.bytes,
        "action": ACTIONS[record.action],
        "layer": LAYERS[record.layer],
        "choices": to_bits(record.choices, offer.purposes),
        "services": to_bits(record.services, service_ids(offer)),
        "anonymise_ip": record.anonymise_ip,
        "gpc": record.gpc,
        "regime": REGIMES[record.regime],
        "country": record.country,
        "ip": pack_network(record.ip),
        "flags": flags_to_bits(record.flags),
    }


def from_row(
    row: AnyRow, offer: OfferedNotice, client: Client, origin: str | None
) -> ConsentRecord:
    """The record a row holds. offer, client, origin: what the row's ids stand for."""
    services = from_bits(row.services, service_ids(offer))
    return ConsentRecord(
        seq=row.seq,
        decision_id=UUID(bytes=row.decision_id),
        consent_id=UUID(bytes=row.consent_id),
        previous=None if row.previous is None else UUID(bytes=row.previous),
        received_at=from_ms(row.received_at),
        given_at=from_ms(row.given_at),
        site=offer.site,
        revision=offer.revision,
        notice=offer.digest,
        language=offer.language,
        layer=_LAYER_OF[row.layer],
        action=ACTION_OF[row.action],
        choices=from_bits(row.choices, offer.purposes),
        services=services,
        anonymise_ip=row.anonymise_ip,
        granted=granted_services(offer, services, anonymise_ip=row.anonymise_ip),
        gpc=row.gpc,
        regime=_REGIME_OF[row.regime],
        country=row.country,
        ip=unpack_network(row.ip),
        browser=client.browser,
        system=client.system,
        device=client.device,
        origin=origin,
        valid_until=from_ms(row.valid_until),
        flags=flags_from_bits(row.flags),
    )
