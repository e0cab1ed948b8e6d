"""Rules on vendors: who is contacted, where they are and what reaches them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from slagboom_banner.load import fill_parameters
from slagboom_banner.model import ScriptStep, is_unknown
from slagboom_banner.remark import Remark, Texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slagboom_banner.load import LoadedPolicy
    from slagboom_banner.model import Service, ServiceUse

EEA = frozenset(
    [
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE"),
        *("IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"),
    ]
)
"""The European Union with Iceland, Liechtenstein and Norway."""


def read_host(address: str) -> str | None:
    """The host of an https address; None where it is none. A `{parameter}` stands for one label."""
    try:
        parts = urlsplit(re.sub(r"\{\w+\}", "x", address))
    except ValueError:  # brackets that enclose no IPv6 address
        return None
    return parts.hostname if parts.scheme == "https" else None


def covers(registered: str, host: str) -> bool:
    """Whether a registered host, or a pattern as `*.example.com`, stands for `host`."""
    if registered.startswith("*."):
        return host.endswith(registered[1:])
    return host == registered


_UNKNOWN_HOST = re.compile(r"https://\{\w+\}/")
"""An address of which the policy does not know the host yet; such a service is never started."""


def _contacts(service: Service, use: ServiceUse) -> Iterator[tuple[str, str | None]]:
    for list_name in ("load", "deny", "off"):
        for index, step in enumerate(getattr(service, list_name)):
            if isinstance(step, ScriptStep):
                address = fill_parameters(step.src, use)
                if not _UNKNOWN_HOST.match(address):
                    yield f"{list_name}[{index}].src", read_host(address)
    if service.embed is None:
        return
    if service.embed.use_host is not None:  # the hosts it replaces are then never contacted
        yield "embed.use_host", service.embed.use_host
        return
    for index, host in enumerate(service.embed.hosts):
        yield f"embed.hosts[{index}]", host


def check_hosts(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """Every host a tag contacts is listed with its vendor.

    Source: GDPR Art. 13(1)(e).
    """
    for service, use in zip(loaded.services, loaded.policy.services, strict=True):
        for path, host in _contacts(service, use):
            if host is None:
                message = "names no host; write https:// and a host"
            elif not any(covers(registered, host) for registered in service.hosts):
                message = f"contacts {host}, which is not among the hosts; add it there"
            else:
                continue
            yield Remark(path, message, service.id, in_service=True)


def check_privacy_url(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """Every vendor's own privacy statement can be read.

    Source: GDPR Art. 13 and 14.
    """
    for service in loaded.services:
        url = service.vendor.privacy_url
        if url is not None and not is_unknown(url) and read_host(url) is None:
            yield Remark(
                "vendor.privacy_url",
                f"is {url!r}; write the https address of the privacy statement",
                service.id,
                in_service=True,
            )


def check_export(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """A policy that excludes export uses no vendor that processes outside the EEA.

    Source: GDPR Art. 44 and 13(1)(f), and the promise of the policy itself.
    """
    if loaded.policy.export_outside_eea == "allowed":
        return
    for index, service in enumerate(loaded.services):
        outside = [country for country in service.vendor.countries if country not in EEA]
        if outside:
            yield Remark(
                f"services[{index}]",
                f"{service.vendor.name} processes in {', '.join(outside)}, while this policy "
                f"excludes export outside the EEA; leave {service.id} out, or write a reviewed "
                f"exception (rule: export-outside-eea, service: {service.id})",
                service.id,
            )


def check_ip_passed_on(loaded: LoadedPolicy, _texts: Texts) -> Iterator[Remark]:
    """A policy that promises to pass no address on has no browser contact a vendor.

    Source: GDPR Art. 5(1)(a), and the promise of the policy itself.
    """
    if loaded.policy.ip_passed_on == "allowed":
        return
    for index, service in enumerate(loaded.services):
        if service.hosts and service.vendor.role != "own":
            yield Remark(
                f"services[{index}]",
                f"the browser contacts {service.vendor.name} itself and so passes the IP address "
                f"on, which this policy excludes; leave {service.id} out, or write a reviewed "
                f"exception (rule: ip-passed-on, service: {service.id})",
                service.id,
            )
