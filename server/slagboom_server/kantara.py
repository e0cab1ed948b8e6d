"""The same record in the fields of Kantara's Consent Receipt 1.1, where they map.

ISO/IEC TS 27560 grew out of that specification, and readers of it exist. Left out is what no policy
says (`sensitive`, `spiCat`) and what is unknown. It lists the services that were granted: a
receipt of that kind is one of consent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slagboom_server.record import ConsentRecord


def describe_kantara(
    record: ConsentRecord, document: Mapping[str, Any], public_key: str
) -> dict[str, Any]:
    """The receipt's fields. document: of the notice. public_key: that signs, as hex."""
    controller = document["controller"]
    office = controller["offices"][0]
    address = {"streetAddress": office["address"], "addressCountry": office["country"]}
    return _known(
        {
            "version": "KI-CR-v1.1.0",
            "jurisdiction": office["country"],
            "consentTimestamp": int(record.given_at.timestamp()),
            "collectionMethod": f"web, {record.layer.value} layer, {record.action.value}",
            "consentReceiptID": str(record.decision_id),
            "publicKey": public_key,
            "language": record.language,
            "piiPrincipalId": str(record.consent_id),
            "piiControllers": [
                _known(
                    {
                        "piiController": controller["name"],
                        "onBehalf": False,
                        "contact": controller["dpo"] or controller["name"],
                        "address": _known(address),
                        "email": controller["email"],
                        "phone": office["phone"],
                        "piiControllerUrl": controller["statement_url"],
                    }
                )
            ],
            "policyUrl": controller["statement_url"],
            "services": [
                {"service": service["name"], "purposes": [_describe(document, service)]}
                for service in document["services"]
                if service["id"] in record.granted
            ],
        }
    )


def _describe(document: Mapping[str, Any], service: Mapping[str, Any]) -> dict[str, Any]:
    purpose = next(each for each in document["purposes"] if each["id"] == service["purpose"])
    is_other = service["vendor"]["role"] != "own"
    return {
        "purpose": purpose["description"],
        "purposeCategory": [purpose["name"]],
        "consentType": "EXPLICIT",
        "piiCategory": service["data"],
        "primaryPurpose": True,
        "termination": f"withdrawal, or {document['consent_lifetime_days']} days",
        "thirdPartyDisclosure": is_other,
        **({"thirdPartyName": service["vendor"]["name"]} if is_other else {}),
    }


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
