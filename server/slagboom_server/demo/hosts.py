"""The host names the demo answers to, and the origins behind which it finds the vendors.

Every name under `.localhost` is this machine (RFC 6761), an origin and a cookie scope of its own,
so one port can be three companies and their vendors without a line in `/etc/hosts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from starlette.datastructures import Headers

if TYPE_CHECKING:
    from starlette.types import Scope

VendorMode = Literal["local", "real"]
"""local: vendors live at `http://HOST.localhost:PORT`. real: at `https://HOST`."""

SUFFIX = ".localhost"


def request_host(scope: Scope) -> str:
    """The host a request names, in lower case and without its port; empty where it names none."""
    return Headers(scope=scope).get("host", "").partition(":")[0].lower()


def vendor_origin(host: str, vendors: VendorMode, port: int) -> str:
    """The origin at which a page finds a vendor's host."""
    if vendors == "real":
        return f"https://{host}"
    return f"http://{host}{SUFFIX}:{port}"


def site_origin(site: str, port: int) -> str:
    """The origin of a company site of the demo."""
    return f"http://{site}{SUFFIX}:{port}"
