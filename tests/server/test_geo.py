from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from slagboom_banner.errors import SlagboomError
from slagboom_server.geo import CountryDatabase, NoCountry

if TYPE_CHECKING:
    from pathlib import Path

NETWORKS = {
    "81.2.69.0/24": "GB",
    "195.130.131.0/24": "BE",
    "2a02:2788::/32": "BE",
    "10.0.0.0/8": "ZZ",
    "2001:db8::/32": "JP",
}


def write_database(
    path: Path, kind: str, records: dict[str, Any], ip_version: int = 6
) -> CountryDatabase:
    writer = MMDBWriter(ip_version, kind, ipv4_compatible=ip_version == 6, description="a test")
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return CountryDatabase(path)


def maxmind(code: str) -> dict[str, Any]:
    names = {"country": {"iso_code": code, "geoname_id": 1, "names": {"en": code}}}
    return {**names, "registered_country": {"iso_code": "US", "geoname_id": 2}}


def ip_location_db(code: str) -> dict[str, Any]:
    return {"country_code": code}


@pytest.fixture(
    params=[
        ("GeoLite2-Country", maxmind),
        ("country ipvAll", ip_location_db),
    ],
    ids=["maxmind", "ip-location-db"],
)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> CountryDatabase:
    kind, record = request.param
    networks = {network: record(code) for network, code in NETWORKS.items()}
    return write_database(tmp_path / "countries.mmdb", kind, networks)


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("81.2.69.160", "GB"),
        ("::ffff:195.130.131.9", "BE"),
        ("2a02:2788::1", "BE"),
        ("9.9.9.9", None),
        ("10.1.2.3", None),
        ("127.0.0.1", None),
        ("2001:db8::1", None),
        ("not an address", None),
    ],
)
def test_a_public_address_has_a_country(
    database: CountryDatabase, address: str, country: str | None
) -> None:
    assert database.country(address) == country


@pytest.mark.parametrize(
    ("kind", "record"),
    [("GeoLite2-Country", maxmind("BE")), ("country ipv4", ip_location_db("BE"))],
)
def test_a_file_for_ipv4_knows_no_ipv6(tmp_path: Path, kind: str, record: dict[str, Any]) -> None:
    database = write_database(tmp_path / "4.mmdb", kind, {"195.130.131.0/24": record}, 4)

    assert database.country("195.130.131.1") == "BE"
    assert database.country("2a02:2788::1") is None


@pytest.mark.parametrize("record", [{"country_code": "Belgium"}, {"country_code": 7}, {}])
def test_a_record_without_a_code_is_an_unknown_country(
    tmp_path: Path, record: dict[str, Any]
) -> None:
    database = write_database(tmp_path / "odd.mmdb", "country ipv4", {"9.9.9.0/24": record}, 4)

    assert database.country("9.9.9.9") is None


def test_without_a_database_no_country_is_known() -> None:
    assert NoCountry().country("81.2.69.160") is None


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SlagboomError, match=r"none\.mmdb: cannot read the country database: No su"):
        CountryDatabase(tmp_path / "none.mmdb")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a zip", b"\xab\xcd\xefMaxMind.com"])
def test_a_file_of_another_kind_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "wrong.mmdb"
    file.write_bytes(content)

    with pytest.raises(SlagboomError, match=r"wrong\.mmdb: not a country database; give") as error:
        CountryDatabase(file)

    assert "\n" not in str(error.value)


def test_a_folder_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SlagboomError, match="not a country database"):
        CountryDatabase(tmp_path)


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SlagboomError, match="holds 'GeoLite2-ASN', not countries"):
        write_database(tmp_path / "asn.mmdb", "GeoLite2-ASN", {"9.9.9.0/24": {"asn": 1}}, 4)
