"""Tables in Markdown, and the place in a document where a bench keeps its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def write_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, its first column to the left and the others to the right."""
    rule = ["---", *("---:" for _ in head[1:])]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rule, *rows))


def split_document(document: Path, name: str) -> tuple[str, str]:
    """What stands before and after the place of a bench, its markers included.

    The markers are `<!-- name -->` and `<!-- /name -->`.
    Raises BenchError where the document cannot be read or does not hold each of them once.
    """
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    try:
        content = document.read_text(encoding="utf-8")
    except OSError as error:
        message = f"{document}: cannot be read: {error.strerror}"
        raise BenchError(message) from error
    before, found_begin, rest = content.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end) or begin in rest or end in after:
        message = (
            f"{document}: needs the lines {begin.strip()} and {end} once each, in this order;"
            " what stands between them is replaced"
        )
        raise BenchError(message)
    return before + begin, end + after


def replace_block(document: Path, name: str, text: str) -> None:
    """Puts the text between the document's markers; raises as `split_document`."""
    before, after = split_document(document, name)
    document.write_text(f"{before}\n{text.strip()}\n\n{after}", encoding="utf-8")
