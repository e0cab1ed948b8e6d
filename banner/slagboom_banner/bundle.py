"""The scripts a site serves: the built gate and panel with its policy put in as data.

Configuration is interpolated, not compiled (after Plausible's tracker): the built file names
SLAGBOOM_CONFIG once, and JSON that is also safe JavaScript stands in its place.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slagboom_banner.decide import read_offer
from slagboom_banner.notice import build_notice, is_configured
from slagboom_banner.styles import harden_style
from slagboom_banner.texts import direction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slagboom_banner.decide import Offer
    from slagboom_banner.load import LoadedPolicy
    from slagboom_banner.model import Service
    from slagboom_banner.notice import Notice

_UNSAFE = {"<": "\\u003c", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Sources:
    """What bundles are made of: the two built scripts, the themes' CSS and the kit's texts."""

    gate: str
    panel: str
    themes: Mapping[str, str]
    texts: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one site serves. panels, notices: by language. gate_digest: hexadecimal SHA-256."""

    offer: Offer
    gate: bytes
    gate_digest: str
    panels: Mapping[str, tuple[str, bytes]]
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


def _fill_parameters(value: Any, parameters: Mapping[str, str]) -> Any:  # noqa: ANN401 -- JSON
    if isinstance(value, str):
        return _PARAMETER.sub(lambda place: parameters.get(place[1], place[0]), value)
    if isinstance(value, list):
        return [_fill_parameters(item, parameters) for item in value]
    if isinstance(value, dict):
        return {key: _fill_parameters(item, parameters) for key, item in value.items()}
    return value


def _configure_service(loaded: LoadedPolicy, service: Service) -> dict[str, Any]:
    """The part of a service the gate acts on; nothing to start while a parameter is unknown."""
    use = next(use for use in loaded.policy.services if use.id == service.id)
    configured = is_configured(loaded, service)

    def steps(name: str) -> Any:  # noqa: ANN401 -- JSON
        chosen = getattr(service, name) if configured else ()
        return _fill_parameters(
            [step.model_dump(mode="json", exclude_defaults=True) for step in chosen], use.parameters
        )

    config: dict[str, Any] = {
        "id": service.id,
        "purpose": service.purpose,
        "hosts": service.hosts,
        "stored": {
            kind: [item.pattern for item in service.stored if item.kind == kind]
            for kind in ("cookie", "local_storage", "session_storage")
        },
        "types": service.consent_types,
        "load": steps("load"),
        "deny": steps("deny"),
        "off": steps("off"),
    }
    if service.needs_full_ip:
        config["full_ip"] = True
    if service.on_withdrawal == "reload":
        config["reload"] = True
    if service.embed:
        config["embed"] = service.embed.model_dump(mode="json")
    return config


def build_bundle(loaded: LoadedPolicy, sources: Sources) -> Bundle:
    """Everything a site serves; the same policy and sources give the same bytes."""
    policy = loaded.policy
    offer = read_offer(loaded)
    gate_style, panel_style = harden_style(sources.themes[policy.theme])
    notices = {
        language: build_notice(loaded, language, sources.texts.get(language, {}))
        for language in policy.languages
    }
    panels = {}
    for language, notice in notices.items():
        body = _replace_names(
            sources.panel,
            {"SLAGBOOM_NOTICE": json.loads(notice.text), "SLAGBOOM_STYLE": panel_style},
        )
        digest = hashlib.sha256(body).hexdigest()[:16]
        panels[language] = (f"panel-{language}-{digest}.js", body)

    def own_text(language: str, key: str) -> str:
        return policy.texts.get(language, {}).get(key) or sources.texts[language][key]

    config = {
        "site": policy.site,
        "revision": policy.revision,
        "scope": offer.scope,
        "lifetime_days": policy.consent_lifetime_days,
        "cookie_domain": policy.cookie_domain,
        "accept_anonymises": policy.accept_all_anonymises_ip,
        "purposes": offer.purposes,
        "necessary": offer.necessary,
        "services": [_configure_service(loaded, service) for service in offer.services],
        "languages": {
            language: {
                "panel": panels[language][0],
                "notice": notice.digest,
                "reopen": own_text(language, "reopen"),
                "withdraw": own_text(language, "withdraw"),
                "direction": direction(language),
            }
            for language, notice in notices.items()
        },
        "style": gate_style,
    }
    gate = _replace_names(sources.gate, {"SLAGBOOM_CONFIG": config})
    return Bundle(offer, gate, hashlib.sha256(gate).hexdigest(), panels, notices)
