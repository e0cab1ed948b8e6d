"""The manifest beside an export: what the file holds, signed with the key that signs checkpoints.

It is JSON. The signature (Ed25519) is over a title and the same members without the signature, as
RFC 8785 writes JSON: sorted, without spaces, in UTF-8. Whoever has the file, the manifest and the
public key can check it without the log.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import file_digest
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from slagboom_banner.errors import SlagboomError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from slagboom_server.checkpoint import Checkpoint

_TITLE: Final = "Slagboom export 1"
_KEYS: Final[dict[str, type | tuple[type, ...]]] = {
    "title": str,
    "file": str,
    "sha256": str,
    "bytes": int,
    "format": str,
    "rows": int,
    "columns": list,
    "filters": dict,
    "made_at": str,
    "checkpoint": (dict, type(None)),
    "key": str,
    "signature": str,
}


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export is. filters: as typed, those that were used. made_at: ISO 8601, UTC."""

    file: Path
    format: str
    rows: int
    columns: Sequence[str]
    filters: Mapping[str, str]
    made_at: str


def manifest_file(file: Path) -> Path:
    """Where the manifest of an export stands."""
    return file.with_name(f"{file.name}.manifest.json")


def write_manifest(
    exported: Exported, last: Checkpoint | None, key: Ed25519PrivateKey
) -> dict[str, Any]:
    """The signed manifest of a file. last: the log's newest checkpoint, which dates the log."""
    digest, size = _measure(exported.file)
    members: dict[str, Any] = {
        "title": _TITLE,
        "file": exported.file.name,
        "sha256": digest,
        "bytes": size,
        "format": exported.format,
        "rows": exported.rows,
        "columns": list(exported.columns),
        "filters": dict(exported.filters),
        "made_at": exported.made_at,
        "checkpoint": None
        if last is None
        else {"log": last.log.hex(), "number": last.number, "sha256": last.digest.hex()},
        "key": key.public_key().public_bytes_raw().hex(),
    }
    return {**members, "signature": key.sign(_to_sign(members)).hex()}


def read_manifest(file: Path) -> dict[str, Any]:
    """The members of a manifest. Raises SlagboomError where the file holds none."""
    try:
        members = json.loads(file.read_text("utf-8"))
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror}"
        raise SlagboomError(message) from error
    except ValueError:
        members = None
    if (
        not isinstance(members, dict)
        or members.keys() != _KEYS.keys()
        or not all(isinstance(members[name], kind) for name, kind in _KEYS.items())
        or members["title"] != _TITLE
    ):
        message = f"{file}: is no manifest of an export; give the .manifest.json beside it"
        raise SlagboomError(message)
    return members


def check_manifest(
    manifest: Path, members: Mapping[str, Any], trusted: frozenset[bytes]
) -> list[str]:
    """What is wrong with a manifest or its file, which lies beside it; empty where all is well.

    trusted: the raw public keys of the log.
    """
    problems = []
    if not _is_signed(members):
        problems.append("the manifest was changed after it was signed")
    elif bytes.fromhex(members["key"]) not in trusted:
        problems.append(
            f"the key {members['key'][:16]}… is none of those in the folder of keys; "
            "bring its .pub, or give --keys"
        )
    # A name alone: a manifest must not make this program read some other file.
    file = manifest.with_name(members["file"].rpartition("/")[2] or "nameless")
    if not file.is_file():
        problems.append(f"{file} is not there")
    elif _measure(file) != (members["sha256"], members["bytes"]):
        problems.append(f"{file} is not the file that was exported: its digest is another one")
    return problems


def _is_signed(members: Mapping[str, Any]) -> bool:
    unsigned = {name: value for name, value in members.items() if name != "signature"}
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(members["key"]))
        key.verify(bytes.fromhex(members["signature"]), _to_sign(unsigned))
    except (ValueError, InvalidSignature):
        return False
    return True


def _to_sign(members: Mapping[str, Any]) -> bytes:
    # Names are ASCII and no number has a fraction, so this is what RFC 8785 asks for.
    plain = json.dumps(members, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f"{_TITLE}\n{plain}".encode()


def _measure(file: Path) -> tuple[str, int]:
    """The digest of a file and its length in bytes."""
    try:
        with file.open("rb") as stream:
            digest = file_digest(stream, "sha256").hexdigest()
            return digest, stream.tell()
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror}"
        raise SlagboomError(message) from error
