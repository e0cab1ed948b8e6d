"""The JSON schema of policies and services, which editors use to complete and check while typing.

A policy names it in its first line: `# yaml-language-server: $schema=schema.json`, a service file
with `../schema.json#/$defs/Service`. `python -m slagboom_banner.schema > policies/schema.json`
writes it anew; a test compares.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from slagboom_banner.model import Policy, Service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slagboom_banner.model import Model


def build_schema() -> str:
    """The schema file's content: a policy at the root, a service under `$defs`."""
    _, schema = models_json_schema([(Policy, "validation"), (Service, "validation")])
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": "#/$defs/Policy",
        **schema,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def field_names(model: type[Model], loc: Sequence[str | int]) -> tuple[str, ...]:
    """The fields the mapping at `loc` may have; empty where any name goes.

    loc: as in pydantic's errors, so a step of a service is followed by its kind.
    """
    schema: dict[str, Any] = model.model_json_schema()
    node = schema
    for step in loc:
        node = _descend(_resolve(node, schema), step)
    return tuple(_resolve(node, schema).get("properties", ()))


def _resolve(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    for choice in node.get("anyOf", ()):
        if choice.get("type") != "null":
            return _resolve(choice, schema)
    if "$ref" not in node:
        return node
    target: dict[str, Any] = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return _resolve(target, schema)


def _descend(node: dict[str, Any], step: str | int) -> dict[str, Any]:
    below: dict[str, Any]
    if isinstance(step, int):
        below = node.get("items", {})
    elif "discriminator" in node:
        below = {"$ref": node["discriminator"]["mapping"][step]}
    elif step in node.get("properties", {}):
        below = node["properties"][step]
    else:
        below = next(iter(node.get("patternProperties", {}).values()), {})
    return below


if __name__ == "__main__":
    sys.stdout.write(build_schema())
