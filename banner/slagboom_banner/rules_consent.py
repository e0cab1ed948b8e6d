"""Rules on the ground, the length and the scope of consent.

That only consent and strict necessity are grounds at all is the model's own rule (`LegalBasis`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from slagboom_banner.cookie import COOKIE_NAME
from slagboom_banner.model import LegalBasis
from slagboom_banner.remark import Remark, Texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slagboom_banner.load import LoadedPolicy
    from slagboom_banner.model import Service

MAX_CONSENT_DAYS = 395
"""Thirteen months."""
GOOD_CONSENT_DAYS = 182
"""Six months."""
MAX_MEASUREMENT_DAYS = 395
MAX_COOKIE_DAYS = 400
"""What browsers keep a cookie at most, whatever the site asks."""


def _services_on(loaded: LoadedPolicy, basis: LegalBasis) -> Iterator[Service]:
    bases = {purpose.id: purpose.legal_basis for purpose in loaded.policy.purposes}
    return (service for service in loaded.services if bases[service.purpose] == basis)


def check_necessary_reason(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """Each item stored as strictly necessary says why it is.

    Source: ePrivacy Directive Art. 5(3); GBA cookie checklist of October 2023.
    """
    for service in _services_on(loaded, LegalBasis.STRICTLY_NECESSARY):
        for index, item in enumerate(service.stored):
            if not item.reason:
                yield Remark(
                    f"stored[{index}].reason",
                    f"is missing, though {item.pattern!r} is stored without consent; say why the "
                    "site cannot work without it, or give the service a purpose that asks consent",
                    service.id,
                    in_service=True,
                )


def check_necessary_vendor(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """A strictly necessary service works for the site, not for its vendor's own aims.

    Source: ePrivacy Directive Art. 5(3); Article 29 Working Party, opinion 04/2012.
    """
    necessary = {service.id for service in _services_on(loaded, LegalBasis.STRICTLY_NECESSARY)}
    for index, service in enumerate(loaded.services):
        role = service.vendor.role
        if service.id in necessary and role in {"controller", "joint_controller"}:
            yield Remark(
                f"services[{index}]",
                f"{service.name} serves a strictly necessary purpose, but {service.vendor.name} is "
                f"{role.replace('_', ' ')} with aims of its own; ask consent for it",
                service.id,
            )


def check_consent_lifetime(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """A choice is valid for 13 months at most, better for six.

    Source: EDPB Guidelines 05/2020 (consent is refreshed at suitable intervals), CNIL.
    """
    days = loaded.policy.consent_lifetime_days
    if days > MAX_CONSENT_DAYS:
        yield Remark(
            "consent_lifetime_days",
            f"is {days} days, more than 13 months; write at most {MAX_CONSENT_DAYS}, better "
            f"{GOOD_CONSENT_DAYS}",
        )
    elif days > GOOD_CONSENT_DAYS:
        yield Remark(
            "consent_lifetime_days",
            f"is {days} days; {GOOD_CONSENT_DAYS} days (six months) is good practice",
            severity="warning",
        )


def check_cookie_lifetime(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """No cookie outlives 13 months where consent carries it, nor 400 days anywhere.

    Source: CNIL, Guidelines 2020-091 (13 months); RFC 6265bis section 5.5 (400 days).
    """
    on_consent = {service.id for service in _services_on(loaded, LegalBasis.CONSENT)}
    for service in loaded.services:
        for index, item in enumerate(service.stored):
            days = item.lifetime_days
            problems = []
            if days is None and item.kind == "cookie":
                problems.append("a cookie always ends: write its days, or 0 for the session")
            if days is not None and days > MAX_MEASUREMENT_DAYS and service.id in on_consent:
                problems.append("13 months (395 days) is the longest good practice, shorten it")
            if days is not None and days > MAX_COOKIE_DAYS and item.kind == "cookie":
                problems.append("browsers keep a cookie for 400 days at most")
            if problems:
                yield Remark(
                    f"stored[{index}].lifetime_days",
                    f"of {item.pattern!r} is {'open' if days is None else f'{days} days'}; "
                    + ", and ".join(problems),
                    service.id,
                    in_service=True,
                    severity="warning",
                )


def check_choice_cookie(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """The choice cookie is stated with the lifetime it really has.

    Source: CJEU C-673/17 Planet49 (visitors are told how long a cookie works).
    """
    days = loaded.policy.consent_lifetime_days
    for service in loaded.services:
        for index, item in enumerate(service.stored):
            is_choice = item.kind == "cookie" and item.pattern == COOKIE_NAME
            if is_choice and service.vendor.role == "own" and item.lifetime_days != days:
                yield Remark(
                    f"stored[{index}].lifetime_days",
                    f"is {item.lifetime_days}, but {loaded.policy.site} keeps a choice for {days} "
                    "days; write the same number in consent_lifetime_days and here",
                    service.id,
                    in_service=True,
                    severity="warning",
                )


def check_one_purpose(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """A stored item serves one purpose.

    Source: GBA cookie guidance (one cookie, one purpose); GDPR recital 32.
    """
    first: dict[tuple[str, str], Service] = {}
    for service in loaded.services:
        for index, item in enumerate(service.stored):
            other = first.setdefault((item.kind, item.pattern), service)
            if other.purpose != service.purpose:
                yield Remark(
                    f"stored[{index}].pattern",
                    f"{item.pattern!r} serves {service.purpose!r} here and {other.purpose!r} in "
                    f"{other.id}; give both services one purpose",
                    service.id,
                    in_service=True,
                    severity="warning",
                )


def check_purpose_in_use(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """Consent is asked only for what is done.

    Source: GDPR Art. 5(1)(c); EDPB Guidelines 03/2022 (overloading).
    """
    served = {service.purpose for service in loaded.services}
    for index, purpose in enumerate(loaded.policy.purposes):
        if purpose.legal_basis == LegalBasis.CONSENT and purpose.id not in served:
            yield Remark(
                f"purposes[{index}]",
                f"asks consent for {purpose.id!r}, which no service serves; remove it",
                severity="warning",
            )


def check_full_address(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """A click on accept starts what it names.

    Source: GDPR Art. 5(1)(a).
    """
    if not loaded.policy.accept_all_anonymises_ip:
        return
    for index, service in enumerate(loaded.services):
        if service.needs_full_ip:
            yield Remark(
                f"services[{index}]",
                f"{service.name} needs the full IP address, so accepting all never starts it while "
                "accept_all_anonymises_ip is true; set that to false, or leave the service out",
                service.id,
                severity="warning",
            )
