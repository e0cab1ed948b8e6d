"""A consent record as a row of the database, and back.

The order of the bits is the order of the notice, so a row can only be read beside its notice.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from operator import index
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from slagboom_server.anonymise import Client, name_network
from slagboom_server.record import ConsentRecord, Flag, granted_services
from slagboom_server.schema import ACTIONS, DEVICES, FLAGS, LAYERS, REGIMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Row

    from slagboom_server.record import OfferedNotice

    AnyRow = Row[*tuple[Any, ...]]

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND: Final = dt.timedelta(milliseconds=1)
ACTION_OF: Final = {number: action for action, number in ACTIONS.items()}
DEVICE_OF: Final = {number: device for device, number in DEVICES.items()}
_ALL_FLAGS: Final = sum(FLAGS.values())
_COUNTRY_LETTERS: Final = 2
LAYER_OF: Final = {number: layer for layer, number in LAYERS.items()}
REGIME_OF: Final = {number: regime for regime, number in REGIMES.items()}
CONTEXT_IDS: Final = ("site_id", "notice_id", "client_id", "origin_id")

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
    """The time so many milliseconds after the start of 1970 UTC. Raises TypeError for a part."""
    return _EPOCH + dt.timedelta(milliseconds=index(milliseconds))


def to_bits(answers: Mapping[str, bool], order: Iterable[str]) -> int:
    """One bit for each name, set where its answer is yes; the first name has the lowest."""
    bits = 0
    for position, name in enumerate(order):
        bits |= answers[name] << position
    return bits


def from_bits(bits: int, order: Sequence[str]) -> dict[str, bool]:
    """The answers `to_bits` was given. Raises ValueError for an answer to nothing."""
    if bits >> len(order):
        message = f"{bits:b} answers more than {len(order)} questions"
        raise ValueError(message)
    return {name: bool(bits >> position & 1) for position, name in enumerate(order)}


def flags_to_bits(flags: Iterable[Flag]) -> int:
    """The set of flags as one number."""
    return sum(FLAGS[flag] for flag in flags)


def flags_from_bits(bits: int) -> tuple[Flag, ...]:
    """The flags of a number, in the order of their definition. Raises ValueError for others."""
    if bits & ~_ALL_FLAGS:
        message = f"{bits:b} holds unknown flags"
        raise ValueError(message)
    return tuple(flag for flag, bit in FLAGS.items() if bits & bit) if bits else ()


def pack_network(network: str | None) -> bytes | None:
    """The network part of a /24 or /48, 3 or 6 bytes."""
    if network is None:
        return None
    address, _, prefix = network.partition("/")
    if prefix == "24":
        return bytes(map(int, address.split(".")[:3]))
    return ipaddress.ip_address(address).packed[: int(prefix) // 8]


def unpack_network(packed: bytes | None) -> str | None:
    """The text `pack_network` was given."""
    return None if packed is None else name_network(packed)


def service_ids(offer: OfferedNotice) -> tuple[str, ...]:
    """The services of an offer in the order of their bits."""
    return tuple(service.id for service in offer.services)


SINGLE: Final = (
    *("seq", "decision_id", "consent_id", "previous", "received_at", "given_at", "valid_until"),
    "ip",
)
"""The columns that differ from record to record."""

REPEATED: Final = (
    *("notice_id", "layer", "action", "choices", "services", "anonymise_ip", "gpc", "regime"),
    *("country", "client_id", "origin_id", "flags"),
)
"""The columns of which few combinations occur."""


def describe_repeated(
    values: Sequence[Any], offer: OfferedNotice, client: Client, origin: str | None
) -> dict[str, Any]:
    """What the columns `REPEATED` mean, as fields of a record.

    offer, client, origin: what the ids among them stand for.
    """
    *answer, _, _, flags = values
    fields = describe_answer(answer, offer) | describe_sender(client, origin, flags)
    fields["choices"] = MappingProxyType(fields["choices"])
    fields["services"] = MappingProxyType(fields["services"])
    return fields


def describe_answer(values: Sequence[Any], offer: OfferedNotice) -> dict[str, Any]:
    """What the columns from `notice_id` to `country` mean. offer: what the first stands for.

    Raises one of `altered.BROKEN` for values the kit never writes.
    """
    _, layer, action, choices, services, anonymise_ip, gpc, regime, country = values
    answers = from_bits(services, service_ids(offer))
    # Rows that are read without types have numbers for these two.
    is_anonymised, has_gpc = _read_truth(anonymise_ip), _read_truth(gpc)
    return {
        "site": offer.site,
        "revision": offer.revision,
        "notice": offer.digest,
        "language": offer.language,
        "layer": LAYER_OF[layer],
        "action": ACTION_OF[action],
        "choices": from_bits(choices, offer.purposes),
        "services": answers,
        "anonymise_ip": is_anonymised,
        "granted": granted_services(offer, answers, anonymise_ip=is_anonymised),
        "gpc": has_gpc,
        "regime": REGIME_OF[regime],
        "country": _read_country(country),
    }


def _read_truth(value: object) -> bool:
    if value not in {0, 1}:
        message = f"{value!r} is neither true nor false"
        raise ValueError(message)
    return bool(value)


def _read_country(country: str | None) -> str | None:
    if country is not None and len(read_text(country)) != _COUNTRY_LETTERS:
        message = "no country has such a name"
        raise ValueError(message)
    return country


def read_text(value: object) -> str:
    """The value. Raises TypeError where it is no text."""
    if not isinstance(value, str):
        message = f"a text is a {type(value).__name__}"
        raise TypeError(message)
    return value


def read_client(browser: object, system: object, device: int) -> Client:
    """The client that a row of `clients` names. Raises one of `altered.BROKEN` for none."""
    return Client(read_text(browser), read_text(system), DEVICE_OF[device])


def describe_sender(client: Client, origin: str | None, flags: int) -> dict[str, Any]:
    """What the columns from `client_id` to `flags` mean."""
    return {
        "browser": client.browser,
        "system": client.system,
        "device": client.device,
        "origin": origin,
        "flags": flags_from_bits(flags),
    }


def from_row(values: Sequence[Any], repeated: Mapping[str, Any]) -> ConsentRecord:
    """The record a row holds. values: of the columns `SINGLE`. repeated: `describe_repeated`.

    Raises one of `altered.BROKEN` for values the kit never writes.
    """
    seq, decision_id, consent_id, previous, received_at, given_at, valid_until, ip = values
    return ConsentRecord(
        **repeated,
        seq=seq,
        decision_id=UUID(bytes=decision_id),
        consent_id=UUID(bytes=consent_id),
        previous=None if previous is None else UUID(bytes=previous),
        received_at=from_ms(received_at),
        given_at=from_ms(given_at),
        valid_until=from_ms(valid_until),
        ip=unpack_network(ip),
    )
