"""What the gate needs of a policy: what is asked, how a service starts, stops and is cleared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from slagboom_banner.google_consent import Steps, plan_steps
from slagboom_banner.host_ends import describe_embed, list_ends
from slagboom_banner.notice import is_configured

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from slagboom_banner.decide import Offer
    from slagboom_banner.load import LoadedPolicy
    from slagboom_banner.model import Service, Step
    from slagboom_banner.notice import Notice

_PARAMETER = re.compile(r"\{(\w+)\}")
_KINDS = ("local_storage", "session_storage", "indexed_db", "cache_storage")
_SPECIAL = re.compile(r"[.+?^${}()|\[\]\\/]")


def _match_any(patterns: Iterable[str], run: str) -> str:
    """The patterns as one expression of JavaScript; run: what an asterisk stands for."""
    forms = [_SPECIAL.sub(r"\\\g<0>", pattern).replace("*", run) for pattern in patterns]
    return f"({'|'.join(forms)})"


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

    names = {
        kind: [item.pattern for item in service.stored if item.kind == kind] for kind in _KINDS
    }
    cookies = [item.pattern for item in service.stored if item.kind == "cookie"]
    config = {
        "id": service.id,
        "hosts": list_ends(service.hosts),
        # Found in the whole of document.cookie, or in one `name=value` of it.
        "cookies": cookies and f"(^|; ){_match_any(cookies, '[^=;]*')}=",
        "stored": {
            kind: f"^{_match_any(patterns, '.*')}$" for kind, patterns in names.items() if patterns
        },
        "types": service.consent_types,
        "queues": _fill_parameters(
            [
                [queue.path, f"^{_match_any(queue.keep, '.*')}$" if queue.keep else ""]
                for queue in (service.queues if is_ready else ())
            ],
            use.parameters,
        ),
        "ahead": [describe(steps) for steps in plan.ahead],
        "load": describe(plan.load),
        "after": describe(plan.after),
        "deny": describe(plan.deny),
        "off": describe(plan.off),
        "full_ip": service.needs_full_ip,
        "reload": service.on_withdrawal == "reload",
        "embed": service.embed and describe_embed(service.embed),
    }
    # Every page carries this: what is empty is left out.
    return {key: value for key, value in config.items() if value or key == "hosts"}


def has_steps(service: Service) -> bool:
    """Whether more than marked tags starts or stops with the service."""
    return bool(
        service.queues
        or service.load
        or service.deny
        or service.off
        or service.on_withdrawal == "reload"
    )


def describe_gate(
    loaded: LoadedPolicy, offer: Offer, notices: Mapping[str, Notice], build: str, style: str
) -> dict[str, Any]:
    """The gate's configuration, as static/js/types.js describes it.

    build: the digest in the parts' file names. style: the gate's part of the theme.
    """
    policy = loaded.policy

    def describe_language(notice: Notice) -> list[str] | None:
        texts = notice.document["texts"]
        return None if policy.interface == "none" else [texts["reopen"], texts["withdraw"]]

    # A tag marked with a necessary purpose is held back unless its host is known.
    hosts = [
        host
        for service in loaded.services
        if service.purpose in offer.necessary
        for host in service.hosts
    ]
    necessary_hosts = {"necessary_hosts": list_ends(hosts)} if hosts else {}
    return {
        "site": policy.site,
        "scope": offer.scope,
        "build": build,
        "days": policy.consent_lifetime_days,
        "domain": f"; domain={policy.cookie_domain}" if policy.cookie_domain else "",
        "purposes": offer.purposes,
        "necessary": dict.fromkeys(offer.necessary, True),
        **necessary_hosts,
        "services": [_describe_service(loaded, service) for service in offer.services],
        "languages": {language: describe_language(notice) for language, notice in notices.items()},
        "style": style,
    }


def describe_choosing(
    loaded: LoadedPolicy, notices: Mapping[str, Notice], style: str
) -> dict[str, Any]:
    """What the part that takes decisions needs besides. style: that of all layers."""
    policy = loaded.policy
    return {
        "style": style,
        "revision": policy.revision,
        "accept_anonymises": policy.accept_all_anonymises_ip,
        "notices": {language: notice.digest for language, notice in notices.items()},
    }
