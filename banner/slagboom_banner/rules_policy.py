"""Rules on the policy's own particulars: versions, dates, addresses, authorities, open values."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from slagboom_banner.model import is_unknown
from slagboom_banner.positions import join_path
from slagboom_banner.remark import Remark, Texts
from slagboom_banner.rules_vendors import read_host

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from slagboom_banner.load import LoadedPolicy

_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
# Browsers leave out the port that goes without saying, and would never name such an origin.
_PORT = r"(:(?!0|%s\Z)[0-9]{1,5})?"
_ORIGIN = re.compile(
    rf"https://(({_LABEL}\.)+{_LABEL}|({_LABEL}\.)*localhost){_PORT % 443}"
    rf"|http://({_LABEL}\.)*localhost{_PORT % 80}"
)
_MAY_BE_OPEN = re.compile(
    r"""
    origins\[\d+\]
    | controller\.(email|dpo|privacy_statement\.\w+|offices\[\d+\]\.(address|phone|registration))
    | authorities\.\w+\.(phone|email|website)
    | services\[\d+\]\.parameters\..+
    | exceptions\[\d+\]\.(reason|reviewed_by)
    | vendor\.privacy_url
    """,
    re.VERBOSE,
)
"""What both layers can do without; where anything else is open, a visitor would read a gap."""


def check_changes(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """The revision says what it changed, and revisions follow each other in time.

    Source: GDPR Art. 7(1); GBA cookie checklist of October 2023 (older versions are kept).
    """
    policy = loaded.policy
    revisions = [change.revision for change in policy.changes]
    if policy.revision not in revisions:
        yield Remark(
            "revision", f"is {policy.revision}, but changes has no such revision; say what changed"
        )
    dates = sorted((change.revision, change.date) for change in policy.changes)
    for index, change in enumerate(policy.changes):
        path = f"changes[{index}]"
        if change.revision in revisions[:index]:
            yield Remark(
                f"{path}.revision", f"{change.revision} stands here a second time; keep one"
            )
        if change.revision > policy.revision:
            yield Remark(
                f"{path}.revision",
                f"is {change.revision}, later than the policy's {policy.revision}; raise revision",
            )
        if any(number < change.revision and date > change.date for number, date in dates):
            yield Remark(
                f"{path}.date",
                f"is {change.date}, before the date of an earlier revision; correct it",
            )


def check_own_interface(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """An interface of the site's own is fair only as far as the company makes it so.

    Source: GDPR Art. 7; EDPB Guidelines 03/2022 on deceptive design patterns.
    """
    if loaded.policy.interface == "none":
        yield Remark(
            "interface",
            "is none: nothing here can check the site's own interface, and the company answers for "
            "equal buttons, complete information and a way back on every page",
            severity="warning",
        )


def check_effective(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """The date in force is the date of the revision in force.

    Source: GDPR Art. 5(1)(a).
    """
    policy = loaded.policy
    dates = {change.revision: change.date for change in policy.changes}
    date = dates.get(policy.revision, policy.effective)
    if date != policy.effective:
        yield Remark(
            "effective",
            f"is {policy.effective}, but revision {policy.revision} is of {date}; write one date",
        )


def check_authorities(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """Each country with an office has its supervisory authority.

    Source: GDPR Art. 13(2)(d) and 77.
    """
    for index, office in enumerate(loaded.policy.controller.offices):
        if office.country not in loaded.policy.authorities:
            yield Remark(
                f"controller.offices[{index}].country",
                f"is {office.country}, which has no authority here; add authorities."
                f"{office.country}",
            )


def check_addresses(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """What a visitor is sent to is reached over https.

    Source: GDPR Art. 32.
    """
    policy = loaded.policy
    addresses = {
        f"controller.privacy_statement.{language}": address
        for language, address in policy.controller.privacy_statement.items()
    }
    for country, authority in policy.authorities.items():
        if authority.website is not None:
            addresses[f"authorities.{country}.website"] = authority.website
    for path, address in addresses.items():
        if not is_unknown(address) and read_host(address) is None:
            yield Remark(path, f"is {address!r}; write an https address")


def check_origins(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """Decisions are taken from origins written as browsers send them, over https.

    Source: RFC 6454; GDPR Art. 32.
    """
    for index, origin in enumerate(loaded.policy.origins):
        if not is_unknown(origin) and not _ORIGIN.fullmatch(origin):
            yield Remark(
                f"origins[{index}]",
                f"is {origin!r}; write https:// and the host in lower case, without a path, a "
                "slash at the end or the port 443 (http only for localhost, without 80)",
            )


def check_cookie_domain(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """The choice cookie's domain holds every origin, or browsers refuse the cookie.

    Without a domain the cookie belongs to one host, and the site's other hosts ask once more.

    Source: RFC 6265 sections 5.3 and 5.4.
    """
    domain = loaded.policy.cookie_domain
    if domain is None:
        shared = _shared_domain(loaded.policy.origins)
        if shared is not None:
            yield Remark(
                "origins",
                f"lie below {shared}, and each asks for itself; write cookie_domain: {shared}, "
                "unless anybody can have a name there",
                severity="warning",
            )
        return
    if domain.startswith("*."):
        yield Remark("cookie_domain", f"is {domain!r}; remove `*.`, it holds subdomains anyway")
        return
    for origin in loaded.policy.origins:
        if not _ORIGIN.fullmatch(origin):
            continue
        host = urlsplit(origin).hostname or ""
        if host != domain and not host.endswith(f".{domain}"):
            yield Remark(
                "cookie_domain",
                f"is {domain!r}, which does not hold {origin}; write a parent of every origin, or "
                "remove the line",
            )


def _shared_domain(origins: Iterable[str]) -> str | None:
    """The longest domain that holds all of several hosts; None for a mere top level."""
    hosts = {urlsplit(origin).hostname or "" for origin in origins if _ORIGIN.fullmatch(origin)}
    columns = zip(*(host.split(".")[::-1] for host in hosts), strict=False)
    labels = [column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns)]
    return ".".join(labels[::-1]) if len(hosts) > 1 and len(labels) > 1 else None


def check_unknown_values(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """What the company's statement leaves open is reported until somebody fills it in.

    Source: GDPR Art. 13.
    """
    for path in _unknown_paths(loaded.policy.model_dump(mode="json"), ""):
        yield _remark_unknown(path)
    for service in loaded.services:
        for path in _unknown_paths(service.model_dump(mode="json"), ""):
            yield _remark_unknown(path, service.id)


def _remark_unknown(path: str, service: str = "") -> Remark:
    if _MAY_BE_OPEN.fullmatch(path):
        message = "is not known yet and is not shown; fill it in"
        return Remark(path, message, service, bool(service), "warning")
    message = "cannot be left open, visitors have to read it; fill it in"
    return Remark(path, message, service, bool(service))


def _unknown_paths(value: Any, path: str) -> Iterator[str]:  # noqa: ANN401 a model dumped as JSON
    if is_unknown(value):
        yield path
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _unknown_paths(item, join_path(path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown_paths(item, join_path(path, index))
