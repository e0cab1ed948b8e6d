"""What the gate needs of a policy: what is asked, how a service starts, stops and is cleared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from slagboom_banner.google_consent import Steps, plan_steps
from slagboom_banner.notice import is_configured
from slagboom_banner.texts import direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from slagboom_banner.decide import Offer
    from slagboom_banner.load import LoadedPolicy
    from slagboom_banner.model import Service, Step
    from slagboom_banner.notice import Notice

_PARAMETER = re.compile(r"\{(\w+)\}")
_KINDS = ("cookie", "local_storage", "session_storage", "indexed_db", "cache_storage")


def _fill_parameters(value: Any, parameters: Mapping[str, str]) -> Any:  # noqa: ANN401 -- JSON
    if isinstance(value, str):
        return _PARAMETER.sub(lambda place: parameters.get(place[1], place[0]), value)
    if isinstance(value, list):
        return [_fill_parameters(item, parameters) for item in value]
    if isinstance(value, dict):
        return {key: _fill_parameters(item, parameters) for key, item in value.items()}
    return value


def _describe_service(loaded: LoadedPolicy, service: Service) -> dict[str, Any]:
    """The part of a service the gate acts on; nothing to start while a parameter is unknown."""
    use = next(use for use in loaded.policy.services if use.id == service.id)
    is_ready = is_configured(loaded, service)
    plan = plan_steps(service, loaded.policy.google_consent) if is_ready else Steps()

    def describe(steps: Iterable[Step]) -> Any:  # noqa: ANN401 -- JSON
        return _fill_parameters(
            [step.model_dump(mode="json", exclude_defaults=True) for step in steps], use.parameters
        )

    stored = {
        kind: [item.pattern for item in service.stored if item.kind == kind] for kind in _KINDS
    }
    config = {
        "id": service.id,
        "purpose": service.purpose,
        "hosts": service.hosts,
        "stored": {kind: patterns for kind, patterns in stored.items() if patterns},
        "types": service.consent_types,
        "ahead": [describe(steps) for steps in plan.ahead],
        "load": describe(plan.load),
        "deny": describe(plan.deny),
        "off": describe(plan.off),
        "full_ip": service.needs_full_ip,
        "reload": service.on_withdrawal == "reload",
        "embed": service.embed and service.embed.model_dump(mode="json"),
    }
    # Every page carries this: what is empty is left out.
    return {key: value for key, value in config.items() if value or key == "hosts"}


def describe_gate(
    loaded: LoadedPolicy, offer: Offer, notices: Mapping[str, Notice], build: str, style: str
) -> dict[str, Any]:
    """The gate's configuration, as static/js/types.js describes it.

    build: the digest in the parts' file names. style: the gate's part of the theme.
    """
    policy = loaded.policy

    def describe_language(language: str, notice: Notice) -> dict[str, str]:
        names = {
            "notice": notice.digest,
            "reopen": notice.document["texts"]["reopen"],
            "withdraw": notice.document["texts"]["withdraw"],
        }
        if direction(language) == "rtl":
            names["direction"] = "rtl"
        return names

    own_interface = {"own_interface": True} if policy.interface == "none" else {}
    # A tag marked with a necessary purpose is held back unless its host is known.
    hosts = [
        host
        for service in loaded.services
        if service.purpose in offer.necessary
        for host in service.hosts
    ]
    necessary_hosts = {"necessary_hosts": list(dict.fromkeys(hosts))} if hosts else {}
    return {
        "site": policy.site,
        "revision": policy.revision,
        "scope": offer.scope,
        "build": build,
        "lifetime_days": policy.consent_lifetime_days,
        "cookie_domain": policy.cookie_domain,
        "accept_anonymises": policy.accept_all_anonymises_ip,
        "purposes": offer.purposes,
        "necessary": offer.necessary,
        **necessary_hosts,
        "services": [_describe_service(loaded, service) for service in offer.services],
        "languages": {
            language: describe_language(language, notice) for language, notice in notices.items()
        },
        "style": style,
        **own_interface,
    }
