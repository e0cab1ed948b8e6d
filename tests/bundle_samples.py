"""What bundles are made of in these tests: the kit's own themes and texts in scripts of one line.

The two scripts are as small as they can be, so that a test can read back what was put in.
"""

from __future__ import annotations

import json
from typing import Any

from slagboom_banner.assets import texts_directory, themes_directory
from slagboom_banner.bundle import Bundle, Sources
from slagboom_banner.texts import read_texts

_GATE = ("start(", ",own);")
_PANEL = ("show(", ",", ");")


def make_sources() -> Sources:
    return Sources(
        gate="SLAGBOOM_CONFIG".join(_GATE),
        panel=f"{_PANEL[0]}SLAGBOOM_NOTICE{_PANEL[1]}SLAGBOOM_STYLE{_PANEL[2]}",
        themes={file.stem: file.read_text("utf-8") for file in themes_directory().glob("*.css")},
        texts=read_texts(texts_directory()),
    )


def read_config(bundle: Bundle) -> dict[str, Any]:
    """What stands in the place of SLAGBOOM_CONFIG, and nothing else may stand in the gate."""
    gate = bundle.gate.decode()
    assert gate.startswith(_GATE[0])
    assert gate.endswith(_GATE[1])
    config: dict[str, Any] = json.loads(gate[len(_GATE[0]) : -len(_GATE[1])])
    return config


def read_panel(bundle: Bundle, language: str) -> tuple[dict[str, Any], str]:
    """What stands in the places of SLAGBOOM_NOTICE and SLAGBOOM_STYLE."""
    panel = bundle.panels[language][1].decode()
    assert panel.startswith(_PANEL[0])
    assert panel.endswith(_PANEL[2])
    inner = panel[len(_PANEL[0]) : -len(_PANEL[2])]
    notice, end = json.JSONDecoder().raw_decode(inner)
    return notice, json.loads(inner[end + len(_PANEL[1]) :])
