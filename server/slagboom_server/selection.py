"""A filter as conditions on the table of records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, ColumnElement, and_, false, or_

from slagboom_server.row import service_ids, to_ms
from slagboom_server.schema import ACTIONS, records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from slagboom_server.names import Names, Notices
    from slagboom_server.store import Answer, Filter


def conditions(
    connection: Connection, chosen: Filter, sites: Names, notices: Notices
) -> list[ColumnElement[bool]]:
    """What a row must fulfil."""
    required: list[ColumnElement[bool]] = []
    if chosen.site is not None:
        site_id = sites.find_id(connection, chosen.site)
        required.append(false() if site_id is None else records.c.site_id == site_id)
    if chosen.since is not None:
        required.append(records.c.received_at >= to_ms(chosen.since))
    if chosen.until is not None:
        required.append(records.c.received_at < to_ms(chosen.until))
    if chosen.action is not None:
        required.append(records.c.action == ACTIONS[chosen.action])
    if chosen.consent_id is not None:
        required.append(records.c.consent_id == chosen.consent_id.bytes)
    if chosen.purpose is not None:
        offers = notices.load(connection)
        orders = {number: offer.purposes for number, offer in offers.items()}
        required.append(_answered(chosen.purpose, records.c.choices, orders))
    if chosen.service is not None:
        offers = notices.load(connection)
        orders = {number: service_ids(offer) for number, offer in offers.items()}
        required.append(_answered(chosen.service, records.c.services, orders))
    return required


def _answered(
    answer: Answer, bits: Column[int], orders: Mapping[int, Sequence[str]]
) -> ColumnElement[bool]:
    """One bit stands for the same name only within notices of the same order."""
    notices_by_position: dict[int, list[int]] = {}
    for number, order in orders.items():
        if answer.id in order:
            notices_by_position.setdefault(order.index(answer.id), []).append(number)
    return or_(
        false(),
        *(
            and_(
                records.c.notice_id.in_(numbers),
                (bits.bitwise_and(1 << position) != 0) == answer.granted,
            )
            for position, numbers in notices_by_position.items()
        ),
    )
