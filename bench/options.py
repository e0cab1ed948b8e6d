"""What both halves of the bench can be told, and where they leave what they measured."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bench.document import replace_block, split_document
from bench.errors import BenchError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def natural(text: str) -> int:
    """A whole number from 1 on, as an option's type."""
    number = int(text)
    if number < 1:
        message = "at least 1"
        raise argparse.ArgumentTypeError(message)
    return number


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Adds `--output` and `--write`."""
    parser.add_argument("--output", type=Path, help="write FILE.md, and FILE.json with every value")
    parser.add_argument("--write", type=Path, help="replace the table between a document's markers")


def require_outputs(options: argparse.Namespace, marker: str) -> None:
    """Raises BenchError where these two cannot be followed. marker: of the document's place."""
    if options.write:
        split_document(options.write, marker)
    require_parent("--output", options.output)


def require_parent(option: str, path: Path | None) -> None:
    """Raises BenchError where an option's path, if given, would lie in no folder."""
    if path and not path.parent.is_dir():
        message = f"{option}: there is no folder {path.parent}"
        raise BenchError(message)


def tell(options: argparse.Namespace, marker: str, report: str, results: DataclassInstance) -> None:
    """Prints the report and writes it where the options say."""
    sys.stdout.write(report)
    if options.output:
        options.output.with_suffix(".md").write_text(report, encoding="utf-8")
        values = json.dumps(asdict(results), default=str, indent=1)
        options.output.with_suffix(".json").write_text(f"{values}\n", encoding="utf-8")
    if options.write:
        replace_block(options.write, marker, report)
