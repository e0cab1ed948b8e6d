"""The hosts of a service in the form in which the client compares them (static/js/hosts.js)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from slagboom_banner.model import Embed


def list_ends(hosts: Iterable[str]) -> list[str]:
    """What `//host` ends in: `//a.example` for a host, and `.a.example` for its subdomains."""
    ends = []
    for host in hosts:
        name = host.removeprefix("*.")
        ends += [f"//{name}"] if name == host else [f"//{name}", f".{name}"]
    return list(dict.fromkeys(ends))


def describe_embed(embed: Embed) -> dict[str, Any]:
    """The frames of a service, as static/js/types.js describes them."""
    return {"hosts": list_ends(embed.hosts), "use_host": embed.use_host}
