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
    return {key: fill(text, values) for key, text in own.items()}


def build_notice(loaded: LoadedPolicy, language: str, texts: Mapping[str, str]) -> Notice:
    """What a visitor reading `language` is shown.

    texts: the kit's own texts in that language, before the policy's wording.
    """
    policy = loaded.policy
    offer = read_offer(loaded)
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


_FIRST_TEXTS = (
    "first_title",
    "first_intro",
    "first_vendors",
    "first_withdraw",
    "statement_link",
    "accept",
    "reject",
    "choose",
    "changed_title",
    "expired_note",
    "saved_status",
    "withdrawn_status",
)
_EMBED_TEXTS = (
    "placeholder_title",
    "placeholder_text",
    "placeholder_once",
    "placeholder_always",
    "privacy_link",
)


def describe_first_layer(notice: Notice, loaded: LoadedPolicy) -> dict[str, Any]:
    """What the first layer and the placeholders draw: a selection of the notice, nothing else."""
    document = notice.document
    texts = document["texts"]
    offer = read_offer(loaded)
    embedded = {service.id for service in offer.services if service.embed}
    full_ip = [service.name for service in offer.services if service.needs_full_ip]
    gives_ip = bool(full_ip) and not loaded.policy.accept_all_anonymises_ip
    keys = (*_FIRST_TEXTS, *(_EMBED_TEXTS if embedded else ()))
    return {
        "language": notice.language,
        "layout": loaded.policy.look.layout,
        "logo": loaded.policy.look.logo,
        "statement_url": document["controller"]["statement_url"],
        "full_ip": fill(texts["first_full_ip"], {"services": ", ".join(full_ip)})
        if gives_ip
        else None,
        # The first revision has nothing to tell to those who never answered another.
        "changes": [change for change in document["changes"] if change["revision"] > 1],
        "purposes": [
            [purpose["name"], purpose["description"]]
            for purpose in document["purposes"]
            if not purpose["necessary"]
        ],
        "embeds": {
            service["id"]: {
                "name": service["name"],
                "vendor": service["vendor"]["name"],
                "privacy_url": service["vendor"]["privacy_url"],
            }
            for service in document["services"]
            if service["id"] in embedded
        },
        "texts": {key: texts[key] for key in keys},
    }
