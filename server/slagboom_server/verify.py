"""The whole log checked against itself, its checkpoints and what lies outside the database.

Chains are cut into stretches, which any number of processes check side by side (`verify_tasks`);
the kit may serve meanwhile, for what is appended after the start is left to the next time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sqlalchemy import or_, select

from slagboom_server.chain import Chain, to_seq
from slagboom_server.chain_check import Fault, Finding, Stretch, check_stretch, hash_at
from slagboom_server.checkpoint_check import Checked, check_checkpoints, check_notices
from slagboom_server.engine import open_engine, parse_url, reading
from slagboom_server.evidence_sql import SqlEvidence
from slagboom_server.publication_check import PublicationCheck, check_publications
from slagboom_server.schema import chains, notices, records, tombstones
from slagboom_server.sealed_rows import RowContexts
from slagboom_server.verify_tasks import check_side_by_side, split_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from cryptography import x509

    from slagboom_server.checkpoint import Checkpoint
    from slagboom_server.row import AnyRow


_LENGTHS: Final = select(chains.c.number, chains.c.length).order_by(chains.c.number)
_OUTSIDE: Final = 1 << 62
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


class Verification:
    """One verification of one log. Its parts are called in order: `check_frame`, then `run`.

    start: by a chain's public name the position and hash that are taken as checked already.
    """

    def __init__(self, database_url: str, start: Mapping[bytes, tuple[int, bytes]]) -> None:
        self._url = database_url
        self._engine = open_engine(parse_url(database_url))
        self._evidence = SqlEvidence(self._engine)
        self._start = start
        self._rewritten: set[int] = set()
        self.chains: Sequence[Chain] = self._evidence.chains()
        self.done: dict[bytes, tuple[int, bytes]] = dict(start)

    def close(self) -> None:
        """Lets go of every connection."""
        self._engine.dispose()

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
        with reading(self._engine) as connection:
            # The words of a notice may go once no record refers to it.
            is_kept = or_(notices.c.document != "", notices.c.id.in_(select(records.c.notice_id)))
            shown = connection.execute(select(notices.c.digest, notices.c.document).where(is_kept))
            verdict.problems += check_notices((row.digest, row.document) for row in shown)
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
        results = check_side_by_side(self._engine, self._url, tasks, processes)
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

    def _check_ends(self, verdict: Verdict) -> None:
        """Whether each chain ends where it says, and nothing stands outside of the chains."""
        with reading(self._engine) as connection:
            contexts = RowContexts(connection)
            for chain in self.chains:
                if chain.length:
                    end = Stretch(chain.number, chain.length, chain.length)
                    check_stretch(connection, contexts, chain, end, {chain.length: (chain.head, 0)})
                    if any(finding.fault is Fault.REWRITTEN for finding in end.findings):
                        verdict.problems.append(
                            f"chain {chain.uid.hex()} does not end with the hash it says"
                        )
            # Read again, for what was appended meanwhile is no stranger.
            gaps = list(_gaps(connection.execute(_LENGTHS).all()))
            for table in (records, tombstones):
                strangers = [
                    seq
                    for after, before in gaps
                    for seq in connection.scalars(
                        select(table.c.seq)
                        .where(table.c.seq > after, table.c.seq < before)
                        .limit(_STRANGERS)
                    )
                ]
                verdict.problems += [
                    f"{table.name} has number {seq}, which belongs to no chain: it was inserted, "
                    "or the chain cut off"
                    for seq in strangers[:_STRANGERS]
                ]


def _gaps(lengths: Iterable[AnyRow]) -> Iterator[tuple[int, int]]:
    """What lies between the numbers of chains: ranges, so that no row of a chain is read for it."""
    after = -_OUTSIDE
    for row in lengths:
        yield after, to_seq(row.number, 1)
        after = to_seq(row.number, row.length)
    yield after, _OUTSIDE
