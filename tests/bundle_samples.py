"""What bundles are made of in these tests: the kit's own themes and texts in scripts of one line.

The scripts are as small as they can be, so that a test can read back what was put in.
"""

from __future__ import annotations

import json
import re
from typing import Any

from slagboom_banner.assets import texts_directory, themes_directory
from slagboom_banner.bundle import Bundle, Sources
from slagboom_banner.texts import read_texts

HINT = "//# allFunctionsCalledOnLoad\n"
START = "(()=>{const sbParts={};"
END = "})();"
_MODULE = ("const sbParts={};", "export{sbParts as default};")
_GATE = ("start(", ");")
_STYLED = {name: (f"{name}(", ",", ");") for name in ("answered", "first", "second", "embed")}
_CHOICE = ("choice(", ");")
_QUOTED_OR_KEY = re.compile(r'"(?:[^"\\]|\\.)*"|([a-z_]+)(?=:)')


def make_sources() -> Sources:
    styled = {name: f"{name}(SLAGBOOM_STYLE,SLAGBOOM_{name.upper()});" for name in _STYLED}
    return Sources(
        scripts={
            **styled,
            "block": "block(SLAGBOOM_BLOCK);",
            "care": "care();",
            "choice": "SLAGBOOM_CHOOSING".join(_CHOICE),
            "gate": "SLAGBOOM_CONFIG".join(_GATE),
            "handover": "handover(SLAGBOOM_HAND_OVER);",
            "own": "own(SLAGBOOM_OWN);",
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
    style, data = _read(_read_module(body), _STYLED[name.partition("-")[0]])
    return style, data


def read_asking_gate(bundle: Bundle, language: str) -> dict[str, Any]:
    """The first layers, by language, that stand behind the gate for a visitor's language.

    What takes a decision must stand between the gate and them.
    """
    script = bundle.asking_gates[language].decode()
    alone = HINT + bundle.gate.decode().removesuffix(END)
    assert script.startswith(alone)
    behind = script.removeprefix(alone).removesuffix(END)
    (choice,) = (body for file, body in bundle.parts.items() if file.startswith("choice-"))
    deciding = _read_module(choice)
    assert behind.startswith(deciding)
    _, layers = _read(behind.removeprefix(deciding), _STYLED["first"])
    assert isinstance(layers, dict)
    return layers


def read_literal(text: str) -> Any:
    """What a literal of to_javascript means: it is JSON but for the marks around plain names."""
    return json.loads(_quote_keys(text))


def _quote_keys(text: str) -> str:
    return _QUOTED_OR_KEY.sub(lambda found: f'"{found[1]}"' if found[1] else found[0], text)


def _read_module(body: bytes) -> str:
    """A part without what makes a module of it."""
    text = body.decode()
    assert text.startswith(_MODULE[0])
    assert text.endswith(_MODULE[1])
    return text.removeprefix(_MODULE[0]).removesuffix(_MODULE[1])


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
        quoted = _quote_keys(rest[len(text) :])
        value, end = json.JSONDecoder().raw_decode(quoted)
        values.append(value)
        rest = quoted[end:]
    assert rest == around[-1]
    return values
