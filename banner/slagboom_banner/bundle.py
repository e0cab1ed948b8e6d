"""The scripts a site serves: the built parts with its policy put in as data.

Configuration is interpolated, not compiled (after Plausible's tracker): a built file names
SLAGBOOM_CONFIG once, and a literal that is safe inside a script stands in its place.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slagboom_banner.block_config import describe_block
from slagboom_banner.decide import read_offer
from slagboom_banner.gate_config import describe_choosing, describe_gate, has_steps
from slagboom_banner.layers import (
    describe_answered,
    describe_embeds,
    describe_first_layer,
    describe_second_layer,
    has_embeds,
)
from slagboom_banner.notice import build_notice
from slagboom_banner.styles import cut_style, harden, join_sections, paint, style_first_layer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from slagboom_banner.decide import Offer
    from slagboom_banner.load import LoadedPolicy
    from slagboom_banner.notice import Notice

_NAME = re.compile(r"[a-z][a-z_]*")
_UNSAFE = {"<": "\\u003c", "\u2028": "\\u2028", "\u2029": "\\u2029"}


@dataclass(frozen=True, slots=True)
class Sources:
    """What bundles are made of. scripts: the built ones by name. themes: their CSS by name."""

    scripts: Mapping[str, str]
    themes: Mapping[str, str]
    texts: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one site serves.

    gate: the gate alone, among what the policy asks for besides. asking_gates: by language, the
    gate with what takes a decision and the first layer in that language and the policy's first one.
    parts: by file name. notices: by language. first_style: all that the first layer is drawn with.
    """

    offer: Offer
    gate: bytes
    asking_gates: Mapping[str, bytes]
    parts: Mapping[str, bytes]
    notices: Mapping[str, Notice]
    first_style: str


def to_javascript(value: object) -> str:
    """A literal that means the same inside a script, whatever texts it holds.

    It is JSON, but for the quotation marks around plain names: pages pay for them.
    """
    match value:
        case dict():
            pairs = (
                f"{key if _NAME.fullmatch(key) else to_javascript(key)}:{to_javascript(of_key)}"
                for key, of_key in value.items()
            )
            return f"{{{','.join(pairs)}}}"
        case list() | tuple():
            return f"[{','.join(map(to_javascript, value))}]"
        case _:
            text = json.dumps(value, ensure_ascii=False)
            return "".join(_UNSAFE.get(character, character) for character in text)


def _replace_names(script: str, values: Mapping[str, object]) -> bytes:
    """The script with data in the place of each name.

    All names are replaced in one pass: what one brings in may hold another as text.
    """
    for name in values:
        if script.count(name) != 1:
            message = f"{name} must stand exactly once in the built script; run `make build`"
            raise ValueError(message)
    if not values:
        return script.encode()
    places = re.compile("|".join(values))
    return places.sub(lambda place: to_javascript(values[place[0]]), script).encode()


def _list_optional(loaded: LoadedPolicy, offer: Offer) -> Iterator[tuple[str, dict[str, object]]]:
    """The scripts that stand before the gate of this policy, with what goes into them."""
    policy = loaded.policy
    block = describe_block(policy, offer)
    if block is not None:
        yield "block", {"SLAGBOOM_BLOCK": block}
    if policy.hand_over is not None:
        yield (
            "handover",
            {"SLAGBOOM_HAND_OVER": {"to": policy.hand_over.to, "scope": offer.scope}},
        )
    if any(service.on_withdrawal == "reload" for service in offer.services):
        yield "reload", {}
    if any(has_steps(service) for service in offer.services):
        yield "services", {}
    if any(item.kind != "cookie" for service in offer.services for item in service.stored):
        yield "storage", {}


def build_bundle(loaded: LoadedPolicy, sources: Sources) -> Bundle:
    """Everything a site serves; the same policy and sources give the same bytes."""
    policy = loaded.policy
    offer = read_offer(loaded)
    scripts = sources.scripts
    sections = cut_style(sources.themes[policy.theme], policy.look.scheme)
    look = policy.look
    notices = {
        language: build_notice(loaded, language, sources.texts.get(language, {}))
        for language in policy.languages
    }

    def style(*names: str) -> str:
        return join_sections(sections[name] for name in names)

    first_style = style("first layer", look.layout, *(["logo"] if look.logo else []))

    def first_part(*languages: str) -> bytes:
        layers = {
            language: describe_first_layer(notices[language].document) for language in languages
        }
        return _replace_names(
            scripts["first"], {"SLAGBOOM_STYLE": first_style, "SLAGBOOM_FIRST": layers}
        )

    choice = _replace_names(
        scripts["choice"],
        {"SLAGBOOM_CHOOSING": describe_choosing(loaded, notices, style("layers"))},
    )
    bodies = {"choice": choice, "care": scripts["care"].encode()}
    for language, notice in notices.items():
        bodies[f"first-{language}"] = first_part(language)
        bodies[f"answered-{language}"] = _replace_names(
            scripts["answered"],
            {
                "SLAGBOOM_STYLE": style("note"),
                "SLAGBOOM_ANSWERED": describe_answered(notice.document),
            },
        )
        bodies[f"second-{language}"] = _replace_names(
            scripts["second"],
            {
                "SLAGBOOM_STYLE": style("note", "second layer"),
                "SLAGBOOM_SECOND": describe_second_layer(notice.document),
            },
        )
        if has_embeds(notice.document):
            bodies[f"embed-{language}"] = _replace_names(
                scripts["embed"],
                {
                    "SLAGBOOM_STYLE": style("embed"),
                    "SLAGBOOM_EMBED": describe_embeds(notice.document),
                },
            )
    build = hashlib.sha256(b"".join(bodies.values())).hexdigest()[:8]
    # The gate has no time for what the other parts do to their styles.
    gate_style = harden(join_sections([sections["gate"], paint(look)]))
    config = describe_gate(loaded, offer, notices, build, gate_style)
    optional = [
        _replace_names(scripts[name], values) for name, values in _list_optional(loaded, offer)
    ]
    # What two scripts share has a name that no page can reach.
    start = b"(()=>{const sbParts={};" + b"".join(optional)
    gate = start + _replace_names(scripts["gate"], {"SLAGBOOM_CONFIG": config})
    end = b"})();"
    # While a choice is due, all of it is called at once or at the first click: compiled off the
    # main thread, and not in bits on it (https://v8.dev/blog/explicit-compile-hints).
    asking_gate = b"//# allFunctionsCalledOnLoad\n" + gate + choice
    fallback = policy.languages[0]
    if policy.interface == "none":
        own = {
            "notices": {language: notice.digest for language, notice in notices.items()},
            "purposes": {service.id: service.purpose for service in offer.services},
        }
        gate += choice + _replace_names(scripts["own"], {"SLAGBOOM_OWN": own}) + end
        asking_gates = dict.fromkeys(notices, gate)
    else:
        asking_gates = {
            language: asking_gate + first_part(*dict.fromkeys((fallback, language))) + end
            for language in notices
        }
        gate += end
    return Bundle(
        offer=offer,
        gate=gate,
        asking_gates=asking_gates,
        # Fetched, a part is a module; no page can put another in its place.
        parts={
            f"{name}-{build}.js": b"const sbParts={};" + body + b"export{sbParts as default};"
            for name, body in bodies.items()
        },
        notices=notices,
        first_style=style_first_layer(sources.themes[policy.theme], look),
    )
