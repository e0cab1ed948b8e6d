"""Receipts made from the log: each record with its opening and its way to a checkpoint."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.concurrency import run_in_threadpool

from slagboom_banner.errors import SlagboomError
from slagboom_server.altered import BROKEN
from slagboom_server.chain import begin_chain, from_seq, link, to_seq
from slagboom_server.checkpoint import Checkpoint, read_checkpoint
from slagboom_server.receipt import Place, Segment, build_receipt
from slagboom_server.signing import SigningKeys

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from slagboom_server.chain import Chain
    from slagboom_server.checkpointer import Checkpointer
    from slagboom_server.evidence import Sealed
    from slagboom_server.record import ConsentRecord
    from slagboom_server.store import Store

MOST_ONLINE: Final = 10_000
"""Leaves in one answer to a visitor, 430 kB; see `checkpointer.MANY_RECORDS`."""

MOST_RECEIPTS: Final = 20
"""Receipts in one answer to a visitor, the newest ones; an officer can write any other."""

MOST_OFFLINE: Final = 1_000_000
"""Leaves in a receipt that an officer writes to a file, 43 MB."""

_NOT_YET: Final = (
    "no checkpoint covers this record yet; one is made within a minute: fetch the receipt again"
)
_TOO_LONG: Final = "the way to the next checkpoint is too long for this answer: ask the controller"


class Receipts:
    """The receipts of one log.

    keys: the folder of signing keys; None for a key of this object. checkpointer: makes a
    checkpoint for whoever waits for one; left out, nobody waits.
    """

    def __init__(
        self, store: Store, keys: Path | None, checkpointer: Checkpointer | None = None
    ) -> None:
        self._store = store
        self._checkpointer = checkpointer
        self._keys = None if keys is None else SigningKeys(keys)
        self._own = Ed25519PrivateKey.generate()

    def make(
        self, records: Sequence[ConsentRecord], now: dt.datetime, most_leaves: int
    ) -> list[dict[str, Any]]:
        """A receipt for each stored record; what was erased meanwhile has none.

        most_leaves: in all of them together; the last ones come first.
        Raises SlagboomError where the key that must sign is not in the folder, or a record, its
        notice or its chain was altered so that no receipt could be checked.
        """
        last = self._read_last()
        key = self._find_key(last)
        chains = {chain.number: chain for chain in self._store.evidence.chains()}
        made = []
        # Whoever has just chosen asks for that one.
        for record in reversed(records):
            if record.seq is None:
                continue
            opening = self._store.evidence.opening(record.seq)
            notice = self._store.notice(record.site, record.notice)
            if opening is None or notice is None:
                continue
            try:
                chain = chains[from_seq(record.seq)[0]]
                place, segment = self._follow(chain, record.seq, last, most_leaves)
                receipt = build_receipt(
                    record,
                    notice,
                    opening,
                    place=place,
                    segment=segment,
                    key=key,
                    now=now,
                )
            except BROKEN as error:
                message = (
                    f"record {record.seq} has no receipt: it, its notice or its chain was altered; "
                    "run `slagboom log verify`"
                )
                raise SlagboomError(message) from error
            if isinstance(segment, Segment):
                most_leaves -= len(segment.leaves)
            made.append(receipt)
        made.reverse()
        return made

    async def wait_for_checkpoint(self, records: Sequence[ConsentRecord]) -> None:
        """Has these stored records covered by a checkpoint, if it can be had within seconds.

        Raises StoreUnavailable, and SlagboomError where the last checkpoint cannot be read.
        """
        if self._checkpointer is not None:
            uncovered = await run_in_threadpool(self._find_uncovered, records)
            if uncovered:
                await self._checkpointer.wish(uncovered)

    def _find_uncovered(self, records: Sequence[ConsentRecord]) -> dict[bytes, int]:
        """The last position that no checkpoint covers yet, by its chain's name."""
        last = self._read_last()
        chains = {chain.number: chain.uid for chain in self._store.evidence.chains()}
        uncovered: dict[bytes, int] = {}
        for record in records:
            if record.seq is None:
                continue
            number, position = from_seq(record.seq)
            uid = chains[number]
            if last is None or _length(last, uid) < position:
                uncovered[uid] = max(position, uncovered.get(uid, 0))
        return uncovered

    def _read_last(self) -> Checkpoint | None:
        stored = self._store.evidence.last_checkpoint()
        return None if stored is None else read_checkpoint(stored.text)

    def _find_key(self, last: Checkpoint | None) -> Ed25519PrivateKey:
        if self._keys is None:
            return self._own
        if last is None:
            return self._keys.first()
        public = last.next_key or last.key
        key = self._keys.find(public)
        if key is None:
            message = f"no receipt can be signed: the key {public.hex()[:16]}… is not here; --keys"
            raise SlagboomError(message)
        return key

    def _follow(
        self, chain: Chain, seq: int, last: Checkpoint | None, most_leaves: int
    ) -> tuple[Place, Segment | str]:
        position = from_seq(seq)[1]
        checkpoint = self._find_checkpoint(chain.uid, position, last)
        end, segment = position, _NOT_YET
        if checkpoint is not None:
            end = _length(checkpoint, chain.uid)
        if end - position > most_leaves:
            end, checkpoint, segment = position, None, _TOO_LONG
        before = to_seq(chain.number, max(position - 1, 1))
        sealed = self._store.evidence.sealed(before, to_seq(chain.number, end))
        previous = begin_chain(chain.number, chain.uid, chain.started_at).head
        if position > 1:
            previous, sealed = sealed[0].hash, sealed[1:]
        _require_linked(previous, sealed, range(seq, to_seq(chain.number, end) + 1))
        place = Place(chain.uid, position, previous)
        if checkpoint is None:
            return place, segment
        return place, Segment([each.leaf for each in sealed if each.seq > seq], checkpoint.text)

    def _find_checkpoint(
        self, uid: bytes, position: int, last: Checkpoint | None
    ) -> Checkpoint | None:
        """The first checkpoint that covers a position; chains only grow, so halving finds it."""
        if last is None or _length(last, uid) < position:
            return None
        low, high, found = 1, last.number, last
        while low < high:
            middle = (low + high) // 2
            stored = self._store.evidence.checkpoint(middle)
            checkpoint = None if stored is None else read_checkpoint(stored.text)
            if checkpoint is not None and _length(checkpoint, uid) >= position:
                high, found = middle, checkpoint
            else:
                low = middle + 1
        return found


def _require_linked(previous: bytes, sealed: Sequence[Sealed], seqs: range) -> None:
    """Raises ValueError where a receipt over these records would not verify."""
    for seq, entry in zip_longest(seqs, sealed):
        if entry is None or entry.seq != seq or link(previous, entry.leaf) != entry.hash:
            raise ValueError(seq)
        previous = entry.hash


def _length(checkpoint: Checkpoint, uid: bytes) -> int:
    return next((head.length for head in checkpoint.heads if head.uid == uid), 0)
