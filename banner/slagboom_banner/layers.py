"""What each layer draws, out of a notice and nothing else.

A notice is kept for as long as a record names it, so a layer can be drawn again years later exactly
as it was shown. Pages pay for every byte: each layer is given what it draws, ready to be drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slagboom_banner.locales import format_day, join_names, name_country, name_locale
from slagboom_banner.texts import fill

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import JsonValue

    Document = Mapping[str, Any]
    """A notice's, as notice.py makes it and the store keeps it."""

_FIRST_TEXTS = (
    "first_title",
    "first_intro",
    "statement_link",
    "accept",
    "reject",
    "choose",
    "saved_status",
)
_ANSWERED_TEXTS = (
    "expired_note",
    "withdrawn_status",
    "gpc_note",
    "record_granted",
    "record_refused",
    "record_time",
    "record_until",
    "record_revision",
    "record_id",
    "record_link",
    "record_erase",
    "record_erase_note",
    "record_erased",
    "record_erase_held",
    "record_erase_failed",
    "record_offline",
)
_SECOND_TEXTS = (
    "second_title",
    "second_intro",
    "close",
    "accept",
    "reject",
    "save",
    "always_on",
    "basis_consent",
    "basis_necessary",
    "stored_title",
    "anonymise_label",
    "anonymise_text",
    "record_title",
    "record_none",
    "rights_title",
    "controller_title",
    "authority_title",
    "statement_link",
    "saved_status",
)
_COLUMNS = ("stored_name", "stored_kind", "stored_lifetime", "stored_purpose")
_RIGHTS = (
    "access",
    "rectification",
    "erasure",
    "restriction",
    "portability",
    "objection",
    "automated_decision",
    "withdrawal",
    "complaint",
)


def _take(texts: Mapping[str, str], keys: Sequence[str]) -> dict[str, str]:
    return {key: texts[key] for key in keys}


def _optional_services(document: Document) -> list[dict[str, Any]]:
    asked = {purpose["id"] for purpose in document["purposes"] if not purpose["necessary"]}
    return [service for service in document["services"] if service["purpose"] in asked]


def has_embeds(document: Document) -> bool:
    """Whether a placeholder may have to stand in for a frame."""
    return any(service["embed"] for service in _optional_services(document))


def describe_first_layer(document: Document) -> dict[str, Any]:
    """What static/js/first draws of a notice's document; types.js calls it FirstNotice."""
    texts = document["texts"]
    full_ip = [
        service["name"] for service in _optional_services(document) if service["needs_full_ip"]
    ]
    gives_ip = bool(full_ip) and not document["accept_anonymises"]
    words = [
        texts["first_vendors"],
        fill(texts["first_full_ip"], {"services": ", ".join(full_ip)}) if gives_ip else "",
        texts.get("hand_over_text", ""),
        texts["first_withdraw"],
    ]
    described = {
        "language": document["language"],
        "layout": document["look"]["layout"],
        "logo": document["look"].get("logo"),
        "statement_url": document["controller"]["statement_url"],
        "purposes": [
            f"{purpose['name']}: {purpose['description']}"
            for purpose in document["purposes"]
            if not purpose["necessary"]
        ],
        "words": " ".join(word for word in words if word),
        "texts": _take(texts, _FIRST_TEXTS),
    }
    return {key: value for key, value in described.items() if value}


def describe_answered(document: Document) -> dict[str, Any]:
    """What static/js/answered tells; types.js calls it AnsweredNotice."""
    texts, language = document["texts"], document["language"]
    changes = [
        {
            "revision": change["revision"],
            "title": fill(texts["changed_title"], {"date": format_day(language, change["date"])}),
            "what": change["what"],
        }
        for change in document["changes"]
        # The first revision has nothing to tell to those who never answered another.
        if change["revision"] > 1
    ]
    described = {
        "language": language,
        "locale": name_locale(language),
        "site": document["site"],
        "changes": changes,
        "purposes": [
            [purpose["id"], purpose["name"]]
            for purpose in document["purposes"]
            if not purpose["necessary"]
        ],
        "texts": _take(texts, _ANSWERED_TEXTS),
    }
    return {key: value for key, value in described.items() if value or key == "purposes"}


def describe_embeds(document: Document) -> dict[str, Any]:
    """What static/js/embed draws in the place of a frame, by service."""
    texts = document["texts"]

    def describe(service: Mapping[str, Any]) -> list[JsonValue]:
        vendor = service["vendor"]
        return [
            service["name"],
            fill(texts["placeholder_title"], {"service": service["name"]}),
            fill(texts["placeholder_text"], {"vendor": vendor["name"]}),
            vendor["privacy_url"],
            fill(texts["privacy_link"], {"vendor": vendor["name"]}),
        ]

    return {
        "language": document["language"],
        "once": texts["placeholder_once"],
        "always": texts["placeholder_always"],
        "embeds": {
            service["id"]: describe(service)
            for service in _optional_services(document)
            if service["embed"]
        },
        "purposes": {service["id"]: service["purpose"] for service in _optional_services(document)},
    }


def _describe_lifetime(texts: Mapping[str, str], days: int | None) -> str:
    if days is None:
        return texts["lifetime_unlimited"]
    named = {0: texts["lifetime_session"], 1: texts["lifetime_day"]}
    return named.get(days) or fill(texts["lifetime_days"], {"days": str(days)})


def _describe_stored(texts: Mapping[str, str], item: Mapping[str, Any]) -> list[str]:
    reason = f" {texts['reason']}: {item['reason']}" if item["reason"] else ""
    return [
        item["pattern"],
        texts[f"kind_{item['kind']}"],
        _describe_lifetime(texts, item["lifetime_days"]),
        item["purpose"] + reason,
    ]


def _describe_service(document: Document, service: Mapping[str, Any]) -> dict[str, Any]:
    texts, language = document["texts"], document["language"]
    vendor = service["vendor"]
    countries = [name_country(language, code) for code in vendor["countries"]]
    description = service["description"]
    if vendor["role"] != "own" and service["hosts"]:
        connects = fill(texts["connects_directly"], {"vendor": vendor["name"]})
        description = f"{description} {connects}"
    notes = [
        texts["needs_full_ip"] if service["needs_full_ip"] else "",
        "" if service["is_configured"] else texts["service_not_configured"],
    ]
    rows = [
        [texts["vendor"], vendor["name"]],
        [texts["vendor_role"], texts[f"role_{vendor['role']}"]],
        [texts["countries"], join_names(language, countries)],
        [texts["data"], "; ".join(service["data"])],
        [texts["hosts"], ", ".join(service["hosts"])],
    ]
    described = {
        "id": service["id"],
        "name": service["name"],
        "purpose": service["purpose"],
        "description": description,
        "notes": [note for note in notes if note],
        "rows": [row for row in rows if row[1]],
        "stored": [_describe_stored(texts, item) for item in service["stored"]],
        "link": vendor["privacy_url"]
        and [vendor["privacy_url"], fill(texts["privacy_link"], {"vendor": vendor["name"]})],
    }
    return {key: value for key, value in described.items() if value}


def describe_second_layer(document: Document) -> dict[str, Any]:
    """What static/js/second draws of a notice's document; types.js calls it SecondNotice."""
    texts = document["texts"]
    controller = document["controller"]
    language = document["language"]
    stated = format_day(language, controller["statement_date"])
    effective = format_day(language, document["effective"])
    revision = str(document["revision"])
    dates = [
        fill(texts["policy_date"], {"date": stated}),
        fill(texts["revision_line"], {"revision": revision, "date": effective}),
    ]
    services = [_describe_service(document, service) for service in document["services"]]
    has_stored = any("stored" in service for service in services)
    has_none = not all("stored" in service for service in services)
    intro = "rights_intro" if controller["email"] else "rights_intro_no_email"
    return {
        "language": language,
        "dates": " ".join(dates),
        "statement_url": controller["statement_url"],
        "purposes": [
            [purpose["id"], purpose["name"], purpose["description"], int(purpose["necessary"])]
            for purpose in document["purposes"]
        ],
        "services": services,
        "columns": [texts[key] for key in _COLUMNS] if has_stored else [],
        "rights_intro": f"{texts[intro]} {texts['response_time']}",
        "rights": [texts[f"right_{right}"] for right in _RIGHTS],
        "offices": [
            [
                controller["name"],
                office["address"],
                name_country(language, office["country"]),
                office["phone"],
                office["registration"],
            ]
            for office in controller["offices"]
        ],
        "contacts": [controller["email"], controller["dpo"]],
        "authorities": [
            [
                authority["name"],
                authority["website"],
                [authority["address"], authority["phone"]],
                authority["email"],
            ]
            for authority in document["authorities"]
        ],
        "hand_over": texts.get("hand_over_text", ""),
        "texts": _take(texts, _SECOND_TEXTS) | (_take(texts, ["stored_none"]) if has_none else {}),
    }
