"""The checkpoints of a log checked one by one, and against the copies that lie outside."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, TypeGuard

from slagboom_banner.errors import SlagboomError
from slagboom_server.chain_check import LATEST_MS
from slagboom_server.checkpoint import Checkpoint, read_checkpoint
from slagboom_server.row import from_ms
from slagboom_server.timestamp import find_fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cryptography import x509

    from slagboom_server.evidence import Evidence, StoredCheckpoint

Heads = dict[bytes, dict[int, tuple[bytes, int]]]
"""By the chain's public name: by position the hash, and the checkpoint that says so."""


@dataclass(slots=True)
class Checked:
    """What the checkpoints come to. problems: one line each. last: the newest one.

    published: by its digest each list of publications that was signed, and which checkpoint signed
    it first, in their order. erased: by the number of erasures their link, and which checkpoint
    signed it first. stamped: time-stamps an authority that is believed has signed.
    unchecked_stamps: those whose authority is not looked at, for no authority was named.
    """

    problems: list[str] = field(default_factory=list)
    heads: Heads = field(default_factory=dict)
    published: dict[bytes, str] = field(default_factory=dict)
    erased: dict[int, tuple[bytes, str]] = field(default_factory=dict)
    last: Checkpoint | None = None
    count: int = 0
    stamped: int = 0
    unchecked_stamps: int = 0

    def add(self, checkpoint: Checkpoint) -> None:
        """Remembers what a checkpoint says; the first word on a place of a chain counts."""
        if checkpoint.published is not None:
            self.published.setdefault(checkpoint.published, describe(checkpoint))
        if checkpoint.erased is not None:
            length, link = checkpoint.erased.length, checkpoint.erased.head
            known, who = self.erased.setdefault(length, (link, describe(checkpoint)))
            if known != link:
                self.problems.append(
                    f"{describe(checkpoint)} has signed other {length:,} erasures than {who}: the "
                    "row that counts them, or a tombstone, was altered in between"
                )
        for head in checkpoint.heads:
            place = self.heads.setdefault(head.uid, {})
            place.setdefault(head.length, (head.hash, checkpoint.number))


def describe(checkpoint: Checkpoint) -> str:
    """A checkpoint's number and time, for a message."""
    if checkpoint.made_at >= LATEST_MS:
        return f"checkpoint {checkpoint.number} of no known date"
    time = from_ms(checkpoint.made_at).isoformat(timespec="seconds").replace("+00:00", "Z")
    return f"checkpoint {checkpoint.number} of {time}"


def count(number: int, noun: str) -> str:
    """So many of something, for a message."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def check_checkpoints(
    evidence: Evidence,
    trusted: frozenset[bytes],
    outside: Sequence[tuple[str, Checkpoint]],
    roots: Sequence[x509.Certificate],
) -> Checked:
    """Every checkpoint of the database, then what was kept outside.

    trusted: raw public keys known from outside the database. outside: copies and where they lie.
    roots: certificates of time-stamping authorities; without any their signatures are not checked.
    """
    checked = Checked()
    known = set(trusted)
    copies: dict[int, list[tuple[str, Checkpoint]]] = {}
    for where, copy in outside:
        copies.setdefault(copy.number, []).append((where, copy))
    stamps = {stamp.checkpoint: stamp for stamp in evidence.timestamps()}
    for stored in evidence.checkpoints():
        checkpoint = _check_one(checked, stored, known)
        if checkpoint is None:
            continue
        for where, copy in copies.pop(checkpoint.number, []):
            if copy.digest != checkpoint.digest:
                checked.problems.append(
                    f"{describe(checkpoint)} is not the one in {where}: it was replaced, or an "
                    "older copy of the database was put in its place and went on"
                )
                checked.add(copy)
        stamp = stamps.pop(checkpoint.number, None)
        if stamp is not None:
            fault = find_fault(stamp, checkpoint, roots)
            if roots:
                checked.stamped += fault is None
            else:
                checked.unchecked_stamps += fault is None
            if fault is not None:
                checked.problems.append(f"the time-stamp of {describe(checkpoint)} {fault}")
        checked.add(checkpoint)
        checked.last = checkpoint
        checked.count += 1
    checked.problems += [
        f"there is a time-stamp of checkpoint {number}, and no such checkpoint" for number in stamps
    ]
    _check_outside(checked, known, [pair for pairs in copies.values() for pair in pairs])
    return checked


def _check_one(checked: Checked, stored: StoredCheckpoint, known: set[bytes]) -> Checkpoint | None:
    """One checkpoint; None where it cannot be read at all."""
    told = f"checkpoint {stored.number}"
    if not is_text(stored.text):
        checked.problems.append(f"{told} was altered: it is no text in UTF-8")
        return None
    try:
        checkpoint = read_checkpoint(stored.text)
    except SlagboomError as error:
        checked.problems.append(f"{told} {error}")
        return None
    told = describe(checkpoint)
    last = checked.last
    expected = (1, None) if last is None else (last.number + 1, last.digest)
    if (checkpoint.number, stored.number) != (expected[0], expected[0]):
        checked.problems.append(f"{told} comes where number {expected[0]} should: one was removed")
    elif checkpoint.previous != expected[1]:
        checked.problems.append(f"{told} does not follow from the one before it: one was replaced")
    if stored.digest != sha256(stored.text.encode()).digest():
        checked.problems.append(f"{told} was altered: its digest is another")
    if not checkpoint.is_signed():
        checked.problems.append(f"{told} was altered: its signature is wrong")
    elif checkpoint.key not in known:
        known.add(checkpoint.key)  # said once
        checked.problems.append(
            f"{told} is signed by a key nobody here vouches for ({checkpoint.key.hex()[:16]}…): "
            "it was replaced, or the folder of keys is not this log's; see --keys"
        )
    elif last is not None and checkpoint.key != (last.next_key or last.key):
        checked.problems.append(f"{told} is signed by a key the one before it does not name")
    elif checkpoint.next_key is not None:
        known.add(checkpoint.next_key)
    return checkpoint


def _check_outside(
    checked: Checked, known: set[bytes], left: Iterable[tuple[str, Checkpoint]]
) -> None:
    """Copies the database has no checkpoint for."""
    for where, copy in left:
        if not copy.is_signed() or copy.key not in known:
            checked.problems.append(f"{where}: its signature is not by a key known here")
            continue
        checked.problems.append(
            f"{describe(copy)}, kept in {where}, is not in the database: the newest checkpoints "
            "were removed, or an older copy of the database was put in its place"
        )
        checked.add(copy)


def check_notices(notices: Iterable[tuple[object, object]]) -> list[str]:
    """Problems of published notices. notices: digest and document as stored."""
    problems = []
    for digest, document in notices:
        if not is_text(document) or _digest_notice(document) != digest:
            told = name_digest(digest)
            problems.append(f"notice {told} was altered: its text has another digest")
    return problems


def _digest_notice(document: str) -> bytes:
    try:
        canonical = json.dumps(
            json.loads(document), ensure_ascii=False, sort_keys=True, separators=(",", ":")
        ).encode()
    except (ValueError, RecursionError):
        canonical = document.encode()
    return sha256(canonical).digest()


def is_text(stored: object) -> TypeGuard[str]:
    """Whether what stands in the place of a text is one, in UTF-8."""
    if not isinstance(stored, str):
        return False
    try:
        stored.encode()
    except UnicodeEncodeError:
        return False
    return True


def name_digest(stored: object) -> str:
    """What stands in the place of a digest, for a message."""
    return stored.hex() if isinstance(stored, bytes) else repr(stored)
