"""The whole log checked against itself, its checkpoints and what lies outside the database.

Chains are cut into stretches, which any number of processes check side by side, each through
connections of its own; the kit may serve meanwhile, for what is appended after the start is left to
the next time. Progress is written down beside the keys, so that a check can be taken up again.
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, false, not_, or_, select

from slagboom_server.chain import Chain, to_seq
from slagboom_server.chain_check import Fault, Finding, Stretch, check_stretch, hash_at
from slagboom_server.checkpoint_check import Checked, Heads, check_checkpoints, check_notices
from slagboom_server.engine import open_engine, parse_url, reading
from slagboom_server.evidence_sql import SqlEvidence
from slagboom_server.publications_sql import check_publications
from slagboom_server.schema import chains, notices, records, tombstones
from slagboom_server.sealed_rows import RowContexts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from cryptography import x509
    from sqlalchemy import Engine

    from slagboom_server.checkpoint import Checkpoint

STRETCH: Final = 5_000
"""Records in one reading transaction, a few megabytes."""

_BATCH: Final = 8
"""Stretches in one task of another process."""

Task = tuple[Chain, list[Stretch], dict[int, tuple[bytes, int]]]


@dataclass(slots=True)
class Verdict:
    """What a verification found. records: places of chains that were checked, erased ones too."""

    checkpoints: Checked
    problems: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    faults: int = 0
    records: int = 0
    erased: int = 0

    @property
    def is_good(self) -> bool:
        """Whether nothing was found."""
        return not (self.problems or self.faults or self.checkpoints.problems)


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
            verdict.problems += check_publications(connection)
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
        tasks = self._tasks(heads)
        stretches: Iterable[list[Stretch]]
        if processes == 1:
            stretches = (_check_task(self._engine, task) for task in tasks)
            self._collect(verdict, stretches, advance)
        else:
            # A fresh interpreter: a copy of this one would share its connections.
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(processes, context, _open_worker, (self._url,)) as pool:
                self._collect(verdict, _in_order(pool, tasks, 2 * processes), advance)
        self._check_ends(verdict)

    def _tasks(self, heads: Heads) -> Iterator[Task]:
        for chain in self.chains:
            signed = heads.get(chain.uid, {})
            firsts = range(self._first(chain), chain.length + 1, STRETCH)
            all_stretches = (
                Stretch(chain.number, first, min(first + STRETCH - 1, chain.length))
                for first in firsts
            )
            while batch := list(itertools.islice(all_stretches, _BATCH)):
                first, last = batch[0].first, batch[-1].last
                near = {place: head for place, head in signed.items() if first <= place <= last}
                yield chain, batch, near

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
            now = connection.execute(select(chains.c.number, chains.c.length)).all()
            for table in (records, tombstones):
                inside = or_(
                    false(),
                    *(
                        and_(
                            table.c.seq >= to_seq(row.number, 1),
                            table.c.seq <= to_seq(row.number, row.length),
                        )
                        for row in now
                    ),
                )
                query = select(table.c.seq).where(not_(inside)).limit(10)
                strangers = connection.scalars(query).all()
                verdict.problems += [
                    f"{table.name} has number {seq}, which belongs to no chain: it was inserted, "
                    "or the chain cut off"
                    for seq in strangers
                ]


def _check_task(engine: Engine, task: Task) -> list[Stretch]:
    chain, stretches, heads = task
    contexts: RowContexts | None = None
    for stretch in stretches:
        # A transaction for each: a long one would keep the database from tidying up.
        with reading(engine) as connection:
            # Everything to check was there before this task began, and so were its names.
            contexts = contexts or RowContexts(connection)
            check_stretch(connection, contexts, chain, stretch, heads)
    return stretches


_worker: dict[str, Engine] = {}
"""The engine of a process of the pool, which has nothing else to hold it."""


def _open_worker(database_url: str) -> None:
    _worker["engine"] = open_engine(parse_url(database_url))


def _work(task: Task) -> list[Stretch]:
    return _check_task(_worker["engine"], task)


def _in_order(
    pool: ProcessPoolExecutor, tasks: Iterator[Task], ahead: int
) -> Iterator[list[Stretch]]:
    """Results in the order of the tasks, of which only a few wait at a time."""
    waiting: list[Future[list[Stretch]]] = []
    for task in tasks:
        waiting.append(pool.submit(_work, task))
        if len(waiting) >= ahead:
            yield waiting.pop(0).result()
    for future in waiting:
        yield future.result()


def read_progress(file: Path) -> dict[bytes, tuple[int, bytes]]:
    """Where an earlier verification stands; empty where there is none that can be read."""
    try:
        saved: dict[str, Any] = json.loads(file.read_text("ascii"))
        return {
            bytes.fromhex(uid): (int(position), bytes.fromhex(head))
            for uid, (position, head) in saved.items()
        }
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def write_progress(file: Path, done: Mapping[bytes, tuple[int, bytes]]) -> None:
    """Writes down where a verification stands."""
    saved = {uid.hex(): [position, head.hex()] for uid, (position, head) in done.items()}
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(saved), "ascii")
    draft.replace(file)
