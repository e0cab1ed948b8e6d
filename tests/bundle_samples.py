"""What bundles are made of in these tests: the kit's own themes and texts in scripts of one line.

The scripts are as small as they can be, so that a test can read back what was put in.
"""

from __future__ import annotations

import json
from typing import Any

from slagboom_banner.assets import texts_directory, themes_directory
from slagboom_banner.bundle import Bundle, Sources
from slagboom_banner.texts import read_texts

START = '(()=>{"use strict";let sbServices,sbStorage,sbComing;'
END = "})();"
_GATE = ("start(", ");")
_STYLED = {name: (f"{name}(", ",", ");") for name in ("first", "second", "embed")}
_CHOICE = ("choice(", ");")
_OWN = "own();"


def make_sources() -> Sources:
    styled = {name: f"{name}(SLAGBOOM_STYLE,SLAGBOOM_{name.upper()});" for name in _STYLED}
    return Sources(
        scripts={
            **styled,
            "block": "block(SLAGBOOM_BLOCK);",
            "care": "care();",
            "choice": "SLAGBOOM_STYLE".join(_CHOICE),
            "gate": "SLAGBOOM_CONFIG".join(_GATE),
            "handover": "handover(SLAGBOOM_HAND_OVER);",
            "own": _OWN,
            "reload": "reload();",
            "services": "services();",
            "storage": "storage();",
        },
        themes={file.stem: file.read_text("utf-8") for file in themes_directory().glob("*.css")},
        texts=read_texts(texts_directory()),
    )


def read_ahead(bundle: Bundle) -> str:
    """The scripts that stand before the gate, as they are written."""
    ahead, _ = _cut(bundle)
    return ahead


def read_config(bundle: Bundle) -> dict[str, Any]:
    """What stands in the place of SLAGBOOM_CONFIG; nothing else may have changed in the gate."""
    _, gate = _cut(bundle)
    (config,) = _read(gate, _GATE)
    assert isinstance(config, dict)
    return config


def read_part(bundle: Bundle, name: str) -> tuple[str, dict[str, Any]]:
    """The style and the data of a part, by its name without the digest: `second-nl`."""
    (body,) = (body for file, body in bundle.parts.items() if file.startswith(f"{name}-"))
    style, data = _read(body.decode(), _STYLED[name.partition("-")[0]])
    return style, data


def read_asking_gate(bundle: Bundle, language: str) -> dict[str, Any]:
    """The first layers, by language, that stand behind the gate for a visitor's language.

    What takes a decision must stand between the gate and them.
    """
    script = bundle.asking_gates[language].decode()
    alone = bundle.gate.decode().removesuffix(END)
    assert script.startswith(alone)
    behind = script.removeprefix(alone).removesuffix(END)
    (choice,) = (body for file, body in bundle.parts.items() if file.startswith("choice-"))
    assert behind.startswith(choice.decode())
    _, layers = _read(behind.removeprefix(choice.decode()), _STYLED["first"])
    assert isinstance(layers, dict)
    return layers


def _cut(bundle: Bundle) -> tuple[str, str]:
    """What stands before the gate, and the gate, without what is around both."""
    script = bundle.gate.decode()
    assert script.startswith(START)
    assert script.endswith(END)
    ahead, name, gate = script.removeprefix(START).removesuffix(END).partition(_GATE[0])
    return ahead, name + gate


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
