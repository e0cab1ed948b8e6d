"""The first layer as a visitor saw it, out of what the log keeps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from slagboom_banner.drawing import draw_first_layer, from_data
from slagboom_banner.errors import SlagboomError
from slagboom_banner.model import Layer, Look
from slagboom_banner.snapshot import Snapshot
from slagboom_banner.styles import style_first_layer
from slagboom_server.export import format_time
from slagboom_server.publication import find_publication, in_force
from slagboom_server.sites import read_sources

if TYPE_CHECKING:
    from uuid import UUID

    from slagboom_server.publication import Publication
    from slagboom_server.record import ConsentRecord
    from slagboom_server.store import Store, StoredNotice

_NOT_KEPT: Final = "not kept with this notice: drawn by this version of Slagboom, in its theme"


def render_record(store: Store, decision_id: UUID) -> Snapshot:
    """The first layer in front of one decision. Raises SlagboomError where there is none."""
    record = store.record(decision_id)
    if record is None:
        message = f"{decision_id}: no such decision in this log"
        raise SlagboomError(message)
    notice = store.notice(record.site, record.notice)
    if notice is None:
        message = f"{decision_id}: its notice {record.notice} is not in this log"
        raise SlagboomError(message)
    found = in_force(store.publications.all(record.site), record.notice, record.received_at)
    facts = [
        ("Decision", str(record.decision_id)),
        ("Received", format_time(record.received_at)),
        ("Answered on", f"layer {record.layer.value}, by {record.action.value}"),
    ]
    if record.layer is not Layer.FIRST:
        facts.append(("Note", "This decision was not taken on the layer shown here."))
    return _render(store, notice, found, _find_earlier(store, record), facts)


def render_publication(store: Store, reference: str, language: str | None) -> Snapshot:
    """The first layer of a publication for who had not answered before.

    language: None for the policy's first. Raises SlagboomError where it has none.
    """
    made = find_publication(store.publications.all(), reference)
    notices = made.served["notices"]
    chosen = next(iter(_languages(store, made))) if language is None else language
    if chosen not in notices:
        message = f"--language {chosen!r}: {reference} has {', '.join(notices)}"
        raise SlagboomError(message)
    notice = store.notice(made.site, notices[chosen])
    if notice is None:
        message = f"{reference}: its notice {notices[chosen]} is not in this log"
        raise SlagboomError(message)
    return _render(store, notice, made, None, [])


def _languages(store: Store, made: Publication) -> list[str]:
    data = json.loads(store.publications.read(made.served["policy"]))
    languages: list[str] = data["policy"]["languages"]
    return languages


def _find_earlier(store: Store, record: ConsentRecord) -> int | None:
    """The revision answered before; the same one where that record is gone."""
    if record.previous is None:
        return None
    previous = store.record(record.previous)
    return record.revision if previous is None else previous.revision


def _render(
    store: Store,
    notice: StoredNotice,
    made: Publication | None,
    earlier: int | None,
    facts: list[tuple[str, str]],
) -> Snapshot:
    offer = notice.offer
    if made is None:
        drawing = draw_first_layer(notice.document)
        theme = read_sources().themes.get(str(notice.document["theme"]))
        if theme is None:
            message = f"the theme {notice.document['theme']!r} of this notice is not kept"
            raise SlagboomError(message)
        style = style_first_layer(theme, Look.model_validate(notice.document["look"]))
        look = _NOT_KEPT
    elif offer.language not in made.served["first_layers"]:
        message = f"{offer.site} asked in an interface of its own then; the kit drew no layer"
        raise SlagboomError(message)
    else:
        kept = store.publications
        drawing = from_data(json.loads(kept.read(made.served["first_layers"][offer.language])))
        style = kept.read(made.served["style"])
        look = (
            f"publication {made.site}#{made.number} of {format_time(made.published_at)} "
            f"by {made.author}, SHA-256 {made.digest}"
        )
    return Snapshot(
        title=f"First layer of {offer.site}, revision {offer.revision}, in {offer.language}",
        language=offer.language,
        style=style,
        markup=drawing.markup(earlier),
        facts=[*facts, ("Notice", offer.digest), ("Style and markup", look)],
    )
