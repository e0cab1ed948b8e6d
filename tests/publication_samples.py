"""Publications for tests, in a log with evidence."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

from evidence_samples import published
from log_samples import DOCUMENT, NOON, make_offer

from slagboom_server.publication import Served, digest, to_canonical

if TYPE_CHECKING:
    from evidence_samples import Log

DAY = dt.timedelta(days=1)
DOCUMENTS: list[dict[str, Any]] = [{**DOCUMENT, "number": number} for number in (1, 2)]
NOTICES = [digest(to_canonical(document)) for document in DOCUMENTS]
FIRST = Served(
    site="dsoft",
    revision=1,
    kit="1.0",
    policy='{"policy":"één"}',
    style="#slagboom{}",
    first_layers={"nl": "<section>"},
    notices={"nl": NOTICES[0]},
    scripts={"gate.js": "b" * 64, "choice-1.js": digest("choice()")},
    parts={"choice-1.js": "choice()"},
)


def change(**changes: Any) -> Served:
    return dataclasses.replace(FIRST, **changes)


def fill(log: Log) -> None:
    """A decision and three publications of one site, a checkpoint after the first and the last;
    one publication of another site."""
    store = log.store
    store.remember_notice(published(), DOCUMENT, NOON)
    for site in ("dsoft", "kresoft"):
        for notice, document in zip(NOTICES, DOCUMENTS, strict=True):
            store.remember_notice(make_offer(site, digest=notice), document, NOON)
    log.append(1, 1)
    store.publications.add(FIRST, "Ann", NOON)
    log.checkpoint(1)
    store.publications.add(change(style="other{}"), "Ben", NOON + DAY)
    again = change(revision=2, notices={"nl": NOTICES[1]})
    store.publications.add(again, "Ann", NOON + 2 * DAY)
    store.publications.add(change(site="kresoft"), "Ann", NOON)
    log.checkpoint(2)
