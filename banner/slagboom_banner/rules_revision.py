"""What may not change without a higher revision, which asks every visitor again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slagboom_banner.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slagboom_banner.load import LoadedPolicy
    from slagboom_banner.model import Service

_RULE = "revision-raised"
_SOURCE = "GDPR Art. 4(11) and 7(1)"
_PROMISES = ("export_outside_eea", "ip_passed_on")


def check_revision(before: LoadedPolicy, after: LoadedPolicy) -> tuple[Finding, ...]:
    """Whether the newer policy asks again where it must.

    Another purpose, service, vendor, host, stored item or kind of data, or another order of them
    (the choice cookie counts by order), is an error under the same revision; another wording of a
    purpose or service is a warning.

    Source: GDPR Art. 4(11) and 7(1): a consent covers what was asked, and that must be provable.
    """
    old, new = before.policy.revision, after.policy.revision
    if new > old:
        return ()
    if new < old:
        message = f"is {new}, lower than the {old} in force; write {old} or more"
        return (_finding(after, "revision", message, "error"),)
    ask = f"raise revision to {old + 1} and say under changes what changed"
    material = dict(_material(before, after))
    wording = {path: said for path, said in _wording(before, after) if path not in material}
    return (
        *(_finding(after, path, f"{said}; {ask}", "error") for path, said in material.items()),
        *(
            _finding(after, path, f"{said}; {ask}, unless the meaning is the same", "warning")
            for path, said in wording.items()
        ),
    )


def _finding(loaded: LoadedPolicy, path: str, message: str, severity: str) -> Finding:
    line, column = loaded.locate(path)
    return Finding(severity, _RULE, loaded.file, line, column, path, message, _SOURCE)


def _material(before: LoadedPolicy, after: LoadedPolicy) -> Iterator[tuple[str, str]]:
    for name in _PROMISES:
        if (getattr(before.policy, name), getattr(after.policy, name)) == ("excluded", "allowed"):
            yield name, "was excluded and is now allowed"
    yield from _compare(
        "purposes",
        {purpose.id: purpose.legal_basis for purpose in before.policy.purposes},
        {purpose.id: purpose.legal_basis for purpose in after.policy.purposes},
    )
    yield from _compare(
        "services",
        {service.id: _substance(service) for service in before.services},
        {service.id: _substance(service) for service in after.services},
    )


def _compare(
    name: str, old: dict[str, object], new: dict[str, object]
) -> Iterator[tuple[str, str]]:
    gone = ", ".join(repr(identifier) for identifier in old if identifier not in new)
    if gone:
        yield name, f"{gone} is gone"
    for index, (identifier, substance) in enumerate(new.items()):
        if identifier not in old:
            yield f"{name}[{index}]", f"{identifier!r} is new"
        elif old[identifier] != substance:
            yield f"{name}[{index}]", f"{identifier!r} is not what it was"
    if old.keys() == new.keys() and list(old) != list(new):
        yield name, "stand in another order"


def _substance(service: Service) -> object:
    """What a visitor agreed to in a service, without its wording and its steps."""
    return (
        service.purpose,
        service.vendor.name,
        service.vendor.role,
        frozenset(service.vendor.countries),
        frozenset(service.hosts),
        frozenset((item.kind, item.pattern, item.lifetime_days) for item in service.stored),
        len(service.data),
        frozenset(service.consent_types),
        service.needs_full_ip,
    )


def _wording(before: LoadedPolicy, after: LoadedPolicy) -> Iterator[tuple[str, str]]:
    purposes = {purpose.id: purpose for purpose in before.policy.purposes}
    for index, purpose in enumerate(after.policy.purposes):
        old = purposes.get(purpose.id, purpose)
        if (old.name, old.description) != (purpose.name, purpose.description):
            yield f"purposes[{index}]", f"the text of {purpose.id!r} is another"
    services = {service.id: service for service in before.services}
    for index, service in enumerate(after.services):
        former = services.get(service.id, service)
        if (former.description, former.data) != (service.description, service.data):
            yield f"services[{index}]", f"the text of {service.id!r} is another"
