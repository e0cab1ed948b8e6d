"""Prints what the client scripts weigh, and fails when one is over its limit in sizes.json.

The gate delays every first visit, so its bytes are a feature; the limits are raised on purpose
or not at all.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import brotli

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Print the table; 1 when a file is missing or too big."""
    limits: dict[str, dict[str, int]] = json.loads(
        ROOT.joinpath("tools/sizes.json").read_text(encoding="utf-8")
    )
    wrong: list[str] = []
    print(f"{'bytes':26}{'plain':>8}{'gzip':>8}{'brotli':>8}{'limit':>16}")
    for name, limit in limits.items():
        file = ROOT / name
        if not file.is_file():
            wrong.append(f"{name}: missing; run make build")
            continue
        sizes = _sizes(file.read_bytes())
        allowed = ", ".join(f"{form} {most}" for form, most in limit.items())
        print(f"{name:26}" + "".join(f"{size:8}" for size in sizes.values()) + f"{allowed:>16}")
        wrong += [
            f"{name}: {sizes[form]} bytes as {form}, {most} allowed; make it smaller"
            for form, most in limit.items()
            if sizes[form] > most
        ]
    sys.stdout.flush()
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


def _sizes(content: bytes) -> dict[str, int]:
    return {
        "plain": len(content),
        "gzip": len(gzip.compress(content, 9)),
        "brotli": len(brotli.compress(content)),
    }


if __name__ == "__main__":
    sys.exit(main())
