"""What bundles are made of in these tests: the kit's own themes and texts in scripts of one line.

The scripts are as small as they can be, so that a test can read back what was put in.
"""

from __future__ import annotations

import json
from typing import Any

from slagboom_banner.assets import texts_directory, themes_directory
from slagboom_banner.bundle import Bundle, Sources
from slagboom_banner.texts import read_texts

_GATE = ("start(", ",own);")
_FIRST = ("first(", ",", ");")
_SECOND = ("second(", ",", ");")


RELOAD = "reload();"


def make_sources() -> Sources:
    return Sources(
        block="block(SLAGBOOM_BLOCK);",
        reload=RELOAD,
        gate="SLAGBOOM_CONFIG".join(_GATE),
        first=f"{_FIRST[0]}SLAGBOOM_STYLE{_FIRST[1]}SLAGBOOM_FIRST{_FIRST[2]}",
        second=f"{_SECOND[0]}SLAGBOOM_STYLE{_SECOND[1]}SLAGBOOM_NOTICE{_SECOND[2]}",
        own="own();",
        themes={file.stem: file.read_text("utf-8") for file in themes_directory().glob("*.css")},
        texts=read_texts(texts_directory()),
    )


def read_config(bundle: Bundle) -> dict[str, Any]:
    """What stands in the place of SLAGBOOM_CONFIG; nothing else may have changed in the gate."""
    (config,) = _read(bundle.gate.decode().removeprefix(RELOAD), _GATE)
    assert isinstance(config, dict)
    return config


def read_part(bundle: Bundle, name: str) -> tuple[str, dict[str, Any]]:
    """The style and the data of a part, by its name without the digest: `second-nl`."""
    (body,) = (body for file, body in bundle.parts.items() if file.startswith(f"{name}-"))
    style, data = _read(body.decode(), _FIRST if name.startswith("first") else _SECOND)
    return style, data


def read_asking_gate(bundle: Bundle, language: str) -> dict[str, Any]:
    """The first layers, by language, that stand behind the gate for a visitor's language."""
    script = bundle.asking_gates[language]
    assert script.startswith(bundle.gate)
    _, layers = _read(script.removeprefix(bundle.gate).decode(), _FIRST)
    assert isinstance(layers, dict)
    return layers


def _read(script: str, around: tuple[str, ...]) -> list[Any]:
    values = []
    rest = script
    for text in around[:-1]:
        assert rest.startswith(text), rest[:80]
        value, end = json.JSONDecoder().raw_decode(rest[len(text) :])
        values.append(value)
        rest = rest[len(text) + end :]
    assert rest == around[-1]
    return values
