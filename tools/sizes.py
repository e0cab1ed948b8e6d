"""Prints what the client scripts weigh, and fails when one is over its limit in sizes.json.

The gate delays every first visit, so its bytes are a feature; the limits are raised on purpose
or not at all. Limits are of the built files, and of what a page of the benchmark's policy is sent,
texts and style included.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
import tempfile
from pathlib import Path

import brotli

from slagboom_banner.bundle import build_bundle
from slagboom_banner.rules import check_policies
from slagboom_server.sites import read_sources

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Print the table; 1 when a file is missing or too big."""
    limits: dict[str, dict[str, int]] = json.loads(
        ROOT.joinpath("tools/sizes.json").read_text(encoding="utf-8")
    )
    wrong: list[str] = []
    print(f"{'bytes':28}{'plain':>8}{'gzip':>8}{'brotli':>8}{'limit':>16}")
    pages = _pages()
    for name, limit in limits.items():
        file = ROOT / name
        if name not in pages and not file.is_file():
            wrong.append(f"{name}: missing; run make build")
            continue
        sizes = pages.get(name) or _sizes(file.read_bytes())
        allowed = ", ".join(f"{form} {most}" for form, most in limit.items())
        print(f"{name:28}" + "".join(f"{size:8}" for size in sizes.values()) + f"{allowed:>16}")
        wrong += [
            f"{name}: {sizes[form]} bytes as {form}, {most} allowed; make it smaller"
            for form, most in limit.items()
            if sizes[form] > most
        ]
    sys.stdout.flush()
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


def _pages() -> dict[str, dict[str, int]]:
    """What visitors of a page with the benchmark's policy load, as they do: file by file."""
    sources = read_sources()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(ROOT / "bench/client/policy", folder, dirs_exist_ok=True))
        policy = copy / "bench.yaml"
        policy.write_text(
            policy.read_text(encoding="utf-8").replace("PORT", "8000"), encoding="utf-8"
        )
        shutil.copy(ROOT / "policies/services/slagboom.yaml", copy / "services")
        policies, _ = check_policies(copy, sources.texts)
    bundle = build_bundle(policies["bench"], sources)
    (second,) = (body for name, body in bundle.parts.items() if name.startswith("second-"))
    asked = _sizes(bundle.asking_gates["en"])
    return {
        "page, decided": _sizes(bundle.gate),
        "page, first layer": asked,
        "page, both layers": {form: size + _sizes(second)[form] for form, size in asked.items()},
    }


def _sizes(content: bytes) -> dict[str, int]:
    return {
        "plain": len(content),
        "gzip": len(gzip.compress(content, 9)),
        "brotli": len(brotli.compress(content)),
    }


if __name__ == "__main__":
    sys.exit(main())
