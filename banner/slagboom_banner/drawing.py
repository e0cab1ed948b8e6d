"""The first layer as markup, drawn from a notice's document alone, without a script.

static/js/first/main.js draws the same in a visitor's browser; a browser test holds the two against
each other. What is drawn when a policy is published is kept as it is, so that neither a new client
nor a new version of this module changes what a notice of then looked like.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from slagboom_banner.layers import describe_answered, describe_first_layer

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Drawing:
    """A first layer in parts, because who had answered before read a note in the middle of it.

    changes: by revision, what it changed. expired: the note of who is asked again without a change.
    """

    start: str
    changes: tuple[tuple[int, str], ...]
    expired: str
    end: str

    def markup(self, earlier: int | None) -> str:
        """What was shown. earlier: the revision the visitor had answered before, None for none."""
        if earlier is None:
            return self.start + self.end
        news = "".join(note for revision, note in self.changes if revision > earlier)
        return f'{self.start}<div class="sb-note">{news or self.expired}</div>{self.end}'

    def to_data(self) -> dict[str, Any]:
        """The parts as JSON, for `from_data`."""
        return asdict(self)


def from_data(data: Mapping[str, Any]) -> Drawing:
    """The drawing that `Drawing.to_data` describes."""
    changes = tuple((int(revision), str(note)) for revision, note in data["changes"])
    return Drawing(str(data["start"]), changes, str(data["expired"]), str(data["end"]))


def draw_first_layer(document: Mapping[str, Any]) -> Drawing:
    """The first layer of a notice. document: as notice.py makes it and the store keeps it."""
    notice = describe_first_layer(document)
    texts = notice["texts"]
    logo = (
        f'<img class="sb-logo" src="{escape(notice["logo"])}" alt="">' if "logo" in notice else ""
    )
    start = (
        f'<section class="sb-first sb-{notice["layout"]}" lang="{escape(notice["language"])}" '
        f'role="region" aria-label="{escape(texts["first_title"])}"><div class="sb-words">'
        f"{logo}<h2>{_text(texts['first_title'])}</h2>"
    )
    purposes = "".join(
        f'<div role="listitem">{_text(purpose)}</div>' for purpose in notice.get("purposes", ())
    )
    address = notice.get("statement_url")
    link = address and (
        f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">'
        f"{_text(texts['statement_link'])}</a>"
    )
    buttons = "".join(
        f'<button class="sb-button sb-{name}" type="button">{_text(texts[name])}</button>'
        for name in ("accept", "reject", "choose")
    )
    end = (
        f"<div>{_text(texts['first_intro'])}</div>"
        f'<div role="list">{purposes}</div>'
        # The comment keeps the space a text of its own, as the script makes it: joined with the
        # words before, it moves the link by a part of a pixel.
        f"<div>{_text(notice['words'])}<!----> {link or ''}</div></div>"
        f'<div class="sb-actions">{buttons}</div></section>'
    )
    answered = describe_answered(document)
    changes = tuple(
        (change["revision"], _draw_change(change)) for change in answered.get("changes", ())
    )
    return Drawing(start, changes, _text(answered["texts"]["expired_note"]), end)


def _draw_change(change: Mapping[str, Any]) -> str:
    return f"<div><b>{_text(change['title'])}</b> \N{EN DASH} {_text(change['what'])}</div>"


def _text(text: str) -> str:
    return escape(text, quote=False)
