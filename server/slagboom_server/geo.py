"""Address to country, from a local database file; no address leaves the machine.

Two formats are read: MaxMind's GeoLite2-Country (and its City and Enterprise relatives) through
geoip2, and the CC0 files of ip-location-db, whose records hold nothing but `country_code`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

import geoip2.database
import geoip2.errors
import maxminddb

from slagboom_banner.errors import SlagboomError
from slagboom_server.anonymise import parse_address

if TYPE_CHECKING:
    from collections.abc import Callable
    from ipaddress import IPv4Address, IPv6Address
    from pathlib import Path

_CODE = re.compile(r"[A-Z]{2}")


class Countries(Protocol):
    """Whatever answers for the country of an address."""

    def country(self, address: str) -> str | None:
        """ISO 3166 alpha-2, None where it is not known."""


class NoCountry:
    """No database is configured: no country is known."""

    def country(self, address: str) -> None:
        """None, for every address."""


class CountryDatabase:
    """An open .mmdb file.

    Raises SlagboomError where the file is missing, unreadable or not a country database.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._look_up = _open(path)
        except OSError as error:
            message = f"{path}: cannot read the country database: {error.strerror}"
            raise SlagboomError(message) from error
        except (maxminddb.InvalidDatabaseError, UnicodeDecodeError) as error:
            message = f"{path}: not a country database; give a GeoLite2-Country .mmdb file"
            raise SlagboomError(message) from error

    def country(self, address: str) -> str | None:
        """ISO 3166 alpha-2; None for a private, reserved or unknown address."""
        parsed = parse_address(address)
        # Some files name a country for documentation and other reserved ranges.
        if parsed is None or not parsed.is_global:
            return None
        code = self._look_up(parsed)
        return code if code is not None and _CODE.fullmatch(code) else None


def _open(path: Path) -> Callable[[IPv4Address | IPv6Address], str | None]:
    flat = maxminddb.open_database(path)
    kind = flat.metadata().database_type
    ip_version = flat.metadata().ip_version

    def from_flat(address: IPv4Address | IPv6Address) -> str | None:
        if address.version > ip_version:
            return None
        record = flat.get(address)
        code = record.get("country_code") if isinstance(record, dict) else None
        return code if isinstance(code, str) else None

    if kind.startswith("country "):
        return from_flat
    flat.close()
    if not any(name in kind for name in ("Country", "City", "Enterprise")):
        message = f"{path}: holds {kind!r}, not countries; give a GeoLite2-Country .mmdb file"
        raise SlagboomError(message)
    maxmind = geoip2.database.Reader(path)

    def from_maxmind(address: IPv4Address | IPv6Address) -> str | None:
        if address.version > ip_version:
            return None
        try:
            return maxmind.country(address).country.iso_code
        except geoip2.errors.AddressNotFoundError:
            return None

    return from_maxmind
