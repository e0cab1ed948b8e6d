"""The JSON-LD context of receipts: what each name in them stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCES: Final = (
    "dct:conformsTo",
    "dct:creator",
    "dct:publisher",
    "dpv:hasAuthority",
    "dpv:hasConsentControl",
    "dpv:hasDataController",
    "dpv:hasDataSource",
    "dpv:hasJurisdiction",
    "dpv:hasLegalBasis",
    "dpv:hasLocation",
    "dpv:hasProcessing",
    "dpv:hasRecipient",
    "dpv:hasRight",
    "dpv:isIndicatedBy",
    "schema:recipient",
    "skos:broader",
)

CONTEXT: Final[Mapping[str, Any]] = {
    "@version": 1.1,
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "dpv-27560": "https://w3id.org/dpv/schema/dpv-27560#",
    "entity": "urn:slagboom:entity:",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "loc": "https://w3id.org/dpv/loc#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "sb": "urn:slagboom:receipt:",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    **{name: {"@id": name, "@type": "@id"} for name in _REFERENCES},
    "dpv:hasEntity": {"@id": "dpv:hasEntity", "@container": "@id"},
    **{f"sb:{name}": {"@id": f"sb:{name}", "@type": "@json"} for name in ("evidence", "kantara")},
    "sb:fields": {"@id": "sb:fields", "@type": "@json"},
}
"""Stands in every receipt, so that nothing has to be fetched to read it."""
