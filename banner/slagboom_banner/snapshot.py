"""A page of its own that shows a first layer as it was: one file, no script, nothing to fetch.

Its content security policy allows the two style sheets it carries and nothing else, so that the
page shows the same offline, in an archive and in ten years.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_PAGE_STYLE: Final = """
body { margin: 0; padding: 24px; background: Canvas; color: CanvasText;
  font: 15px/1.5 system-ui, sans-serif; color-scheme: light dark; }
h1 { margin: 0 0 12px; font-size: 20px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 20px; margin: 0; }
dd { margin: 0; overflow-wrap: anywhere; }
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What such a page shows.

    language: of the layer. style: the kit's style sheet of then. markup: the layer's. facts: what
    the page says about it, as label and text.
    """

    title: str
    language: str
    style: str
    markup: str
    facts: Sequence[tuple[str, str]]

    def to_html(self) -> str:
        """The page; the same snapshot gives the same bytes."""
        # Inside a style element only its own end tag means anything.
        style = self.style.replace("</", "<\\/")
        allowed = " ".join(f"'sha256-{_digest(css)}'" for css in (_PAGE_STYLE, style))
        policy = f"default-src 'none'; style-src {allowed}; base-uri 'none'; form-action 'none'"
        facts = "\n".join(
            f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>" for label, text in self.facts
        )
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{escape(self.title)}</title>\n"
            f"<style>{_PAGE_STYLE}</style>\n<style>{style}</style>\n</head>\n<body>\n"
            f'<div id="slagboom" lang="{escape(self.language)}" dir="auto">{self.markup}</div>\n'
            f"<h1>{escape(self.title)}</h1>\n<dl>\n{facts}\n</dl>\n</body>\n</html>\n"
        )


def _digest(css: str) -> str:
    return b64encode(sha256(css.encode()).digest()).decode()
