"""Signed JSON against the standard's own example (W3C, Data Integrity EdDSA Cryptosuites v1.0)."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from slagboom_banner.errors import SlagboomError
from slagboom_server.data_integrity import is_signed, read_key, sign_document

MULTIKEY = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
CONTEXT = [
    "https://www.w3.org/ns/credentials/v2",
    "https://www.w3.org/ns/credentials/examples/v2",
]
EXAMPLE: dict[str, Any] = {
    "@context": CONTEXT,
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "AlumniCredential"],
    "name": "Alumni Credential",
    "description": "A minimum viable example of an Alumni Credential.",
    "issuer": "https://vc.example/issuers/5678",
    "validFrom": "2023-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
    "proof": {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": "2023-02-24T23:36:38Z",
        "verificationMethod": f"did:key:{MULTIKEY}#{MULTIKEY}",
        "proofPurpose": "assertionMethod",
        "@context": CONTEXT,
        "proofValue": (
            "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX"
        ),
    },
}


def with_proof(**changes: Any) -> dict[str, Any]:
    return {**EXAMPLE, "proof": {**EXAMPLE["proof"], **changes}}


def test_the_example_of_the_standard_is_signed() -> None:
    assert is_signed(EXAMPLE)


def test_a_changed_example_is_not_signed() -> None:
    assert not is_signed({**EXAMPLE, "name": "Another Credential"})
    assert not is_signed(with_proof(created="2024-02-24T23:36:38Z"))


def test_what_is_signed_here_verifies_and_names_its_key() -> None:
    key = Ed25519PrivateKey.generate()

    signed = sign_document({"@context": {}, "é": [1, None]}, key, "2026-11-21T12:00:00.000Z")

    assert is_signed(signed)
    assert read_key(signed) == key.public_key().public_bytes_raw()


@pytest.mark.parametrize("value", ["z", "z0", "abc", "z" * 10_000, "", None, 5, []])
def test_a_signature_of_another_kind_is_no_signature(value: object) -> None:
    assert not is_signed(with_proof(proofValue=value))


@pytest.mark.parametrize("cryptosuite", ["eddsa-rdfc-2022", None])
def test_another_suite_is_not_taken_for_this_one(cryptosuite: object) -> None:
    assert not is_signed(with_proof(cryptosuite=cryptosuite))


@pytest.mark.parametrize("method", [f"did:key:{MULTIKEY}", "#zz", "#z6LS", None, 7])
def test_a_proof_without_an_ed25519_key_is_one_clear_line(method: object) -> None:
    with pytest.raises(SlagboomError, match=r"has no proof|of an unknown kind"):
        read_key(with_proof(verificationMethod=method))


@pytest.mark.parametrize("proof", [None, [], "x", {}])
def test_a_document_without_a_proof_is_not_signed(proof: object) -> None:
    assert not is_signed({**EXAMPLE, "proof": proof})
