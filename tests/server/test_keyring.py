"""Secrets on disk: made once, whole, and for their owner alone."""

from __future__ import annotations

import secrets
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slagboom_banner.errors import SlagboomError
from slagboom_server.keyring import key_folder, read_or_make_secret


def make() -> bytes:
    return secrets.token_bytes(32)


def test_a_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "keys"

    made = read_or_make_secret(folder, "one", make)

    assert len(made) == 32
    assert read_or_make_secret(folder, "one", make) == made
    assert read_or_make_secret(folder, "two", make) != made
    assert stat.S_IMODE((folder / "one").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(file.name for file in folder.iterdir()) == ["one", "two"]


def test_processes_that_start_at_once_get_the_same_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = set(
            pool.map(lambda _: read_or_make_secret(tmp_path / "keys", "one", make), range(64))
        )

    assert len(made) == 1


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o644, 0o666])
def test_a_secret_that_anybody_can_touch_is_refused(tmp_path: Path, mode: int) -> None:
    read_or_make_secret(tmp_path, "one", make)
    (tmp_path / "one").chmod(mode)

    with pytest.raises(SlagboomError, match="chmod 600"):
        read_or_make_secret(tmp_path, "one", make)


def test_a_group_may_read_what_an_orchestrator_mounts(tmp_path: Path) -> None:
    made = read_or_make_secret(tmp_path, "one", make)
    (tmp_path / "one").chmod(0o440)

    assert read_or_make_secret(tmp_path, "one", make) == made


def test_an_empty_secret_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "one").touch(0o600)

    with pytest.raises(SlagboomError, match="is empty"):
        read_or_make_secret(tmp_path, "one", make)


def test_a_folder_that_cannot_be_made_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file", "utf-8")

    with pytest.raises(SlagboomError) as raised:
        read_or_make_secret(tmp_path / "keys", "one", make)

    assert "\n" not in str(raised.value)
    assert "--keys" in str(raised.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///var/slagboom.db", "var/slagboom-keys"),
        ("sqlite:////srv/log/consent.sqlite3", "/srv/log/consent-keys"),
        ("sqlite://", "var/keys"),
        ("postgresql+psycopg://log@db/consent", "var/keys"),
    ],
)
def test_keys_lie_beside_a_file_and_else_in_var(url: str, expected: str) -> None:
    assert key_folder(url) == Path(expected)
    assert key_folder(url, Path("/etc/keys")) == Path("/etc/keys")
