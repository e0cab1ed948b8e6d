"""The whole log checked against itself, its checkpoints and what lies outside the database.

Chains are cut into stretches, which any number of processes check side by side (`verify_tasks`);
the kit may serve meanwhile, for what is appended after the start is left to the next time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, or_, select

from slagboom_server.chain import Chain, from_seq, to_seq
from slagboom_server.chain_check import (
    LATEST_MS,
    Fault,
    Finding,
    Stretch,
    check_stretch,
    fetch_stretch,
    hash_at,
)
from slagboom_server.chain_rows import check_decisions, check_doubles, check_names, read_chains
from slagboom_server.checkpoint_check import Checked, check_checkpoints, check_notices
from slagboom_server.count_check import check_counts
from slagboom_server.engine import reading, snapshot
from slagboom_server.erasure_check import check_erasures
from slagboom_server.evidence_sql import SqlEvidence
from slagboom_server.publication_check import PublicationCheck, check_publications
from slagboom_server.row import to_ms
from slagboom_server.schema import notices, records, tombstones
from slagboom_server.sealed_rows import RowContexts, find_mistyped
from slagboom_server.verify_tasks import check_side_by_side, open_reader, split_chain

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from cryptography import x509
    from sqlalchemy import Connection

    from slagboom_server.checkpoint import Checkpoint
    from slagboom_server.evidence import StoredCheckpoint


_LOWEST: Final = -(1 << 63)
_LATE_MS: Final = 600_000
"""A checkpoint that is not made within this time is none that is only late."""

_FRESH_MS: Final = 120_000
"""What is younger may wait for its checkpoint: a server makes its first after a minute."""

_STRANGERS: Final = 10
"""Rows outside of all chains that are told."""


@dataclass(slots=True)
class Verdict:
    """What a verification found. records: places of chains that were checked, erased ones too."""

    checkpoints: Checked
    publications: PublicationCheck = field(default_factory=PublicationCheck)
    problems: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    faults: int = 0
    records: int = 0
    erased: int = 0

    @property
    def told(self) -> list[str]:
        """What is wrong beside single places of chains, one line each."""
        return [*self.checkpoints.problems, *self.publications.problems, *self.problems]

    @property
    def is_good(self) -> bool:
        """Whether nothing was found."""
        return not (self.faults or self.told)


@dataclass(frozen=True, slots=True)
class Uncovered:
    """Records that no checkpoint covers, though one should: times in ms since 1970."""

    count: int
    first_at: int
    last_at: int


class Verification:
    """One verification of one log. Its parts are called in order: `check_frame`, then `run`.

    start: by a chain's public name the position and hash that are taken as checked already.
    """

    def __init__(self, database_url: str, start: Mapping[bytes, tuple[int, bytes]]) -> None:
        self._engine = open_reader(database_url)
        self._evidence = SqlEvidence(self._engine)
        self._start = start
        self._rewritten: set[int] = set()
        self._unsound: list[str] = []
        with reading(self._engine) as connection:
            self.chains: Sequence[Chain] = read_chains(connection, self._unsound)
        self.done: dict[bytes, tuple[int, bytes]] = dict(start)

    def close(self) -> None:
        """Lets go of every connection."""
        self._engine.dispose()

    def last_checkpoint(self) -> StoredCheckpoint | None:
        """The newest checkpoint of the database as it stands there."""
        return self._evidence.last_checkpoint()

    @property
    def total(self) -> int:
        """Places of chains to check."""
        return sum(chain.length - self._first(chain) + 1 for chain in self.chains)

    def _first(self, chain: Chain) -> int:
        return min(self._start.get(chain.uid, (0, b""))[0], chain.length) + 1

    def check_frame(
        self,
        trusted: frozenset[bytes],
        outside: Sequence[tuple[str, Checkpoint]],
        roots: Sequence[x509.Certificate] = (),
    ) -> Verdict:
        """Checkpoints, notices, and whether every chain is there and no shorter than signed."""
        checked = check_checkpoints(self._evidence, trusted, outside, roots)
        verdict = Verdict(checked)
        verdict.problems += self._unsound
        with reading(self._engine) as connection:
            # The words of a notice may go once no record refers to it.
            is_kept = or_(notices.c.document != "", notices.c.id.in_(select(records.c.notice_id)))
            shown = connection.execute(select(notices.c.digest, notices.c.document).where(is_kept))
            verdict.problems += check_notices((row.digest, row.document) for row in shown)
            verdict.problems += check_names(connection)
            verdict.publications = check_publications(connection, checked.published)
        by_uid = {chain.uid: chain for chain in self.chains}
        for uid, heads in checked.heads.items():
            longest = max(heads)
            chain = by_uid.get(uid)
            length = 0 if chain is None else chain.length
            if length < longest:
                verdict.problems.append(
                    f"chain {uid.hex()} ends at {length}; checkpoint {heads[longest][1]} has "
                    f"signed {longest} records: {longest - length} were cut off"
                )
        verdict.problems += self._check_start(by_uid)
        return verdict

    def _check_start(self, by_uid: Mapping[bytes, Chain]) -> list[str]:
        """Whether the chains still lead to where this verification begins."""
        problems = []
        with reading(self._engine) as connection:
            contexts = RowContexts(connection)
            for uid, (position, head) in self._start.items():
                chain = by_uid.get(uid)
                known = chain and hash_at(connection, contexts, chain, position)
                if position and known != head:
                    problems.append(
                        f"chain {uid.hex()} is another one up to {position}: verify it from its "
                        "beginning, without --resume and --since-checkpoint"
                    )
        return problems

    def run(self, verdict: Verdict, processes: int, advance: Callable[[int], None]) -> None:
        """Checks every record. processes: 1 stays in this one. advance: told of records checked."""
        heads = verdict.checkpoints.heads
        tasks = (
            task
            for chain in self.chains
            for task in split_chain(chain, self._first(chain), heads.get(chain.uid, {}))
        )
        results = check_side_by_side(self._engine, tasks, processes)
        self._collect(verdict, results, advance)
        self._check_ends(verdict)

    def _collect(
        self,
        verdict: Verdict,
        results: Iterable[list[Stretch]],
        advance: Callable[[int], None],
    ) -> None:
        uids = {chain.number: chain.uid for chain in self.chains}
        for stretches in results:
            for stretch in stretches:
                verdict.records += stretch.last - stretch.first + 1
                verdict.erased += stretch.erased
                self._add(verdict, stretch)
                if stretch.head is not None and not verdict.faults:
                    self.done[uids[stretch.number]] = (stretch.last, stretch.head)
                advance(stretch.last - stretch.first + 1)

    def _add(self, verdict: Verdict, stretch: Stretch) -> None:
        verdict.faults += stretch.faults
        for finding in stretch.findings:
            # Once rewritten, a chain differs from every later checkpoint as well.
            if finding.fault is Fault.REWRITTEN:
                if finding.number in self._rewritten:
                    verdict.faults -= 1
                    continue
                self._rewritten.add(finding.number)
            verdict.findings.append(finding)

    def _check_rest(self, verdict: Verdict, connection: Connection) -> None:
        """What no chain tells: values of another type, and what is kept beside the records."""
        told = {(finding.number, finding.position) for finding in verdict.findings}
        for seq in find_mistyped(connection):
            place = from_seq(seq)
            if place not in told:
                verdict.faults += 1
                verdict.findings.append(Finding(Fault.ALTERED, *place))
        verdict.problems += check_doubles(connection)
        if self._engine.name == "postgresql":
            with snapshot(self._engine) as still:
                verdict.problems += check_decisions(still)
        verdict.problems += check_erasures(connection, verdict.checkpoints.erased)

    def find_uncovered(self, checked: Checked, now: dt.datetime) -> Uncovered | None:
        """Records that a checkpoint should cover and none does; None where there are none.

        While it serves, the kit makes a checkpoint within a minute, over every chain. So where one
        record follows another after ten minutes, neither covered nor fresh, checkpoints were
        removed, or could not be made. A server that was killed leaves a minute at most behind, and
        one that has just started may have none yet: both are left alone.
        """
        count, times, ripe = 0, [], min(to_ms(now) - _FRESH_MS, LATEST_MS)
        with reading(self._engine) as connection:
            for chain in self.chains:
                heads = checked.heads.get(chain.uid, {})
                covered = max((place for place in heads if place <= chain.length), default=0)
                count += chain.length - covered
                first, last = to_seq(chain.number, covered + 1), to_seq(chain.number, chain.length)
                times += _times_between(connection, first, last, ripe)
        if not times or max(times) - min(times) < _LATE_MS:
            return None
        return Uncovered(count, min(times), max(times))

    def check_counts(self) -> list[str]:
        """What the counts beside the log say that its records do not; see `count_check`."""
        return check_counts(self._engine)

    def _check_ends(self, verdict: Verdict) -> None:
        """Whether each chain ends where it says, and nothing stands outside of the chains."""
        with reading(self._engine) as connection:
            contexts = RowContexts(connection)
            for chain in self.chains:
                if chain.length:
                    end = Stretch(chain.number, chain.length, chain.length)
                    rows, said = fetch_stretch(connection, end), {chain.length: (chain.head, 0)}
                    check_stretch(connection, contexts, chain, end, rows, said)
                    if any(finding.fault is Fault.REWRITTEN for finding in end.findings):
                        verdict.problems.append(
                            f"chain {chain.uid.hex()} does not end with the hash it says"
                        )
            self._check_rest(verdict, connection)
            # Read again, for what was appended meanwhile is no stranger.
            gaps = list(_gaps(connection))
            for table in (records, tombstones):
                strangers = [
                    seq
                    for after, before in gaps
                    for seq in connection.scalars(
                        select(table.c.seq)
                        .where(table.c.seq.between(after, before))
                        .limit(_STRANGERS)
                    )
                ]
                verdict.problems += [
                    f"{table.name} has number {seq}, which belongs to no chain: it was inserted, "
                    "or the chain cut off"
                    for seq in strangers[:_STRANGERS]
                ]


def _gaps(connection: Connection) -> Iterator[tuple[int, int]]:
    """What lies between the numbers of chains: ranges, so that no row of a chain is read for it."""
    after = _LOWEST
    for chain in read_chains(connection, []):
        yield after, to_seq(chain.number, 0)
        after = to_seq(chain.number, chain.length) + 1
    yield after, -_LOWEST - 1


def _times_between(connection: Connection, first: int, last: int, until: int) -> list[int]:
    """The first and the last time of receipt among some records. until: ms since 1970."""
    time = records.c.received_at
    query = select(func.min(time), func.max(time)).where(records.c.seq.between(first, last))
    found = connection.execute(query.where(time.between(0, until))).one()
    return [each for each in found if isinstance(each, int)]
