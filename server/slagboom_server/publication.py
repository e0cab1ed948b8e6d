"""What a site served from when on, by whom it was published, under one digest.

A publication names by their digests the policy, every language's notice and drawn first layer, the
style sheet and each script. The texts behind the digests are kept beside it, and the parts of the
script that an open page may still ask for; the gates are not: they follow from the policy and the
version of the kit. Each publication also names the one before it, and every checkpoint signs a list
of the newest ones, so that none can be altered, taken out or put in without a trace.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Protocol

from slagboom_banner.difference import policy_data
from slagboom_banner.drawing import draw_first_layer
from slagboom_banner.errors import SlagboomError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from slagboom_server.sites import Site

SERVE_AUTHOR: Final = "slagboom serve"
"""Who publishes what a server finds in its folder and nobody has published before."""


@dataclass(frozen=True, slots=True)
class Served:
    """What one site serves, to be published.

    kit: the version of this program. policy, style, first_layers: texts to keep; a site with
    an interface of its own has no first layer. notices, scripts: digests, by language and name.
    parts: texts to keep, by name, of those scripts that a page fetches later.
    """

    site: str
    revision: int
    kit: str
    policy: str
    style: str
    first_layers: Mapping[str, str]
    notices: Mapping[str, str]
    scripts: Mapping[str, str]
    parts: Mapping[str, str]

    @property
    def texts(self) -> Sequence[str]:
        """What is to be kept."""
        return (self.policy, self.style, *self.first_layers.values(), *self.parts.values())

    def describe(self) -> dict[str, Any]:
        """Everything by digest; equal for what is the same to every visitor."""
        layers = {language: digest(text) for language, text in self.first_layers.items()}
        return {
            "revision": self.revision,
            "kit": self.kit,
            "policy": digest(self.policy),
            "style": digest(self.style),
            "first_layers": layers,
            "notices": dict(self.notices),
            "scripts": dict(self.scripts),
        }


@dataclass(frozen=True, slots=True)
class Publication:
    """A publication as it is kept. number: counts from 1 for each site. text: canonical JSON."""

    site: str
    number: int
    revision: int
    published_at: dt.datetime
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text, 64 hex digits."""
        return digest(self.text)

    @property
    def author(self) -> str:
        """Who published it."""
        return str(json.loads(self.text)["author"])

    @property
    def served(self) -> Mapping[str, Any]:
        """What `Served.describe` gave."""
        served: Mapping[str, Any] = json.loads(self.text)["served"]
        return served


class Publications(Protocol):
    """The publications of a log. Every method raises StoreUnavailable while it cannot be used."""

    def add(self, served: Served, author: str, now: dt.datetime) -> Publication | None:
        """Keeps what a site serves from now on; None where its newest publication is the same.

        Its texts are kept in any case.
        """
        ...

    def all(self, site: str | None = None) -> Sequence[Publication]:
        """Those of a site or of every one, by site, oldest first."""
        ...

    def find(self, text_digest: str) -> str | None:
        """A text that a publication names; None where it is not there."""
        ...

    def read(self, text_digest: str) -> str:
        """As `find`. Raises SlagboomError where it is not there."""
        ...


def digest(text: str) -> str:
    """SHA-256 of a text in UTF-8, 64 hex digits."""
    return sha256(text.encode()).hexdigest()


def to_canonical(value: object) -> str:
    """JSON that is the same for the same value, as notices have it."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def list_newest(newest: Iterable[tuple[str, int, bytes]]) -> str:
    """What a checkpoint signs of publications: a line for each site, empty where there are none.

    newest: site, number and digest of every site's newest publication.
    """
    return "".join(f"{site} {number} {key.hex()}\n" for site, number, key in sorted(newest))


def read_newest(text: str) -> list[tuple[str, int, bytes]]:
    """What `list_newest` was given. Raises ValueError for another text."""
    lines = [line.split(" ") for line in text.splitlines()]
    return [(site, int(number), bytes.fromhex(key)) for site, number, key in lines]


def describe_served(site: Site, kit: str) -> Served:
    """What a site that is ready serves. kit: the version of this program."""
    bundle, policy = site.bundle, site.loaded.policy
    has_layers = policy.interface == "kit"
    gates = {f"gate.js {name}": gate for name, gate in bundle.asking_gates.items()}
    scripts = {"gate.js": bundle.gate, **gates, **bundle.parts}
    return Served(
        site=policy.site,
        revision=policy.revision,
        kit=kit,
        policy=to_canonical(policy_data(site.loaded)),
        style=bundle.first_style,
        first_layers={
            language: to_canonical(draw_first_layer(notice.document).to_data())
            for language, notice in bundle.notices.items()
            if has_layers
        },
        notices={language: notice.digest for language, notice in bundle.notices.items()},
        scripts={name: sha256(body).hexdigest() for name, body in scripts.items()},
        parts={name: body.decode() for name, body in bundle.parts.items()},
    )


def find_publication(found: Sequence[Publication], reference: str) -> Publication:
    """The publication meant by `site@revision` (the newest of it), `site#number` or `site`.

    Raises SlagboomError where there is none.
    """
    site, mark, number = reference.partition("@" if "@" in reference else "#")
    own = [publication for publication in found if publication.site == site]
    if mark and not number.isdecimal():
        message = f"{reference!r}: write SITE@REVISION or SITE#NUMBER, as dsoft@2 or dsoft#5"
        raise SlagboomError(message)
    if mark == "@":
        own = [publication for publication in own if publication.revision == int(number)]
    elif mark:
        own = [publication for publication in own if publication.number == int(number)]
    if not own:
        message = f"{reference!r} was never published here; see `slagboom policy list`"
        raise SlagboomError(message)
    return own[-1]


def in_force(found: Sequence[Publication], notice: str, time: dt.datetime) -> Publication | None:
    """The publication a visitor met who was shown this notice then; None where none names it.

    found: one site's, oldest first. notice: its digest.
    """
    naming = [each for each in found if notice in each.served["notices"].values()]
    before = [each for each in naming if each.published_at <= time]
    if before:
        return before[-1]
    return naming[0] if naming else None
