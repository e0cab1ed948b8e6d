"""Lean rows as lines of text, as fast as a bare loop: what repeats is written out once.

CSV and JSON have the same values in the same order; `Frame` is what stands around them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

from slagboom_server.altered import BROKEN, naming_altered
from slagboom_server.anonymise import name_network
from slagboom_server.row import describe_answer, describe_sender, from_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from slagboom_server.lean import LeanRow, Lookup

    WriteFields = Callable[[Mapping[str, Any]], str]

_MINUTE_MS: Final = 60_000
_DAY_MINUTES: Final = 1440
_MINUTES: Final = tuple(f"T{minute // 60:02}:{minute % 60:02}" for minute in range(_DAY_MINUTES))
_SECONDS: Final = tuple(f":{ms // 1000:02}.{ms % 1000:03}Z" for ms in range(_MINUTE_MS))
"""The parts of a time after the day, by the minute of the day and the millisecond of the minute."""

_MOST: Final = 50_000
"""Texts of one kind in memory, a few megabytes."""

_PORTION: Final = 500
"""Rows written out at a time, so that their text is joined while it is close to the processor."""

_ID_BYTES: Final = 16
_ZERO: Final = str(UUID(int=0))
_DIGITS: Final = tuple(place for place, letter in enumerate(_ZERO) if letter == "0")
"""Where the digits of an identifier stand in its text."""

_ANSWER: Final = slice(8, 17)
_SENDER: Final = slice(17, 20)


class Frame(NamedTuple):
    """What stands before each value of a line, in their order, and at its end.

    nothing, quote: for what is not there, and around a number or a network.
    """

    seq: str
    decision: str
    consent: str
    previous: str
    received: str
    given: str
    valid: str
    repeated: str
    network: str
    sender: str
    end: str
    nothing: str
    quote: str


class _Memory(dict[Any, str]):
    """Texts by key, made where one is missing; forgets all when there are too many."""

    def __init__(self, make: Callable[[Any], str]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: object) -> str:
        if len(self) >= _MOST:
            self.clear()
        text = self[key] = self._make(key)
        return text


class LeanLines:
    """Makes lines within one frame.

    answer, sender: write out what `row.describe_answer` and `row.describe_sender` return.
    """

    def __init__(
        self,
        frame: Frame,
        lookup: Lookup,
        answer: WriteFields,
        sender: WriteFields,
    ) -> None:
        self._frame = frame
        self._days = _Memory(_format_day)
        self._repeated = _Memory(lambda key: answer(describe_answer(key, lookup.offer(key[0]))))
        self._senders = _Memory(lambda key: sender(_describe_sender(key, lookup)))

    def write(self, rows: Sequence[LeanRow]) -> Iterator[str]:
        """A line for each row, with its end, hundreds of them in one text. rows: of `lean.LEAN`.

        Raises LogAltered where a row holds what the kit never writes.
        """
        for first in range(0, len(rows), _PORTION):
            portion = rows[first : first + _PORTION]
            try:
                yield self._write(portion)
            except BROKEN:
                for row in portion:
                    with naming_altered(row[0]):
                        self._write([row])
                raise

    def _write(self, rows: Sequence[LeanRow]) -> str:
        days, repeated, senders = self._days, self._repeated, self._senders
        # One letter each, for the line below is read as a whole: s(eq), d(ecision) and so on.
        s, d, c, p, r, g, v, f, n, t, end, nothing, quote = self._frame
        lines = []
        pairs = _name_pairs([row[1] for row in rows], [row[2] for row in rows], c)
        for row, pair in zip(rows, pairs, strict=True):
            previous = nothing if row[3] is None else f"{quote}{UUID(bytes=row[3])}{quote}"
            # Too many differ to be remembered.
            network = nothing if row[7] is None else f"{quote}{name_network(row[7])}{quote}"
            min1, ms1 = divmod(row[4], _MINUTE_MS)
            min2, ms2 = divmod(row[5], _MINUTE_MS)
            min3, ms3 = divmod(row[6], _MINUTE_MS)
            lines.append(
                f"{s}{row[0]}{d}{pair}{p}{previous}{r}"
                f"{days[min1 // _DAY_MINUTES]}{_MINUTES[min1 % _DAY_MINUTES]}{_SECONDS[ms1]}{g}"
                f"{days[min2 // _DAY_MINUTES]}{_MINUTES[min2 % _DAY_MINUTES]}{_SECONDS[ms2]}{v}"
                f"{days[min3 // _DAY_MINUTES]}{_MINUTES[min3 % _DAY_MINUTES]}{_SECONDS[ms3]}{f}"
                f"{repeated[row[_ANSWER]]}{n}{network}{t}{senders[row[_SENDER]]}{end}"
            )
        return "".join(lines)


def _name_pairs(first: Sequence[bytes], second: Sequence[bytes], between: str) -> Iterator[str]:
    """Two identifiers for each row, and what stands between them.

    Written a digit of all of them at a time: the text of one UUID takes seven times as long.
    """
    blank = f"{_ZERO}{between}{_ZERO}"
    size = len(blank)
    text = bytearray((blank * len(first)).encode("ascii"))
    for values, start in ((first, 0), (second, size - len(_ZERO))):
        if any(len(value) != _ID_BYTES for value in values):
            message = "no identifier"
            raise ValueError(message)
        digits = b"".join(values).hex().encode()
        for digit, place in enumerate(_DIGITS):
            text[start + place :: size] = digits[digit :: len(_DIGITS)]
    pairs = text.decode()
    return (pairs[at : at + size] for at in range(0, len(pairs), size))


def _describe_sender(key: tuple[Any, ...], lookup: Lookup) -> dict[str, Any]:
    client_id, origin_id, flags = key
    origin = None if origin_id is None else lookup.origin(origin_id)
    return describe_sender(lookup.client(client_id), origin, flags)


def _format_day(day: int) -> str:
    return from_ms(day * _DAY_MINUTES * _MINUTE_MS).date().isoformat()
