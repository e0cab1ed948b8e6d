"""The keys that sign checkpoints, in the folder of secrets.

The first key is made on first start. Which key signs now stands in the newest checkpoint: its own
one, or the next it names. A folder of public keys (`.pub`) alone is enough to verify.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from slagboom_banner.errors import SlagboomError
from slagboom_server.keyring import read_or_make_secret

if TYPE_CHECKING:
    from pathlib import Path

_FIRST: Final = "checkpoint.key"
_KEYS: Final = "checkpoint*.key"
_PUBLIC: Final = "checkpoint*.pub"


class SigningKeys:
    """The signing keys of one folder. Each method raises SlagboomError for a file it cannot use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def first(self) -> Ed25519PrivateKey:
        """The key of a log without checkpoints, made where the folder has none."""
        return self._make(_FIRST)

    def has_first(self) -> bool:
        """Whether the folder has the key of a log without checkpoints."""
        return (self._folder / _FIRST).exists()

    def find(self, public: bytes) -> Ed25519PrivateKey | None:
        """The private key that belongs to a raw public one, None where it is not here."""
        for file in self._files(_KEYS):
            key = _read_private(file, read_or_make_secret(self._folder, file.name, _new_key))
            if key.public_key().public_bytes_raw() == public:
                return key
        return None

    def make(self) -> Ed25519PrivateKey:
        """A new key, kept under a name of its own."""
        key = Ed25519PrivateKey.generate()
        name = f"checkpoint-{key.public_key().public_bytes_raw().hex()[:16]}.key"
        return self._make(name, key)

    def public(self) -> frozenset[bytes]:
        """The raw public keys this folder vouches for."""
        known = {read_public_key(file) for file in self._files(_PUBLIC)}
        for file in self._files(_KEYS):
            pem = read_or_make_secret(self._folder, file.name, _new_key)
            known.add(_read_private(file, pem).public_key().public_bytes_raw())
        return frozenset(known)

    def _files(self, pattern: str) -> list[Path]:
        return sorted(self._folder.glob(pattern))

    def _make(self, name: str, key: Ed25519PrivateKey | None = None) -> Ed25519PrivateKey:
        pem = read_or_make_secret(
            self._folder, name, _new_key if key is None else lambda: _to_pem(key)
        )
        made = _read_private(self._folder / name, pem)
        self._publish(made.public_key())
        return made

    def _publish(self, key: Ed25519PublicKey) -> None:
        file = self._folder / f"checkpoint-{key.public_bytes_raw().hex()[:16]}.pub"
        try:
            if not file.exists():
                file.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        except OSError as error:
            message = f"{file}: cannot be written: {error.strerror}; check --keys"
            raise SlagboomError(message) from error


def _new_key() -> bytes:
    return _to_pem(Ed25519PrivateKey.generate())


def _to_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _read_private(file: Path, pem: bytes) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        message = f"{file}: holds no Ed25519 private key; restore it from a backup"
        raise SlagboomError(message)
    return key


def read_public_key(file: Path) -> bytes:
    """The raw public key in a PEM file. Raises SlagboomError where there is none."""
    try:
        key = load_pem_public_key(file.read_bytes())
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror}"
        raise SlagboomError(message) from error
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        message = f"{file}: holds no Ed25519 public key"
        raise SlagboomError(message)
    return key.public_bytes_raw()
