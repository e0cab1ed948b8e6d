"""A log with evidence for tests, and somebody with full rights on its database who tampers."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from log_samples import DOCUMENT, NOON, make_offer, make_record
from sqlalchemy import insert, select, text, update

from slagboom_server.chain import begin_chain, link
from slagboom_server.checkpoint_copy import CheckpointCopies
from slagboom_server.checkpointer import CheckpointMaker
from slagboom_server.engine import open_engine, parse_url, writing
from slagboom_server.erasures import NO_ERASURES, link_erasure
from slagboom_server.schema import chains, erasures, records, tombstones
from slagboom_server.sealed_rows import RowContexts, read_sealed
from slagboom_server.signing import SigningKeys
from slagboom_server.store_sql import open_store
from slagboom_server.verify import Verdict, Verification

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Executable

    from slagboom_server.chain_check import Fault
    from slagboom_server.checkpoint import Checkpoint
    from slagboom_server.record import OfferedNotice
    from slagboom_server.store_sql import SqlStore

MINUTE = dt.timedelta(minutes=1)


def published(site: str = "dsoft", **changes: Any) -> OfferedNotice:
    """An offer whose digest is really that of DOCUMENT."""
    text = json.dumps(DOCUMENT, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return make_offer(site, digest=sha256(text.encode()).hexdigest(), **changes)


@dataclass
class Log:
    """A log, its keys, and the store that writes it."""

    url: str
    folder: Path
    store: SqlStore

    def append(self, first: int, last: int) -> None:
        """Decisions with these numbers, a second apart."""
        offer = published()
        self.store.append(
            [make_record(n, offer, NOON + dt.timedelta(seconds=n)) for n in range(first, last + 1)]
        )

    def checkpoint(self, minute: int) -> Checkpoint:
        made = CheckpointMaker(self.store.evidence, self.folder).make(NOON + minute * MINUTE)
        assert made is not None
        return made

    def verify(
        self, *outside: Checkpoint, start: dict[bytes, tuple[int, bytes]] | None = None
    ) -> Verdict:
        """What `slagboom log verify` finds. outside: copies. start: see `Verification`."""
        verification = Verification(self.url, start or {})
        try:
            copies = [("the given file", copy) for copy in outside]
            verdict = verification.check_frame(SigningKeys(self.folder).public(), copies)
            verification.run(verdict, 1, lambda _: None)
        finally:
            verification.close()
        return verdict

    def check_counts(self) -> list[str]:
        """What `slagboom log verify --counts` finds of the counts."""
        verification = Verification(self.url, {})
        try:
            return verification.check_counts()
        finally:
            verification.close()

    def copies(self) -> list[Checkpoint]:
        log = self.store.evidence.chains()[0].uid
        return [copy for _, copy in CheckpointCopies(self.folder).all(log)]

    def tamper(self, *statements: Executable) -> None:
        """Runs statements past the kit."""
        engine = open_engine(parse_url(self.url))
        with writing(engine) as connection:
            if engine.name == "sqlite":
                connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            for statement in statements:
                connection.execute(statement)
        engine.dispose()

    def level_decisions(self) -> None:
        """Lets PostgreSQL's table of decisions say what the records do, as an attacker would."""
        if self.url.startswith("postgresql"):
            self.tamper(
                text("DELETE FROM decisions"),
                text(
                    "INSERT INTO decisions SELECT CAST(encode(decision_id, 'hex') AS uuid),"
                    " received_at FROM records"
                ),
            )

    def count_erasures(self) -> None:
        """Links all tombstones anew and counts them, as somebody who knows this program would."""
        engine = open_engine(parse_url(self.url))
        with writing(engine) as connection:
            head, length = NO_ERASURES.head, 0
            for row in connection.execute(select(tombstones).order_by(tombstones.c.number)):
                head = link_erasure(head, row.seq, row.hash, row.erased_at, row.reason)
                length += 1
            connection.execute(update(erasures).values(length=length, head=head))
        engine.dispose()

    def rewrite(self) -> None:
        """Computes every hash anew, as somebody who knows this program would."""
        engine = open_engine(parse_url(self.url))
        with writing(engine) as connection:
            chain = connection.execute(select(chains).where(chains.c.number == 0)).one()
            sealed = read_sealed(connection, RowContexts(connection), 1, chain.length)
            head = begin_chain(0, chain.uid, chain.started_at).head
            for seq, entry in sorted(sealed.items()):
                head = link(head, entry.leaf)
                same = records.c.seq == seq
                connection.execute(update(records).where(same).values(hash=head))
            connection.execute(
                update(chains).where(chains.c.number == 0).values(head=head, length=len(sealed))
            )
        engine.dispose()

    def renumber(self, first: int, step: int) -> None:
        """Moves the records from `first` on by one place, up or down."""
        engine = open_engine(parse_url(self.url))
        with writing(engine) as connection:
            order = records.c.seq.desc() if step > 0 else records.c.seq
            numbers = connection.scalars(
                select(records.c.seq).where(records.c.seq >= first).order_by(order)
            ).all()
            for seq in numbers:
                move = update(records).where(records.c.seq == seq)
                connection.execute(move.values(seq=seq + step))
        engine.dispose()

    def duplicate(self, seq: int, place: int, **changes: Any) -> None:
        """Puts a copy of a record somewhere."""
        engine = open_engine(parse_url(self.url))
        with writing(engine) as connection:
            row = connection.execute(select(records).where(records.c.seq == seq)).one()
            values = {**row._mapping, "seq": place, **changes}  # noqa: SLF001 -- its public name
            connection.execute(insert(records).values(values))
        engine.dispose()


def open_log(url: str, folder: Path) -> Log:
    """Thirty decisions, a checkpoint after each ten, two more decisions."""
    log = Log(url, folder, open_store(url))
    log.store.remember_notice(published(), DOCUMENT, NOON)
    for minute in (1, 2, 3):
        log.append(minute * 10 - 9, minute * 10)
        log.checkpoint(minute)
    log.append(31, 32)
    return log


def places(verdict: Verdict, *faults: Fault) -> list[int]:
    """The positions with one of these faults."""
    return [finding.position for finding in verdict.findings if finding.fault in faults]
