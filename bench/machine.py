"""What a run was measured on: figures of two machines are not to be compared."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Final

_DESCRIPTION: Final = Path("/proc/cpuinfo")
_GIGABYTE: Final = 1 << 30


def name_machine() -> str:
    """Its processors and memory in words, as far as the system tells."""
    cores = os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIGABYTE
    return f"{cores} cores ({_processor()}) and {memory:.0f} GB of memory"


def _processor() -> str:
    lines = _DESCRIPTION.read_text("utf-8").splitlines() if _DESCRIPTION.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.machine()
