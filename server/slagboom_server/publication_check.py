"""Publications checked: each by itself, one after the other, and against what checkpoints signed.

A publication holds the digest of the one before it and of all it names. So the newest one that a
checkpoint has signed vouches for every one before it, and for their texts and notices.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from slagboom_server.checkpoint_check import is_text, name_digest
from slagboom_server.export import format_time
from slagboom_server.publication import digest, read_newest
from slagboom_server.row import from_ms
from slagboom_server.schema import contents, notices, publications, sites
from slagboom_server.sealed_rows import BROKEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection

    from slagboom_server.row import AnyRow

Digests = dict[str, dict[int, str]]
"""By site and number the digest of what stands there as a publication."""


@dataclass(slots=True)
class PublicationCheck:
    """What publications come to. problems: one line each. unsigned: newer than any signed list."""

    problems: list[str] = field(default_factory=list)
    count: int = 0
    unsigned: int = 0


def check_publications(connection: Connection, signed: Mapping[bytes, str]) -> PublicationCheck:
    """Every publication and what it names.

    signed: lists of publications by their digest, with the first checkpoint that signed each, in
    the order of checkpoints.
    """
    check = PublicationCheck()
    texts = _check_texts(connection, check)
    digests: Digests = {}
    query = select(sites.c.name, publications).join_from(publications, sites)
    for row in connection.execute(query.order_by(sites.c.name, publications.c.number)):
        if not isinstance(row.number, int):
            check.problems.append(f"publication {row.number!r} of {row.name} has no number")
            continue
        own = digests.setdefault(row.name, {})
        made = digest(row.text) if is_text(row.text) else ""
        if made and bytes.fromhex(made) == row.digest:
            try:
                described = json.loads(row.text)
                lacks = _find_lacks(connection, row.site_id, described["served"], texts)
                faults = [*_find_faults(row, described, own), *lacks]
            except BROKEN:
                faults = ["was altered: its text is no publication"]
        else:
            faults = ["was altered: its text has another digest"]
        check.problems += [f"publication {row.number} of {row.name} {fault}" for fault in faults]
        own[row.number] = made
        check.count += 1
    known = select(sites.c.id)
    for row in connection.execute(select(publications).where(publications.c.site_id.not_in(known))):
        check.problems.append(
            f"publication {row.number} of site {row.site_id}: there is no such site"
        )
    newest = _check_signed(connection, check, signed, digests)
    check.unsigned = sum(
        number > newest.get(site, 0) for site, own in digests.items() for number in own
    )
    return check


def _check_texts(connection: Connection, check: PublicationCheck) -> frozenset[bytes]:
    """The digests of all texts that are kept; notes those that are not what they were."""
    kept = set()
    for row in connection.execute(select(contents)):
        kept.add(row.digest)
        if not is_text(row.text) or bytes.fromhex(digest(row.text)) != row.digest:
            told = name_digest(row.digest)
            check.problems.append(f"text {told} of a publication was altered")
    return frozenset(kept)


def _find_faults(
    row: AnyRow, described: Mapping[str, Any], before: Mapping[int, str]
) -> Iterator[str]:
    """What is wrong with a publication itself.

    described: what its text says. before: the digests of its site's earlier ones.
    """
    says = {**described, "revision": described["served"]["revision"]}
    for name, value in (
        ("site", row.name),
        ("number", row.number),
        ("published_at", format_time(from_ms(row.published_at))),
        ("revision", row.revision),
    ):
        if says[name] != value:
            yield f"was altered or moved: its {name} is {value}, but its text says {says[name]}"
    expected = max(before, default=0) + 1
    if row.number != expected:
        yield f"comes where number {expected} should: one was removed"
    elif described["previous"] != before.get(expected - 1):
        yield "does not follow from the one before it"


def _find_lacks(
    connection: Connection, site_id: int, served: Mapping[str, Any], texts: frozenset[bytes]
) -> Iterator[str]:
    """What a publication serves and the log does not have any more."""
    named = {
        "policy": served["policy"],
        "style sheet": served["style"],
        **{f"first layer in {name}": key for name, key in served["first_layers"].items()},
    }
    for what, key in named.items():
        if bytes.fromhex(key) not in texts:
            yield f"has lost its {what}: text {key} was removed"
    shown = {bytes.fromhex(key): language for language, key in served["notices"].items()}
    same = (notices.c.site_id == site_id, notices.c.digest.in_(shown))
    kept = {bytes(found) for found in connection.scalars(select(notices.c.digest).where(*same))}
    for key, language in shown.items():
        if key not in kept:
            yield f"has lost its notice in {language}: {key.hex()} was removed"


def _check_signed(
    connection: Connection, check: PublicationCheck, signed: Mapping[bytes, str], digests: Digests
) -> dict[str, int]:
    """Holds what is there against what was signed; by site the newest number that was."""
    query = select(contents.c.digest, contents.c.text).where(contents.c.digest.in_(signed))
    lists = {bytes(row.digest): row.text for row in connection.execute(query)}
    newest: dict[str, int] = {}
    rewritten: set[str] = set()
    for key, checkpoint in signed.items():
        if key not in lists:
            check.problems.append(f"the list of publications that {checkpoint} signed was removed")
        elif is_text(lists[key]) and bytes.fromhex(digest(lists[key])) == key:
            for site, number, made in read_newest(lists[key]):
                own, last = digests.get(site, {}), newest.get(site, 0)
                newest[site] = max(number, last)
                if number > max(last, *own, 0):
                    check.problems.append(
                        f"publication {number} of {site}, which {checkpoint} signed, was removed"
                    )
                elif own.get(number, made.hex()) != made.hex() and site not in rewritten:
                    rewritten.add(site)
                    check.problems.append(
                        f"publication {number} of {site} is not the one {checkpoint} signed: it, "
                        "or one before it, was altered, exchanged, removed or put in"
                    )
    return newest
