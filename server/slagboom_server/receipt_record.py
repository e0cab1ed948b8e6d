"""A consent record in the words of the W3C Data Privacy Vocabulary, after ISO/IEC TS 27560:2023.

The form is the one DPVCG gives for that standard (https://w3id.org/dpv/guides/consent-27560): one
process for each purpose and each service, with its own consent status, because each was
answered by itself. What it says comes from the record and the notice that was shown, nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from slagboom_banner.model import Action
from slagboom_server.export import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from slagboom_server.record import ConsentRecord

    Object = dict[str, Any]

CONTROLLER: Final = "entity:controller"
VISITOR: Final = "entity:visitor"

_PURPOSES: Final = {
    "advertising": "dpv:Advertising",
    "analytics": "dpv:ServiceUsageAnalytics",
    "marketing": "dpv:Marketing",
    "statistics": "dpv:ServiceUsageAnalytics",
}
"""Purposes whose id says what they are; any other is a purpose, no more."""

_ROLES: Final = {
    "processor": ["dpv:DataProcessor"],
    "controller": ["dpv:ThirdParty", "dpv:DataController"],
    "joint_controller": ["dpv:JointDataControllers"],
}
_STATES: Final = {
    Action.WITHDRAW: "dpv:ConsentWithdrawn",
    Action.EXPIRE: "dpv:ConsentExpired",
}
_RIGHTS: Final = ("A7-3", "A15", "A16", "A17", "A18", "A20", "A21", "A22", "A77")


def describe_consent(record: ConsentRecord, document: Mapping[str, Any]) -> Object:
    """The record as a `dpv:ConsentRecord`. document: of the notice it answers."""
    controller = document["controller"]
    previous = {} if record.previous is None else {"dpv:isAfter": str(record.previous)}
    services = [each for each in document["services"] if each["id"] in record.services]
    processes = [
        _describe_purpose(record, document, purpose)
        for purpose in document["purposes"]
        if purpose["id"] in record.choices
    ]
    return {
        "@type": "dpv:ConsentRecord",
        "dct:conformsTo": "dpv-27560:record",
        "dpv:hasIdentifier": str(record.decision_id),
        "dct:created": format_time(record.received_at),
        "dct:creator": CONTROLLER,
        "dct:language": record.language,
        **previous,
        "dpv:hasDataSubject": {
            "@id": VISITOR,
            "@type": ["dpv:DataSubject"],
            "dpv:hasIdentifier": str(record.consent_id),
        },
        "dpv:hasJurisdiction": [f"loc:{country}" for country in _countries(document)],
        "dpv:hasNotice": [
            {
                "@type": ["dpv:ConsentNotice"],
                "dpv:hasIdentifier": record.notice,
                "dct:hasVersion": str(record.revision),
                "dct:language": record.language,
                "dct:date": document["effective"],
            }
        ],
        "dpv:hasRight": [f"eu-gdpr:{right}" for right in _RIGHTS],
        "dpv:hasAuthority": [_authority_key(each) for each in document["authorities"]],
        "dpv:hasProcess": [
            *processes,
            *(_describe_service(record, document, service) for service in services),
        ],
        "dpv:hasEntity": {
            CONTROLLER: _describe_controller(controller),
            **{
                _key(service): _describe_vendor(service)
                for service in services
                if _is_other(service)
            },
            **{_authority_key(each): _describe_authority(each) for each in document["authorities"]},
        },
    }


def _describe_purpose(
    record: ConsentRecord, document: Mapping[str, Any], purpose: Mapping[str, Any]
) -> Object:
    own = [each for each in document["services"] if each["purpose"] == purpose["id"]]
    data = list(dict.fromkeys(item for service in own for item in service["data"]))
    return {
        "@type": "dpv:Process",
        "dpv:hasIdentifier": f"purpose:{purpose['id']}",
        "dpv:hasPurpose": [_purpose(purpose)],
        **_common(record, data, granted=record.choices[purpose["id"]]),
        "dpv:hasStorageCondition": _storage(
            _countries(document), [document["consent_lifetime_days"]]
        ),
        "dpv:hasRecipient": [CONTROLLER],
    }


def _describe_service(
    record: ConsentRecord, document: Mapping[str, Any], service: Mapping[str, Any]
) -> Object:
    purpose = next(each for each in document["purposes"] if each["id"] == service["purpose"])
    countries = service["vendor"]["countries"] or _countries(document)
    return {
        "@type": "dpv:Process",
        "dpv:hasIdentifier": f"service:{service['id']}",
        "dpv:hasService": service["name"],
        "dpv:hasPurpose": [_purpose(purpose)],
        **_common(record, service["data"], granted=record.services[service["id"]]),
        "dpv:hasStorageCondition": _storage(
            countries, [item["lifetime_days"] for item in service["stored"]]
        ),
        "dpv:hasRecipient": [CONTROLLER, *([_key(service)] if _is_other(service) else [])],
    }


def _purpose(purpose: Mapping[str, Any]) -> Object:
    return {
        "@type": ["dpv:Purpose"],
        "skos:broader": _PURPOSES.get(purpose["id"], "dpv:Purpose"),
        "skos:prefLabel": purpose["name"],
        "skos:definition": purpose["description"],
    }


def _common(record: ConsentRecord, data: Iterable[str], *, granted: bool) -> Object:
    state = "dpv:ConsentGiven" if granted else _STATES.get(record.action, "dpv:ConsentRefused")
    return {
        "dpv:hasPersonalData": [
            {
                "@type": ["dpv:PersonalData"],
                "skos:broader": ["dpv:PersonalData"],
                "skos:prefLabel": item,
            }
            for item in data
        ],
        "dpv:hasProcessing": ["dpv:Collect", "dpv:Store", "dpv:Use"],
        "dpv:hasDataController": [CONTROLLER],
        "dpv:hasDataSource": ["dpv:DataSubjectDataSource"],
        "dpv:hasLegalBasis": ["dpv:Consent", "eu-gdpr:A6-1-a"],
        "dpv:hasConsentControl": ["dpv:WithdrawConsent"],
        "dpv:hasConsentStatus": [
            {
                "@type": [state, "dpv:ExpressedConsent"],
                "dpv:isIndicatedAtTime": format_time(record.given_at),
                "dpv:isIndicatedBy": VISITOR,
                "dpv:isExercisedAt": f"{record.layer.value} layer, {record.origin or record.site}",
                "dpv:hasDuration": {
                    "@type": ["dpv:UntilTimeDuration"],
                    "rdf:value": format_time(record.valid_until),
                },
            }
        ],
    }


def _storage(countries: Iterable[str], lifetimes: list[int | None]) -> list[Object]:
    """Where, and for how long at most what is on the device stays there."""
    days = [days for days in lifetimes if days is not None]
    if len(days) < len(lifetimes):
        duration: Object = {"@type": "dpv:EndlessDuration"}
    elif max(days, default=0) == 0:
        duration = {"@type": "dpv:UntilEventDuration", "rdf:value": "the browser is closed"}
    else:
        duration = {"@type": "dpv:TemporalDuration", "rdf:value": f"P{max(days)}D"}
    places = [f"loc:{country}" for country in countries]
    return [
        {"@type": ["dpv:StorageLocation"], "dpv:hasLocation": places},
        {"@type": ["dpv:StorageDuration"], "dpv:hasDuration": duration},
    ]


def _describe_controller(controller: Mapping[str, Any]) -> Object:
    offices = controller["offices"]
    contacts = [controller["email"], controller["dpo"], controller["statement_url"]]
    return {
        "@type": ["dpv:DataController"],
        "dpv:hasName": controller["name"],
        "dpv:hasAddress": [office["address"] for office in offices if office["address"]],
        "dpv:hasContact": _known([*contacts, *(office["phone"] for office in offices)]),
    }


def _describe_vendor(service: Mapping[str, Any]) -> Object:
    vendor = service["vendor"]
    return {
        "@type": _ROLES[vendor["role"]],
        "dpv:hasName": vendor["name"],
        "dpv:hasContact": _known([vendor["privacy_url"]]),
    }


def _describe_authority(authority: Mapping[str, Any]) -> Object:
    contacts = [authority["email"], authority["phone"], authority["website"]]
    return {
        "@type": ["dpv:DataProtectionAuthority"],
        "dpv:hasName": authority["name"],
        "dpv:hasAddress": [authority["address"]],
        "dpv:hasContact": _known(contacts),
    }


def _known(values: Iterable[str | None]) -> list[str]:
    return [value for value in dict.fromkeys(values) if value]


def _is_other(service: Mapping[str, Any]) -> bool:
    return bool(service["vendor"]["role"] != "own")


def _key(service: Mapping[str, Any]) -> str:
    return f"entity:{service['id']}"


def _authority_key(authority: Mapping[str, Any]) -> str:
    return f"entity:authority-{authority['country']}"


def _countries(document: Mapping[str, Any]) -> list[str]:
    offices = document["controller"]["offices"]
    return list(dict.fromkeys(office["country"] for office in offices))
