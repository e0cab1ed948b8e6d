from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.document import replace_block, write_table
from bench.errors import BenchError

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT = "# Figures\n\n<!-- figures -->\nold\n<!-- /figures -->\n\nThe end.\n"


def test_a_table_has_a_rule_beneath_its_head_and_a_line_for_each_row() -> None:
    assert write_table(["", "ours"], [["bytes", "7"], ["ms", "3"]]) == (
        "|  | ours |\n| --- | ---: |\n| bytes | 7 |\n| ms | 3 |\n"
    )


def test_only_what_stands_between_the_markers_is_replaced_however_often(tmp_path: Path) -> None:
    document = tmp_path / "figures.md"
    document.write_text(DOCUMENT, encoding="utf-8")
    for text in ("first\n", "second\n"):
        replace_block(document, "figures", text)
    assert document.read_text(encoding="utf-8") == DOCUMENT.replace("old", "\nsecond\n")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "<!-- figures -->\n",
        "<!-- /figures -->\n<!-- figures -->\n",
        "<!-- other -->\n<!-- /other -->\n",
        DOCUMENT * 2,
    ],
    ids=["empty", "no end", "wrong order", "other name", "twice"],
)
def test_a_document_without_the_pair_of_markers_stays_as_it_is(
    tmp_path: Path, content: str
) -> None:
    document = tmp_path / "figures.md"
    document.write_text(content, encoding="utf-8")
    with pytest.raises(BenchError, match=r"figures\.md: needs the lines"):
        replace_block(document, "figures", "new")
    assert document.read_text(encoding="utf-8") == content


def test_a_document_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"none\.md: cannot be read"):
        replace_block(tmp_path / "none.md", "figures", "new")
