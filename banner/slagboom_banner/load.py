"""Policies and the services they use, from YAML files, with every error at once.

    policies/dsoft.yaml ──┐
    policies/services/*.yaml ──> LoadedPolicy, or the findings of all files in one PolicyError
    policies/services/texts/*.yaml ──┘

What the law asks of a policy that reads well is checked in `rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slagboom_banner.document import read_document
from slagboom_banner.errors import Finding, PolicyError
from slagboom_banner.model import Policy, Service, ServiceUse, is_unknown
from slagboom_banner.references import check_policy_names, check_service, check_uses, read_uses
from slagboom_banner.translations import Translations
from slagboom_banner.wording import validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from slagboom_banner.positions import Place, Positions


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy with its services and the places of both in their files.

    services: in the policy's order, each with the purpose it serves and the hosts it has there.
    service_positions: by service id.
    """

    policy: Policy
    services: tuple[Service, ...]
    file: str
    positions: Positions
    service_positions: Mapping[str, Positions]

    def locate(self, path: str) -> Place:
        """Line and column, one-based, of `path` in the policy file."""
        return self.positions.locate(path)


@dataclass(frozen=True, slots=True)
class _ServiceFile:
    service: Service | None
    positions: Positions | None


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The services of a folder by the names of their files."""

    files: Mapping[str, _ServiceFile]
    translations: Translations


def read_policy(file: Path, services: Path) -> LoadedPolicy:
    """One policy with the services of the folder `services`.

    Raises:
        PolicyError: with every finding of the policy and of all service files.
    """
    shelf, findings = _read_services(services)
    loaded, found = _read_one(file, shelf)
    findings.extend(shelf.translations.findings)
    if loaded is None or findings:
        raise PolicyError(sort_findings([*findings, *found]))
    return loaded


def read_policies(directory: Path) -> dict[str, LoadedPolicy]:
    """Every policy of a folder by site, with the services of its subfolder `services`.

    Raises:
        PolicyError: with every finding of every file.
    """
    policies, findings = collect_policies(directory)
    if findings:
        raise PolicyError(findings)
    return policies


def collect_policies(directory: Path) -> tuple[dict[str, LoadedPolicy], tuple[Finding, ...]]:
    """The policies of a folder that can be used, and every finding, without raising."""
    shelf, findings = _read_services(directory / "services")
    files = sorted(directory.glob("*.yaml"))
    if not files:
        message = "holds no policy; write one as <site>.yaml, or give the right folder"
        findings.append(Finding("error", "schema", str(directory), 1, 1, "", message))
    policies: dict[str, LoadedPolicy] = {}
    for file in files:
        loaded, found = _read_one(file, shelf)
        findings.extend(found)
        if loaded is None:
            continue
        site = loaded.policy.site
        if site in policies:
            message = f"is {site!r}, as in {policies[site].file}; give each its own site"
            findings.append(loaded.positions.schema_error("site", message))
        policies.setdefault(site, loaded)
    findings.extend(shelf.translations.findings)
    return policies, sort_findings(findings)


def sort_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once, by file and place."""
    return tuple(
        sorted(set(findings), key=lambda found: (found.file, found.line, found.column, found.path))
    )


def _read_services(directory: Path) -> tuple[_Shelf, list[Finding]]:
    files: dict[str, _ServiceFile] = {}
    findings: list[Finding] = []
    for file in sorted(directory.glob("*.yaml")):
        try:
            document = read_document(file)
        except PolicyError as error:
            files[file.stem] = _ServiceFile(None, None)
            findings.extend(error.findings)
            continue
        service, found = validate(Service, document)
        found.extend(document.findings)
        if service is not None:
            found.extend(check_service(service, document.positions, file))
        files[file.stem] = _ServiceFile(None if found else service, document.positions)
        findings.extend(found)
    return _Shelf(files, Translations(directory / "texts")), findings


def _read_one(file: Path, shelf: _Shelf) -> tuple[LoadedPolicy | None, list[Finding]]:
    try:
        document = read_document(file)
    except PolicyError as error:
        return None, list(error.findings)
    positions = document.positions
    services = {name: entry.service for name, entry in shelf.files.items()}
    policy, findings = validate(Policy, document)
    findings.extend(document.findings)
    findings.extend(check_uses(read_uses(document.value), services, positions))
    if policy is not None:
        findings.extend(check_policy_names(policy, services, positions))
    if policy is None or findings:
        return None, findings
    used: list[Service] = []
    used_positions: dict[str, Positions] = {}
    for use in policy.services:
        entry = shelf.files[use.id]
        if entry.service is None or entry.positions is None:
            return None, findings
        whole = shelf.translations.complete(entry.service, policy.languages)
        used.append(_apply(use, whole))
        used_positions[use.id] = entry.positions
    return LoadedPolicy(policy, tuple(used), str(file), positions, used_positions), findings


def _apply(use: ServiceUse, service: Service) -> Service:
    """The service as the policy uses it; a host that is not known yet is left out."""
    hosts = (fill_parameters(host, use) for host in service.hosts)
    return service.model_copy(
        update={
            "purpose": use.purpose or service.purpose,
            "on_withdrawal": use.on_withdrawal or service.on_withdrawal,
            "hosts": tuple(host for host in hosts if "{" not in host),
        }
    )


def fill_parameters(text: str, use: ServiceUse) -> str:
    """The text with every parameter that is known in its place."""
    for name, value in use.parameters.items():
        if not is_unknown(value):
            text = text.replace(f"{{{name}}}", value)
    return text
