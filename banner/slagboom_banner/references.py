"""What one part of a policy or service file says about another: names that must agree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import JsonValue, TypeAdapter

from slagboom_banner.assets import themes_directory
from slagboom_banner.model import ServiceUse, is_unknown
from slagboom_banner.positions import join_path
from slagboom_banner.wording import quote, suggest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import PurePath

    from slagboom_banner.errors import Finding
    from slagboom_banner.model import Policy, Service
    from slagboom_banner.positions import Positions

_TEMPLATE = re.compile(r"\{(\w+)\}")
_RUNTIME_VALUES = {"{now}", "{consent}"}
"""Whole strings which the client replaces, see `model.SetStep`."""

_USE = TypeAdapter(ServiceUse)
_JSON = TypeAdapter(JsonValue)


def check_service(service: Service, positions: Positions, file: PurePath) -> Iterator[Finding]:
    """A service file within itself: its id, its parameters and the templates of its steps."""
    if service.id != file.stem:
        yield positions.schema_error(
            "id", f"is {service.id!r}; name the file {service.id}.yaml, or write {file.stem}"
        )
    for name, parameter in service.parameters.items():
        try:
            re.compile(parameter.pattern)
        except re.error as error:
            yield positions.schema_error(
                f"parameters.{name}.pattern", f"is no regular expression ({error.msg}); correct it"
            )
    for index, host in enumerate(service.hosts):
        yield from _check_templates(host, f"hosts[{index}]", service, positions)
    for index, queue in enumerate(service.queues):
        yield from _check_templates(queue.path, f"queues[{index}].path", service, positions)
    for list_name in ("load", "after", "deny", "off"):
        for index, step in enumerate(getattr(service, list_name)):
            content = _JSON.validate_python(step.model_dump(mode="json"))
            for path, text in _texts(content, f"{list_name}[{index}]"):
                yield from _check_templates(text, path, service, positions)


def _check_templates(
    text: str, path: str, service: Service, positions: Positions
) -> Iterator[Finding]:
    for name in _undeclared(text, service):
        advice = suggest(name, service.parameters)
        yield positions.schema_error(
            path,
            f"uses {{{name}}}, which is no parameter of this service; declare it under "
            f"parameters, or correct it ({advice})",
        )


def _texts(value: JsonValue, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, join_path(path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, join_path(path, index))


def _undeclared(text: str, service: Service) -> list[str]:
    if text in _RUNTIME_VALUES:
        return []
    return [name for name in _TEMPLATE.findall(text) if name not in service.parameters]


def read_uses(value: Mapping[str, JsonValue]) -> dict[int, ServiceUse]:
    """The well-formed entries of a policy's services by index, even where the rest is not."""
    entries = value.get("services")
    uses: dict[int, ServiceUse] = {}
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        try:
            uses[index] = _USE.validate_python(entry)
        except ValueError:  # reported with the whole policy's form
            continue
    return uses


def check_uses(
    uses: Mapping[int, ServiceUse],
    services: Mapping[str, Service | None],
    positions: Positions,
) -> Iterator[Finding]:
    """The services a policy uses: that they exist, once each, with the parameters they ask for.

    services: by file name; None for a file that has errors of its own.
    """
    first: dict[str, int] = {}
    for index, use in uses.items():
        path = f"services[{index}]"
        if use.id in first:
            yield positions.schema_error(
                f"{path}.id", f"is the same as services[{first[use.id]}].id; keep one of the two"
            )
        first.setdefault(use.id, index)
        if use.id not in services:
            files = ", ".join(sorted(services)) or "none yet"
            yield positions.schema_error(
                f"{path}.id",
                f"is {use.id!r}, but there is no such service file; there are: {files}",
            )
        elif (service := services[use.id]) is not None:
            if use.on_withdrawal == "stop" and service.on_withdrawal == "reload":
                yield positions.schema_error(
                    f"{path}.on_withdrawal",
                    f"is 'stop', but only a new page silences {service.id}; take the line out",
                )
            yield from _check_parameters(use, service, path, positions)


def _check_parameters(
    use: ServiceUse, service: Service, path: str, positions: Positions
) -> Iterator[Finding]:
    for name in service.parameters.keys() - use.parameters.keys():
        yield positions.schema_error(
            f"{path}.parameters.{name}", "is missing; add it, or `unknown: …` until you know it"
        )
    for name, value in use.parameters.items():
        inner = join_path(f"{path}.parameters", name)
        if name not in service.parameters:
            advice = suggest(name, service.parameters)
            yield positions.schema_error(inner, f"is no parameter of {service.id}; {advice}")
        elif not is_unknown(value) and not _matches(service.parameters[name].pattern, value):
            described = service.parameters[name].description.rstrip(".")
            yield positions.schema_error(
                inner,
                f"is {quote(value)}, which does not match {service.parameters[name].pattern}; "
                f"what belongs here: {described}",
            )


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:  # reported in the service file
        return True


def check_policy_names(
    policy: Policy, services: Mapping[str, Service | None], positions: Positions
) -> Iterator[Finding]:
    """The names inside a policy: no purpose, language or origin twice, each one used defined."""
    lists: tuple[tuple[str, Iterable[str]], ...] = (
        ("languages[{}]", policy.languages),
        ("origins[{}]", policy.origins),
        ("purposes[{}].id", [purpose.id for purpose in policy.purposes]),
    )
    for form, names in lists:
        first: dict[str, int] = {}
        for index, name in enumerate(names):
            if name in first:
                yield positions.schema_error(
                    form.format(index), f"is the same as {form.format(first[name])}; keep one"
                )
            first.setdefault(name, index)
    themes = [file.stem for file in themes_directory().glob("*.css")]
    if policy.theme not in themes:
        yield positions.schema_error(
            "theme", f"is {policy.theme!r}, which is no theme; {suggest(policy.theme, themes)}"
        )
    defined = [purpose.id for purpose in policy.purposes]
    for index, use in enumerate(policy.services):
        service = services.get(use.id)
        purpose = use.purpose or (service.purpose if service else None)
        if purpose is not None and purpose not in defined:
            path = f"services[{index}].{'purpose' if use.purpose else 'id'}"
            yield positions.schema_error(
                path,
                f"serves the purpose {purpose!r}, which this policy does not define; "
                f"{suggest(purpose, defined)}",
            )
    named = [*defined, *(use.id for use in policy.services)]
    for category, name in policy.markup_categories.items():
        if name not in named:
            yield positions.schema_error(
                join_path("markup_categories", category),
                f"is {name!r}, no purpose or service of this policy; {suggest(name, named)}",
            )
