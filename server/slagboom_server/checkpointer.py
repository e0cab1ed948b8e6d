"""Makes a checkpoint every minute with news, while a process serves, and a last one at its end.

News is a decision, or a publication; a log without any decision has nothing to name yet.
Where thousands of records come within the minute, or a visitor waits for a receipt, one is made
sooner.

Any number of processes may do so for one log: the number of a checkpoint is taken by whoever comes
first, and a minute that has one needs no other. Nothing here stands in the way of a decision: what
fails is logged and tried again at the next.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Self

from slagboom_banner.errors import SlagboomError
from slagboom_server.checkpoint import Checkpoint, Head, read_checkpoint, write_checkpoint
from slagboom_server.checkpoint_copy import CheckpointCopies
from slagboom_server.errors import Contended, StoreUnavailable
from slagboom_server.row import from_ms, to_ms
from slagboom_server.signing import SigningKeys
from slagboom_server.timestamp import request_timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from types import TracebackType

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from slagboom_server.evidence import Evidence

INTERVAL_SECONDS: Final = 60
MANY_RECORDS: Final = 4000
"""In one chain since the last checkpoint, which call for the next: less than half of what a
visitor's receipt may carry. At 4000 a second, all the log is built for, that is one a second."""

LOOK_RECORDS: Final = 1000
"""Of this process, after which it looks how long the chains are. On SQLite several processes share
one: what all of them add between two looks must fit above `MANY_RECORDS`, too."""

WISH_EVERY_SECONDS: Final = 2.0
"""Between any checkpoint of the log and one that is made because a visitor waits for it."""

WISH_SECONDS: Final = 3.0
"""How long a visitor waits for it."""

_HEED_SECONDS: Final = 0.25
"""Between two looks whether another process has made what visitors wait for, or this one may."""

_MOST_MISSED: Final = 5
"""Intervals without success after which it is not a passing failure any more."""

_STOP_SECONDS: Final = 5.0
"""How long a stop waits for a checkpoint or a time-stamp that is under way."""

_STAMP_EVERY_MS: Final = 3_600_000
"""Authorities limit what they do for nothing, and a time-stamp covers everything before it."""

_log = logging.getLogger(__name__)


class CheckpointMaker:
    """Makes checkpoints of one log. folder: of its keys and copies."""

    def __init__(self, evidence: Evidence, folder: Path) -> None:
        self._evidence = evidence
        self._keys = SigningKeys(folder)
        self._copies = CheckpointCopies(folder)
        self._known: Checkpoint | None = None

    def last(self) -> Checkpoint | None:
        """The newest checkpoint of the log."""
        stored = self._evidence.last_checkpoint()
        if stored is None:
            return None
        try:
            self._known = read_checkpoint(stored.text)
        except SlagboomError as error:
            message = f"checkpoint {stored.number} in the database {error}; run slagboom log verify"
            raise SlagboomError(message) from error
        return self._known

    def make(
        self,
        now: dt.datetime,
        *,
        min_age_seconds: float = 0,
        min_records: int = 0,
        next_key: bytes | None = None,
    ) -> Checkpoint | None:
        """A new checkpoint, None where nothing has happened since the last.

        min_age_seconds: nothing is made either while the last one is younger. min_records: nor
        while no chain has grown by so many. next_key: the raw public key that signs from then on;
        then a checkpoint is made without news too.
        Raises SlagboomError where the key that must sign is not in the folder.
        """
        heads = tuple(
            Head(chain.uid, chain.length, chain.head)
            for chain in self._evidence.chains()
            if chain.length
        )
        if not heads:
            return None
        # Where what is known of the last one says so already, it need not be read.
        if min_records and not _have_grown(heads, self._known, min_records):
            return None
        last = self.last()
        if min_records and not _have_grown(heads, last, min_records):
            return None
        listed = self._evidence.published()
        published = sha256(listed.encode()).digest() if listed else None
        erased = self._evidence.erased()
        if last is not None and next_key is None:
            # One from the future is none of this minute: the clock was set back. By a moment, it is
            # that of another machine.
            earliest = -min(min_age_seconds, WISH_EVERY_SECONDS) * 1000
            is_young = earliest < to_ms(now) - last.made_at < min_age_seconds * 1000
            known = (last.heads, last.published, last.erased)
            if is_young or (heads, published, erased) == known:
                return None
        made_at = to_ms(now)
        checkpoint = write_checkpoint(
            log=heads[0].uid if last is None else last.log,
            number=1 if last is None else last.number + 1,
            made_at=made_at,
            time=from_ms(made_at).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            previous=None if last is None else last.digest,
            heads=heads,
            published=published,
            erased=erased,
            key=self._key_after(last),
            next_key=next_key,
        )
        self._compare_copy(checkpoint.log, last)
        if not self._evidence.add_checkpoint(checkpoint, listed):
            return None
        self._known = checkpoint
        self._copies.keep(checkpoint)
        return checkpoint

    def signing_key(self) -> Ed25519PrivateKey:
        """The key that signs now. Raises SlagboomError where it is not in the folder."""
        return self._key_after(self.last())

    def _key_after(self, last: Checkpoint | None) -> Ed25519PrivateKey:
        if last is None:
            return self._keys.first()
        public = last.next_key or last.key
        key = self._keys.find(public)
        if key is None:
            message = (
                f"no checkpoint can be signed: the key {public.hex()[:16]}… is not in the folder "
                "of keys; bring it from the machine that made the last one"
            )
            raise SlagboomError(message)
        return key

    def _compare_copy(self, log: bytes, last: Checkpoint | None) -> None:
        """Puts a copy aside that the database does not lead to."""
        copy = self._copies.newest(log)
        if copy is None or (last is not None and copy.digest == last.digest):
            return
        stored = self._evidence.checkpoint(copy.number)
        if stored is None or stored.digest != copy.digest:
            aside = self._copies.put_aside(copy)
            _log.error(
                "the database is not the one that made checkpoint %d: an older copy was put in its "
                "place, or its evidence was changed; kept as %s for slagboom log verify",
                copy.number,
                aside,
            )


def _lengths(checkpoint: Checkpoint | None) -> dict[bytes, int]:
    """How many records of each chain a checkpoint covers, by the chain's name."""
    return {} if checkpoint is None else {head.uid: head.length for head in checkpoint.heads}


def _have_grown(heads: Iterable[Head], last: Checkpoint | None, records: int) -> bool:
    """Whether one of the chains has so many records that the last checkpoint does not cover."""
    covered = _lengths(last)
    return any(head.length - covered.get(head.uid, 0) >= records for head in heads)


@dataclass(frozen=True, slots=True)
class _Wish:
    """A visitor who waits. needs: records of each chain, by its name. until: monotonic seconds."""

    needs: Mapping[bytes, int]
    until: float
    settled: asyncio.Future[None]

    def is_met(self, checkpoint: Checkpoint | None) -> bool:
        """Whether a checkpoint covers those records."""
        covered = _lengths(checkpoint)
        return all(covered.get(uid, 0) >= length for uid, length in self.needs.items())

    def settle(self) -> None:
        """Ends the waiting, from another thread."""
        # A closed loop has nobody left who waits.
        with suppress(RuntimeError):
            self.settled.get_loop().call_soon_threadsafe(self._set)

    def _set(self) -> None:
        if not self.settled.done():
            self.settled.set_result(None)


class Checkpointer:
    """Makes checkpoints on one thread and has them stamped on another, while the block lasts.

    A checkpoint stands before it is stamped, and the next one does not wait for that.
    clock: UTC. authority: address of a time-stamping authority, None for none.
    """

    def __init__(
        self,
        evidence: Evidence,
        folder: Path,
        clock: Callable[[], dt.datetime],
        authority: str | None = None,
        interval_seconds: float = INTERVAL_SECONDS,
    ) -> None:
        self._evidence = evidence
        self._maker = CheckpointMaker(evidence, folder)
        self._clock = clock
        self._authority = authority
        self._interval_seconds = interval_seconds
        self._went_well = time.monotonic()
        self._calls = threading.Condition()
        self._is_closing = False
        self._noted = 0
        self._has_many = False
        self._wishes: list[_Wish] = []
        self._heed_at = self._wished_at = self._failed_at = -WISH_EVERY_SECONDS
        self._news = threading.Condition()
        self._unstamped: Checkpoint | None = None
        self._is_over = self._is_left = False
        self._cannot_sign = False
        self._thread = threading.Thread(target=self._run, name="slagboom-checkpoints", daemon=True)
        self._stamper = threading.Thread(
            target=self._stamp_all, name="slagboom-time-stamps", daemon=True
        )

    def __enter__(self) -> Self:
        """Starts the threads, and makes the key of a log that has none."""
        self._look_for_key()
        self._thread.start()
        self._stamper.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends the threads, and makes the last checkpoint, whatever a time-stamp waits for."""
        with self._calls:
            self._is_closing = True
            self._calls.notify()
        self._thread.join(_STOP_SECONDS)
        self._make(0)
        self._settle(lambda _: True)
        with self._news:
            self._is_over = True
            self._news.notify()
        self._stamper.join(_STOP_SECONDS)
        self._is_left = True

    def trouble(self) -> str | None:
        """What is wrong, None for nothing; a single failure is none, the next may succeed."""
        if not self._thread.is_alive():
            return "their thread has ended"
        if self._cannot_sign:
            return "the key that signs them is not in the folder of keys"
        silent = time.monotonic() - self._went_well
        if silent > _MOST_MISSED * self._interval_seconds:
            return f"none could be made for {silent:.0f} seconds; the server's own log says why"
        return None

    def note(self, records: int) -> None:
        """Is told of records that this process has added; costs next to nothing."""
        self._noted += records
        if self._noted >= LOOK_RECORDS:
            self._noted = 0
            with self._calls:
                self._has_many = True
                self._calls.notify()

    async def wish(self, needs: Mapping[bytes, int], seconds: float = WISH_SECONDS) -> None:
        """Waits until a checkpoint covers these records, or one cannot be had in time.

        needs: a number of records for the name of each chain. Wishes make the log no busier than
        one checkpoint in two seconds, however many there are.
        """
        settled = asyncio.get_running_loop().create_future()
        wish = _Wish(needs, time.monotonic() + seconds, settled)
        with self._calls:
            if self._is_closing or self._cannot_sign:
                return
            self._wishes.append(wish)
            self._calls.notify()
        await asyncio.wait([settled], timeout=seconds)

    def _run(self) -> None:
        due = time.monotonic() + self._interval_seconds
        while self._wait(due):
            checkpoint = None
            if time.monotonic() >= due:
                if self._cannot_sign:
                    self._look_for_key()
                # A little less than the interval, or every other one would be skipped by a hair.
                checkpoint = self._make(self._interval_seconds / 2)
                due = time.monotonic() + self._interval_seconds
            elif self._has_many:
                self._has_many = False
                checkpoint = self._make(0, MANY_RECORDS)
            if checkpoint is None and self._wishes:
                checkpoint = self._heed_wishes()
            if checkpoint is not None:
                # Whoever has made one makes the next, so that no minute is left out between them.
                due = time.monotonic() + self._interval_seconds
                self._settle_met(checkpoint)
                self._give_to_stamp(checkpoint)

    def _wait(self, due: float) -> bool:
        """Waits until there is something to do; False once it is the end."""
        with self._calls:
            while not self._is_closing:
                now = time.monotonic()
                wakes = due
                if self._wishes:
                    wakes = min(wakes, self._heed_at)
                if self._has_many:
                    # What fails is not tried again for every group of records.
                    wakes = min(wakes, self._failed_at + WISH_EVERY_SECONDS)
                if wakes <= now:
                    return True
                self._calls.wait(wakes - now)
            return False

    def _heed_wishes(self) -> Checkpoint | None:
        """Makes what visitors wait for, if the log has none yet and it is time for one."""
        checkpoint = None
        # What keeps it from being read keeps the next one from being made, which says so.
        with suppress(SlagboomError):
            self._settle_met(self._maker.last())
        now = time.monotonic()
        if self._wishes and now >= max(self._wished_at, self._failed_at) + WISH_EVERY_SECONDS:
            checkpoint = self._make(WISH_EVERY_SECONDS)
            if checkpoint is not None:
                self._wished_at = now
        # The first wish after a while does not wait.
        self._heed_at = time.monotonic() + _HEED_SECONDS if self._wishes else 0.0
        return checkpoint

    def _settle_met(self, checkpoint: Checkpoint | None) -> None:
        now = time.monotonic()
        self._settle(lambda wish: wish.until <= now or wish.is_met(checkpoint))

    def _settle(self, is_over: Callable[[_Wish], bool]) -> None:
        with self._calls:
            wishes, self._wishes = self._wishes, []
            for wish in wishes:
                if is_over(wish):
                    wish.settle()
                else:
                    self._wishes.append(wish)

    def _give_to_stamp(self, checkpoint: Checkpoint) -> None:
        if self._authority is not None:
            with self._news:
                # The newest covers those that have waited with it.
                self._unstamped = checkpoint
                self._news.notify()

    def _look_for_key(self) -> None:
        """Finds out whether this process can sign; a failed checkpoint would only show it later."""
        try:
            self._maker.signing_key()
        except StoreUnavailable as error:
            _log.error("%s", error)
        except SlagboomError as error:
            if not self._cannot_sign:
                _log.error("%s", error)
            self._cannot_sign = True
        else:
            self._cannot_sign = False

    def _make(self, min_age_seconds: float, min_records: int = 0) -> Checkpoint | None:
        checkpoint = None
        try:
            checkpoint = self._maker.make(
                self._clock(), min_age_seconds=min_age_seconds, min_records=min_records
            )
        except Contended:
            # Another process has made one at this moment, of which the next look will tell.
            self._has_many = self._has_many or min_records > 0
        except SlagboomError as error:
            _log.error("no checkpoint was made: %s", error)
            self._note_failure()
            return None
        except Exception:  # noqa: BLE001 -- the thread's edge: it must outlive any fault
            _log.exception("no checkpoint was made")
            self._note_failure()
            return None
        self._went_well = time.monotonic()
        return checkpoint

    def _note_failure(self) -> None:
        self._failed_at = time.monotonic()
        # Nobody waits for what fails.
        self._settle(lambda _: True)

    def _stamp_all(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._is_over or self._unstamped is not None)
                checkpoint, self._unstamped = self._unstamped, None
            if checkpoint is None or self._authority is None:
                return
            self._stamp(self._authority, checkpoint)

    def _stamp(self, authority: str, checkpoint: Checkpoint) -> None:
        try:
            last = self._evidence.last_timestamp()
            if last is None or checkpoint.made_at - last.stamped_at >= _STAMP_EVERY_MS:
                stamp = request_timestamp(authority, checkpoint)
                # Once nobody waits for it any more, the log is closed.
                if not self._is_left:
                    self._evidence.add_timestamp(stamp)
        except SlagboomError as error:
            _log.error("checkpoint %d has no time-stamp: %s", checkpoint.number, error)
        except Exception:  # noqa: BLE001 -- as above
            _log.exception("checkpoint %d has no time-stamp", checkpoint.number)
