"""A log of real notices, and receipts of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kit_samples import DATA, NOON
from log_samples import consent_id, decision_id, make_record

from slagboom_banner.load import read_policies
from slagboom_server.chain import Reason
from slagboom_server.checkpointer import CheckpointMaker
from slagboom_server.publishing import publish
from slagboom_server.receipts import Receipts
from slagboom_server.sites import build_site, read_sources
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from slagboom_server.checkpoint import Checkpoint
    from slagboom_server.record import ConsentRecord, OfferedNotice
    from slagboom_server.store_sql import SqlStore


@dataclass
class ReceiptLog:
    """A log of the site `acme`, and its keys."""

    url: str
    store: SqlStore
    folder: Path
    offer: OfferedNotice

    @property
    def chain(self) -> bytes:
        """The name of its only chain."""
        [chain] = self.store.evidence.chains()
        return chain.uid

    def append(self, first: int, last: int, **changes: Any) -> None:
        """Decisions with these numbers, a second apart."""
        second = dt.timedelta(seconds=1)
        self.store.append(
            [
                make_record(n, self.offer, NOON + n * second, **changes)
                for n in range(first, last + 1)
            ]
        )

    def checkpoint(self, minute: int) -> Checkpoint:
        made = CheckpointMaker(self.store.evidence, self.folder).make(
            NOON + dt.timedelta(minutes=minute)
        )
        assert made is not None
        return made

    def record(self, number: int) -> ConsentRecord:
        record = self.store.record(decision_id(number))
        assert record is not None
        return record

    def erase(self, number: int) -> None:
        assert self.store.retention.erase(consent_id(number), Reason.VISITOR, NOON) == 1

    def receipt(self, number: int, most_leaves: int = 1000) -> dict[str, Any]:
        receipts = Receipts(self.store, self.folder)
        [made] = receipts.make([self.record(number)], NOON, most_leaves)
        return made


def open_receipt_log(url: str, folder: Path) -> ReceiptLog:
    """Nine decisions with a checkpoint after each three, and one more."""
    store = open_store(url)
    site = build_site(read_policies(DATA)["acme"], read_sources())
    publish(store, site, "Ann", NOON)
    offer = site.notices[site.bundle.notices["nl"].digest]
    log = ReceiptLog(url, store, folder, offer)
    for minute in (1, 2, 3):
        log.append(minute * 3 - 2, minute * 3, anonymise_ip=True)
        log.checkpoint(minute)
    log.append(10, 10, granted={"statistics", "counter"})
    return log
