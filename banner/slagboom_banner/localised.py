"""Every text of a policy and its services that is written once per language."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from slagboom_banner.load import LoadedPolicy


class LocalisedText(NamedTuple):
    """A text in its languages. service: the id of the service whose file holds it, or empty."""

    path: str
    versions: Mapping[str, str]
    service: str = ""


def localised_texts(loaded: LoadedPolicy) -> Iterator[LocalisedText]:
    """All of them, in the order of the files."""
    policy = loaded.policy
    yield LocalisedText("controller.privacy_statement", policy.controller.privacy_statement)
    for country, authority in policy.authorities.items():
        yield LocalisedText(f"authorities.{country}.name", authority.name)
    for index, change in enumerate(policy.changes):
        yield LocalisedText(f"changes[{index}].what", change.what)
    for index, purpose in enumerate(policy.purposes):
        yield LocalisedText(f"purposes[{index}].name", purpose.name)
        yield LocalisedText(f"purposes[{index}].description", purpose.description)
    for service in loaded.services:
        yield LocalisedText("description", service.description, service.id)
        for index, data in enumerate(service.data):
            yield LocalisedText(f"data[{index}]", data, service.id)
        for index, item in enumerate(service.stored):
            yield LocalisedText(f"stored[{index}].purpose", item.purpose, service.id)
            if item.reason:
                yield LocalisedText(f"stored[{index}].reason", item.reason, service.id)
