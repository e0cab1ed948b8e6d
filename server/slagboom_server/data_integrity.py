"""Signed JSON: W3C Data Integrity proofs of the suite `eddsa-jcs-2022`.

What is signed is the canonical JSON (RFC 8785) of the document and of the proof's own options,
with Ed25519; the key stands in the proof as a `did:key`. Any implementation of
https://www.w3.org/TR/vc-di-eddsa/ can check such a document.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from slagboom_banner.errors import SlagboomError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ED25519: Final = b"\xed\x01"
"""What a multikey of this kind begins with."""

_KEY_BYTES: Final = 34
_SIGNATURE_BYTES: Final = 64


def sign_document(
    document: Mapping[str, Any], key: Ed25519PrivateKey, created: str
) -> dict[str, Any]:
    """The document with its proof. document: JSON with `@context`. created: ISO 8601, UTC."""
    multikey = _to_base58(_ED25519 + key.public_key().public_bytes_raw())
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": created,
        "verificationMethod": f"did:key:{multikey}#{multikey}",
        "proofPurpose": "assertionMethod",
        "@context": document["@context"],
    }
    value = _to_base58(key.sign(_hash(document, options)))
    return {**document, "proof": {**options, "proofValue": value}}


def read_key(signed: Mapping[str, Any]) -> bytes:
    """The raw public key a document is said to be signed by. Raises SlagboomError for none."""
    try:
        multikey = signed["proof"]["verificationMethod"].partition("#")[2]
        key = _from_base58(multikey, _KEY_BYTES)
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        message = "has no proof with a key"
        raise SlagboomError(message) from error
    if not key.startswith(_ED25519):
        message = "is signed with a key of an unknown kind"
        raise SlagboomError(message)
    return key.removeprefix(_ED25519)


def is_signed(signed: Mapping[str, Any]) -> bool:
    """Whether the signature is that of `read_key`, over this very document."""
    document = {name: value for name, value in signed.items() if name != "proof"}
    try:
        options = dict(signed["proof"])
        signature = _from_base58(options.pop("proofValue"), _SIGNATURE_BYTES)
        key = Ed25519PublicKey.from_public_bytes(read_key(signed))
        key.verify(signature, _hash(document, options))
    except (InvalidSignature, SlagboomError):
        return False
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError):
        # Whatever it is, it is not what `sign_document` has made.
        return False
    return str(options.get("cryptosuite")) == "eddsa-jcs-2022"


def _hash(document: Mapping[str, Any], options: Mapping[str, Any]) -> bytes:
    return b"".join(sha256(rfc8785.dumps(dict(part))).digest() for part in (options, document))


def _to_base58(data: bytes) -> str:
    """Multibase: `z` and base58 with the alphabet of Bitcoin."""
    number = int.from_bytes(data, "big")
    digits = ""
    while number:
        number, digit = divmod(number, 58)
        digits = _ALPHABET[digit] + digits
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "z" + "1" * zeros + digits


def _from_base58(text: str, length: int) -> bytes:
    """Raises ValueError or OverflowError where the text is not so many bytes."""
    if not text.startswith("z") or len(text) > 2 * length:
        message = "no base58"
        raise ValueError(message)
    number = 0
    for character in text[1:]:
        number = number * 58 + _ALPHABET.index(character)
    return number.to_bytes(length, "big")
