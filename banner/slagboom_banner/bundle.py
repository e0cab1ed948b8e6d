"""The scripts a site serves: the built parts with its policy put in as data.

Configuration is interpolated, not compiled (after Plausible's tracker): a built file names
SLAGBOOM_CONFIG once, and JSON that is also safe JavaScript stands in its place.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slagboom_banner.block_config import describe_block
from slagboom_banner.decide import read_offer
from slagboom_banner.gate_config import describe_gate
from slagboom_banner.notice import build_notice, describe_first_layer
from slagboom_banner.styles import harden_style, paint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slagboom_banner.decide import Offer
    from slagboom_banner.load import LoadedPolicy
    from slagboom_banner.notice import Notice

_UNSAFE = {"<": "\\u003c", "\u2028": "\\u2028", "\u2029": "\\u2029"}


@dataclass(frozen=True, slots=True)
class Sources:
    """What bundles are made of: the six built scripts, the themes' CSS and the kit's texts."""

    block: str
    reload: str
    gate: str
    first: str
    second: str
    own: str
    themes: Mapping[str, str]
    texts: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one site serves.

    gate: the gate alone, behind what the policy asks for besides. asking_gates: by language, the
    gate with the first layer in that language and the policy's first one behind it. parts: by file
    name. notices: by language.
    """

    offer: Offer
    gate: bytes
    asking_gates: Mapping[str, bytes]
    parts: Mapping[str, bytes]
    notices: Mapping[str, Notice]


def to_javascript(value: object) -> str:
    """JSON that means the same inside a script, whatever texts it holds."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return "".join(_UNSAFE.get(character, character) for character in text)


def _replace_names(script: str, values: Mapping[str, object]) -> bytes:
    """The script with data in the place of each name.

    All names are replaced in one pass: what one brings in may hold another as text.
    """
    for name in values:
        if script.count(name) != 1:
            message = f"{name} must stand exactly once in the built script; run `make build`"
            raise ValueError(message)
    places = re.compile("|".join(values))
    return places.sub(lambda place: to_javascript(values[place[0]]), script).encode()


def build_bundle(loaded: LoadedPolicy, sources: Sources) -> Bundle:
    """Everything a site serves; the same policy and sources give the same bytes."""
    policy = loaded.policy
    offer = read_offer(loaded)
    gate_style, first_style, second_style = harden_style(sources.themes[policy.theme])
    gate_style += paint(policy.look)
    notices = {
        language: build_notice(loaded, language, sources.texts.get(language, {}))
        for language in policy.languages
    }
    first_layers = {
        language: describe_first_layer(notice, loaded) for language, notice in notices.items()
    }

    def first_part(*languages: str) -> bytes:
        layers = {language: first_layers[language] for language in languages}
        return _replace_names(
            sources.first, {"SLAGBOOM_STYLE": first_style, "SLAGBOOM_FIRST": layers}
        )

    def second_part(language: str) -> bytes:
        return _replace_names(
            sources.second,
            {"SLAGBOOM_STYLE": second_style, "SLAGBOOM_NOTICE": notices[language].document},
        )

    bodies = {f"first-{language}": first_part(language) for language in notices} | {
        f"second-{language}": second_part(language) for language in notices
    }
    build = hashlib.sha256(b"".join(bodies.values())).hexdigest()[:12]
    gate = _replace_names(
        sources.gate,
        {"SLAGBOOM_CONFIG": describe_gate(loaded, offer, notices, build, gate_style)},
    )
    if any(service.on_withdrawal == "reload" for service in offer.services):
        gate = sources.reload.encode() + gate
    block = describe_block(policy, offer)
    if block is not None:
        gate = _replace_names(sources.block, {"SLAGBOOM_BLOCK": block}) + gate
    fallback = policy.languages[0]
    if policy.interface == "none":
        gate += sources.own.encode()
        asking_gates = dict.fromkeys(notices, gate)
    else:
        asking_gates = {
            language: gate + first_part(*dict.fromkeys((fallback, language)))
            for language in notices
        }
    return Bundle(
        offer=offer,
        gate=gate,
        asking_gates=asking_gates,
        parts={f"{name}-{build}.js": body for name, body in bodies.items()},
        notices=notices,
    )
