"""What a notice asks, without its words: an answer holds for as long as this stays the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def substance(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a consent to this notice rests on, as data that compares equal while that is the same.

    document: a notice's document in any language, or anything with its `accept_anonymises`,
    `purposes` and `services`. Their order counts, as the choice cookie counts by it; that of
    countries, hosts and stored items does not.

    Source: GDPR Art. 4(11) and 7(1): a consent covers what was asked, and that must be provable.
    """
    return {
        "accept_anonymises": document["accept_anonymises"],
        "purposes": [
            {"id": purpose["id"], "necessary": purpose["necessary"]}
            for purpose in document["purposes"]
        ],
        "services": [_describe_service(service) for service in document["services"]],
    }


def _describe_service(service: Mapping[str, Any]) -> dict[str, Any]:
    vendor = service["vendor"]
    return {
        "id": service["id"],
        "purpose": service["purpose"],
        "vendor": {
            "name": vendor["name"],
            "role": vendor["role"],
            "countries": sorted(vendor["countries"]),
        },
        "kinds of data": len(service["data"]),
        "hosts": sorted(service["hosts"]),
        "stored": sorted(
            ([item["kind"], item["pattern"], item["lifetime_days"]] for item in service["stored"]),
            # A lifetime without an end is no number.
            key=repr,
        ),
        "needs_full_ip": service["needs_full_ip"],
    }
