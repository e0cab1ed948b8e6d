"""Memory through which processes that share work hand over what is long."""

from __future__ import annotations

import os
from itertools import cycle
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Parcel(NamedTuple):
    """A text in a hatch. size: bytes."""

    place: int
    size: int


class Hatch:
    """Memory in which a copy of this process leaves texts for it.

    Megabytes through the pipe between them would wait for this process again and again.
    """

    def __init__(self, places: int) -> None:
        self._files = [os.memfd_create("slagboom-export") for _ in range(places)]

    def places(self) -> Iterator[int]:
        """A place for each task; whoever takes the results in their order finds it free again."""
        return cycle(range(len(self._files)))

    def put(self, place: int, pieces: Iterable[str]) -> Parcel:
        """Leaves a text."""
        # All of it, or an error: a bare write may end early.
        with open(self._files[place], "wb", closefd=False) as file:
            file.seek(0)
            size = sum(file.write(piece.encode()) for piece in pieces)
        return Parcel(place, size)

    def take(self, parcel: Parcel) -> str:
        """A text that was left."""
        return os.pread(self._files[parcel.place], parcel.size, 0).decode()

    def close(self) -> None:
        """Gives the memory back."""
        for file in self._files:
            os.close(file)
