"""The notice: everything both layers show in one language, as data with a digest of its own.

The panel draws exactly this document and nothing else, so a record that names its digest names the
words, purposes and services the visitor saw (ISO/IEC 29184; GDPR Art. 7(1)).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slagboom_banner.decide import read_offer
from slagboom_banner.model import is_unknown
from slagboom_banner.texts import direction, fill

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slagboom_banner.load import LoadedPolicy
    from slagboom_banner.model import Controller, Policy, Service


@dataclass(frozen=True, slots=True)
class Notice:
    """One language's notice. digest: SHA-256, hexadecimal, of the document as canonical JSON."""

    language: str
    digest: str
    document: dict[str, Any]


def known(value: str | None) -> str | None:
    """The value, or None where the policy marks it unknown."""
    return None if is_unknown(value) else value


def is_configured(loaded: LoadedPolicy, service: Service) -> bool:
    """Whether every parameter the service needs has a known value."""
    use = next(use for use in loaded.policy.services if use.id == service.id)
    return all(known(use.parameters.get(name)) for name in service.parameters)


def _describe_controller(controller: Controller, language: str) -> dict[str, Any]:
    return {
        "name": controller.name,
        "offices": [
            {
                "country": office.country,
                "address": known(office.address),
                "phone": known(office.phone),
                "registration": known(office.registration),
            }
            for office in controller.offices
        ],
        "email": known(controller.email),
        "dpo": known(controller.dpo),
        "statement_url": known(controller.privacy_statement[language]),
        "statement_date": controller.statement_date.isoformat(),
    }


def _describe_service(loaded: LoadedPolicy, service: Service, language: str) -> dict[str, Any]:
    return {
        "id": service.id,
        "name": service.name,
        "purpose": service.purpose,
        "description": service.description[language],
        "vendor": {
            "name": service.vendor.name,
            "role": service.vendor.role,
            "countries": service.vendor.countries,
            "privacy_url": known(service.vendor.privacy_url),
        },
        "data": [item[language] for item in service.data],
        "hosts": service.hosts,
        "stored": [
            {
                "kind": item.kind,
                "pattern": item.pattern,
                "lifetime_days": item.lifetime_days,
                "purpose": item.purpose[language],
                "reason": item.reason[language] if item.reason else None,
            }
            for item in service.stored
        ],
        "needs_full_ip": service.needs_full_ip,
        "embed": service.embed is not None,
        "is_configured": is_configured(loaded, service),
    }


def _fill_texts(
    policy: Policy, texts: Mapping[str, str], services: int, language: str
) -> dict[str, str]:
    own = {**texts, **policy.texts.get(language, {})}
    values = {
        "controller": policy.controller.name,
        "email": known(policy.controller.email) or "",
        "reopen": own["reopen"],
        "withdraw": own["withdraw"],
        "anonymise": own["anonymise_label"],
        "count": str(services),
    }
    if policy.hand_over is None:
        own.pop("hand_over_text", None)
    else:
        hosts = (origin.partition("://")[2] for origin in policy.hand_over.to)
        values["domains"] = ", ".join(hosts)
    return {key: fill(text, values) for key, text in own.items()}


def build_notice(loaded: LoadedPolicy, language: str, texts: Mapping[str, str]) -> Notice:
    """What a visitor reading `language` is shown.

    texts: the kit's own texts in that language, before the policy's wording.
    """
    policy = loaded.policy
    offer = read_offer(loaded)
    hand_over = {"hand_over": policy.hand_over.to} if policy.hand_over else {}
    document = {
        "site": policy.site,
        "language": language,
        "direction": direction(language),
        "revision": policy.revision,
        "effective": policy.effective.isoformat(),
        "changes": [
            {
                "revision": change.revision,
                "date": change.date.isoformat(),
                "what": change.what[language],
            }
            for change in policy.changes
        ],
        "scope": offer.scope,
        "consent_lifetime_days": policy.consent_lifetime_days,
        "record_ip": policy.record.ip,
        "accept_anonymises": policy.accept_all_anonymises_ip,
        **hand_over,
        "look": policy.look.model_dump(mode="json", exclude_none=True),
        "theme": policy.theme,
        "controller": _describe_controller(policy.controller, language),
        "authorities": [
            {
                "country": country,
                "name": authority.name[language],
                "address": authority.address,
                "phone": known(authority.phone),
                "email": known(authority.email),
                "website": known(authority.website),
            }
            for country, authority in policy.authorities.items()
        ],
        "purposes": [
            {
                "id": purpose.id,
                "name": purpose.name[language],
                "description": purpose.description[language],
                "necessary": purpose.id in offer.necessary,
            }
            for purpose in policy.purposes
        ],
        "services": [_describe_service(loaded, service, language) for service in loaded.services],
        "texts": _fill_texts(policy, texts, len(offer.services), language),
    }
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    # What is shown, stored and digested is one and the same: tuples have become lists.
    return Notice(language, hashlib.sha256(text.encode()).hexdigest(), json.loads(text))
