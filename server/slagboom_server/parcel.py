"""Groups of decisions on their way to the process that appends them, and its answers.

A kind is sent once and then named by its number, so that both sides know it by identity.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, Final

from slagboom_server.entry import Entry, as_entry
from slagboom_server.errors import Contended, LogCorrupt, StoreUnavailable
from slagboom_server.store import Appended, Stored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slagboom_server.entry import Kind
    from slagboom_server.record import ConsentRecord
    from slagboom_server.rollup import ShownCounts

_MOST_KINDS: Final = 4096
_FAILURES: Final[dict[str, type[StoreUnavailable]]] = {
    kind.__name__: kind for kind in (StoreUnavailable, Contended, LogCorrupt)
}


class Packer:
    """Makes parcels for one `Unpacker`, which must be given each of them."""

    def __init__(self) -> None:
        self._numbers: dict[Kind, int] = {}

    def pack(self, new: Sequence[ConsentRecord | Entry], shown: ShownCounts | None) -> bytes:
        """What `store.append` is to be called with."""
        if len(self._numbers) > _MOST_KINDS:
            self._numbers.clear()
        known = len(self._numbers)
        rows: list[tuple[Any, ...]] = []
        for each in new:
            kind, *own = as_entry(each)
            rows.append((self._numbers.setdefault(kind, len(self._numbers)), own))
        return pickle.dumps((known, list(self._numbers)[known:], rows, shown))


class Unpacker:
    """Opens the parcels of one `Packer`."""

    def __init__(self) -> None:
        self._kinds: list[Kind] = []

    def unpack(self, parcel: bytes) -> tuple[list[Entry], ShownCounts | None]:
        """What the parcel was made of."""
        # From our own other process.
        known, kinds, rows, shown = pickle.loads(parcel)  # noqa: S301 -- by our own process
        self._kinds[known:] = kinds
        return [Entry(self._kinds[number], *own) for number, own in rows], shown


def pack_answers(answers: Sequence[Appended]) -> bytes:
    """The answers of `store.append`, nearly all of which are numbers."""
    return pickle.dumps([each.seq if isinstance(each, Stored) else each for each in answers])


def pack_failure(error: StoreUnavailable) -> bytes:
    """Why there are no answers."""
    return pickle.dumps((type(error).__name__, str(error)))


def unpack_answers(parcel: bytes) -> list[Appended]:
    """The answers. Raises StoreUnavailable where there are none."""
    told = pickle.loads(parcel)  # noqa: S301 -- by our own process
    if isinstance(told, tuple):
        name, reason = told
        raise _FAILURES.get(name, StoreUnavailable)(reason)
    return [Stored(each) if isinstance(each, int) else each for each in told]
