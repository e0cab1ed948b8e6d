"""A whole kit for tests: real policies, a real database; only the clock stands still."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from slagboom_banner.cookie import Choice, encode_choice
from slagboom_server.geo import NoCountry
from slagboom_server.kit import Kit, Prepared
from slagboom_server.publication import SERVE_AUTHOR
from slagboom_server.publishing import publish

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slagboom_server.sites import Site
    from slagboom_server.store import Store
    from slagboom_server.writer import Writer

DATA = Path(__file__).parent / "banner" / "data" / "policies"
NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
ORIGIN = "https://www.acme.example"
OTHER_ORIGIN = "https://www.other.example"
ADDRESS = "203.0.113.77"
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"


def copy_policies(directory: Path) -> Path:
    """The policies `acme` and `other`, which share their services, in a new folder."""
    folder = Path(shutil.copytree(DATA, directory / "policies"))
    text = (folder / "acme.yaml").read_text("utf-8")
    text = text.replace("site: acme\n", "site: other\n")
    text = text.replace("cookie_domain: acme.example\n", "")
    text = text.replace("https://www.acme.example, https://acme.example", OTHER_ORIGIN)
    (folder / "other.yaml").write_text(text, "utf-8")
    return folder


def edit(file: Path, old: str, new: str) -> None:
    """Replaces the one place where `old` stands."""
    text = file.read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
    file.write_text(text.replace(old, new), "utf-8")


def make_kit(
    policies: Path, store: Store, writer: Writer, built: Mapping[str, Site] | None = None
) -> Kit:
    """A kit that serves its policies. built: what they ask for; left out, the kit reads them."""
    kit = Kit(
        policies=policies, store=store, writer=writer, countries=NoCountry(), clock=lambda: NOON
    )
    if built is None:
        kit.read()
    else:
        for site in built.values():
            publish(store, site, SERVE_AUTHOR, NOON)
        kit.take(Prepared(dict(built), store.offers(), ()))
    return kit


def make_body(kit: Kit, number: int = 1, site: str = "acme", **changes: Any) -> dict[str, Any]:
    """What a browser sends after "accept" on the Dutch notice, with fields changed."""
    offer = kit.sites[site].bundle.offer
    return {
        "decision_id": f"019a9ce7-0000-7000-8000-{number:012x}",
        "consent_id": f"5a1ecafe-0000-4000-8000-{number:012x}",
        "previous": None,
        "revision": kit.sites[site].loaded.policy.revision,
        "notice": kit.sites[site].bundle.notices["nl"].digest,
        "language": "nl",
        "layer": "first",
        "action": "accept_all",
        "choices": dict.fromkeys(offer.purposes, True),
        "services": {service.id: True for service in offer.services},
        "anonymise_ip": True,
        "gpc": False,
        "given_at": "2026-11-21T11:59:59.750Z",
        **changes,
    }


def make_cookie(kit: Kit, body: dict[str, Any], site: str = "acme") -> str:
    """The choice cookie the browser sets for a decision."""
    loaded, offer = kit.sites[site].loaded, kit.sites[site].bundle.offer
    choice = Choice(
        revision=body["revision"],
        scope=offer.scope,
        given_at=int(dt.datetime.fromisoformat(body["given_at"]).timestamp()),
        lifetime_days=loaded.policy.consent_lifetime_days,
        consent_id=UUID(body["consent_id"]),
        decision_id=UUID(body["decision_id"]),
        purposes=tuple(body["choices"].values()),
        services=tuple(body["services"].values()),
        anonymise_ip=body["anonymise_ip"],
        gpc=body["action"] == "gpc",
    )
    return encode_choice(site, choice)


def dump(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()
