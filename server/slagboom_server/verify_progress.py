"""How far a verification has come, kept beside the keys so that it can be taken up again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def read_progress(file: Path) -> dict[bytes, tuple[int, bytes]]:
    """Where an earlier verification stands; empty where there is none that can be read."""
    try:
        saved: dict[str, Any] = json.loads(file.read_text("ascii"))
        return {
            bytes.fromhex(uid): (int(position), bytes.fromhex(head))
            for uid, (position, head) in saved.items()
        }
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def write_progress(file: Path, done: Mapping[bytes, tuple[int, bytes]]) -> None:
    """Writes down where a verification stands."""
    saved = {uid.hex(): [position, head.hex()] for uid, (position, head) in done.items()}
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(saved), "ascii")
    draft.replace(file)
