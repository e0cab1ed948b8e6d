"""Makes or restores a backup, prints a line after the first step and waits for its end after it.

Run by test_backup_postgresql.py, which kills it. argv: `back_up` or `restore`, the file, the
address of the log, the folder of its keys.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from slagboom_server.backup import back_up, restore
from slagboom_server.signing import SigningKeys

if TYPE_CHECKING:
    from collections.abc import Callable

command, file, url, keys = sys.argv[1:]


def watch(what: str, _records: int) -> Callable[[int], None]:
    def tell(_done: int) -> None:
        if what == "Records copied":
            sys.stdout.write("step\n")
            sys.stdout.flush()
            sys.stdin.read()

    return tell


trusted = SigningKeys(Path(keys)).public()
if command == "back_up":
    back_up(url, Path(file), trusted, watch)
else:
    restore(Path(file), url, trusted, watch)
