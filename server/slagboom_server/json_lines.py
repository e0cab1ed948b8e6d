"""Lean rows as JSON: the objects `export.describe_record` makes of the records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from slagboom_server.lean_lines import Frame, LeanLines
from slagboom_server.record import granted_services
from slagboom_server.row import (
    ACTION_OF,
    LAYER_OF,
    REGIME_OF,
    flags_from_bits,
    from_bits,
    service_ids,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

    from slagboom_server.lean import LeanRow, Lookup

_FRAME: Final = Frame(
    seq='{"seq": ',
    decision=', "decision_id": "',
    consent='", "consent_id": "',
    previous='", "previous": ',
    received=', "received_at": "',
    given='", "given_at": "',
    valid='", "valid_until": "',
    repeated='", ',
    network=', "ip": ',
    sender=", ",
    end="}\n",
    nothing="null",
    quote='"',
)


def write_json_lines(pages: Iterable[Sequence[LeanRow]], lookup: Lookup, out: TextIO) -> None:
    """Writes one object on each line."""
    lines = _make_lines(lookup, _FRAME)
    for page in pages:
        out.writelines(lines.write(page))


def write_json(pages: Iterable[Sequence[LeanRow]], lookup: Lookup, out: TextIO) -> None:
    """Writes one array."""
    lines = _make_lines(lookup, _FRAME._replace(seq=',\n{"seq": ', end="}"))
    out.write("[")
    is_first = True
    for page in pages:
        text = "".join(lines.write(page))
        out.write(text.removeprefix(",") if is_first else text)
        is_first = False
    out.write("\n]\n")


def _make_lines(lookup: Lookup, frame: Frame) -> LeanLines:
    members = _Members(lookup)
    return LeanLines(frame, members.repeated, members.sender, _to_text)


class _Members:
    """Members of what repeats, as they stand within an object."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    def repeated(self, key: tuple[Any, ...]) -> str:
        """From site to country."""
        notice_id, layer, action, choices, services, anonymise_ip, gpc, regime, country = key
        offer = self._lookup.offer(notice_id)
        used = from_bits(services, service_ids(offer))
        members = {
            "site": offer.site,
            "revision": offer.revision,
            "notice": offer.digest,
            "language": offer.language,
            "layer": LAYER_OF[layer].value,
            "action": ACTION_OF[action].value,
            "choices": from_bits(choices, offer.purposes),
            "services": used,
            "anonymise_ip": bool(anonymise_ip),
            "granted": list(granted_services(offer, used, anonymise_ip=bool(anonymise_ip))),
            "gpc": bool(gpc),
            "regime": REGIME_OF[regime].value,
            "country": country,
        }
        return _to_text(members)[1:-1]

    def sender(self, key: tuple[Any, ...]) -> str:
        """From browser to flags."""
        client_id, origin_id, flags = key
        client = self._lookup.client(client_id)
        members = {
            "browser": client.browser,
            "system": client.system,
            "device": client.device.value,
            "origin": None if origin_id is None else self._lookup.origin(origin_id),
            "flags": [flag.value for flag in flags_from_bits(flags)],
        }
        return _to_text(members)[1:-1]


def _to_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
