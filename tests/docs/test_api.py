"""docs/api.md names what `window.slagboom` has, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
# tsc holds these types against the code.
TYPES = ROOT.joinpath("static/js/slagboom.d.ts").read_text(encoding="utf-8")
DOCUMENT = ROOT.joinpath("docs/api.md").read_text(encoding="utf-8")


def documented(heading: str) -> list[str]:
    """The first words of the rows of the table under a heading row."""
    table = DOCUMENT.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `(\w+)", table, re.MULTILINE)


def test_every_member_is_documented_once_and_nothing_else() -> None:
    interface = TYPES.partition("export interface Slagboom {")[2].partition("\n}")[0]
    members = re.findall(r"^  (?:readonly )?(\w+)\??[(:]", interface, re.MULTILINE)

    assert sorted(documented("member")) == sorted(members)
    assert "granted" in members


def test_every_event_is_documented_once_and_nothing_else() -> None:
    names = re.findall(r'"slagboom:(\w+)": CustomEvent', TYPES)

    assert sorted(documented("event")) == sorted(names)
    assert "change" in names


def test_every_example_asked_for_is_there() -> None:
    headings = set(re.findall(r"^## (.+)$", DOCUMENT, re.MULTILINE))

    assert headings >= {"Plain HTML", "WordPress", "Google Tag Manager", "React", "Vue", "Next"}
