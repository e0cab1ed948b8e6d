"""Records that hold what no writer of ours could have put there, told by their number.

Somebody with access to the database may have put any value into any cell. What makes sense of cells
raises one of `BROKEN` where they make none; whoever knows the record says which one it was.
"""

from __future__ import annotations

import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from slagboom_server.errors import LogAltered

if TYPE_CHECKING:
    from collections.abc import Iterator

BROKEN: Final = (
    *(struct.error, TypeError, ValueError, KeyError, IndexError, AttributeError),
    # The second is how `uuid` says that something is no bytes.
    *(OverflowError, AssertionError, RecursionError),
)
"""What reading such a row raises."""


def name_altered(seq: object) -> LogAltered:
    """The error that names a record by its number."""
    return LogAltered(
        f"record {seq} was altered and cannot be read; run `slagboom log verify`, which tells "
        "everything that was, and restore a backup"
    )


@contextmanager
def naming_altered(seq: object) -> Iterator[None]:
    """Raises the error that names a record where the block meets one of `BROKEN`."""
    try:
        yield
    except BROKEN as error:
        raise name_altered(seq) from error
