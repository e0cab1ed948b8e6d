"""Exports with their manifests: what was written can be proven, and anything else is refused."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from log_samples import DOCUMENT, NOON, make_offer, make_record

from slagboom_server.checkpointer import CheckpointMaker
from slagboom_server.export import CSV_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from command import Run

    from slagboom_server.store_sql import SqlStore

FORMATS = ["csv", "json", "jsonl", "parquet"]


@pytest.fixture
def filled(store: SqlStore, tmp_path: Path) -> SqlStore:
    """A log of two decisions and a checkpoint, its keys in the usual place."""
    store.remember_notice(make_offer(), DOCUMENT, NOON)
    store.append([make_record(1), make_record(2, granted={"statistics", "google-analytics"})])
    CheckpointMaker(store.evidence, tmp_path / "slagboom-keys").make(NOON)
    return store


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("format_", FORMATS)
def test_every_export_is_signed_with_what_it_is(run: Run, out: Path, format_: str) -> None:
    file = out / f"log.{format_}"
    narrow = ("--purpose", "!marketing", "--since", "2026-11-21", "--site", "dsoft")
    assert run("export", *narrow, "--format", format_, "--output", file) == (0, "", "")
    manifest = file.with_name(f"{file.name}.manifest.json")
    members = json.loads(manifest.read_text("utf-8"))

    code, told, err = run("verify", "--manifest", manifest)

    assert (code, err) == (0, "")
    assert "is the export as it was signed: 1 rows" in told
    assert "after checkpoint 1" in told
    assert members["rows"] == 1
    assert members["file"] == file.name
    assert members["bytes"] == file.stat().st_size
    assert members["checkpoint"]["number"] == 1
    assert members["filters"] == {
        "site": "dsoft",
        "since": "2026-11-21T00:00:00+00:00",
        "purpose": "!marketing",
    }
    assert ("choices" if "json" in format_ else "purposes_granted") in members["columns"]
    assert sorted(path.name for path in out.iterdir()) == [file.name, manifest.name]


def change_the_file(file: Path, _manifest: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"accept_all", b"reject_all"))


def remove_the_file(file: Path, _manifest: Path) -> None:
    file.unlink()


def change_the_manifest(_file: Path, manifest: Path) -> None:
    text = manifest.read_text("utf-8")
    manifest.write_text(text.replace('"rows": 2', '"rows": 3'), "utf-8")


def change_the_filters(_file: Path, manifest: Path) -> None:
    text = manifest.read_text("utf-8")
    manifest.write_text(text.replace('"filters": {}', '"filters": {"site": "dsoft"}'), "utf-8")


def break_the_signature(_file: Path, manifest: Path) -> None:
    members = json.loads(manifest.read_text("utf-8"))
    manifest.write_text(json.dumps({**members, "signature": "no hex"}), "utf-8")


def point_elsewhere(file: Path, manifest: Path) -> None:
    shutil.copy(file, file.parent.parent / "elsewhere.csv")
    text = manifest.read_text("utf-8")
    manifest.write_text(text.replace('"log.csv"', '"../elsewhere.csv"'), "utf-8")


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (change_the_file, "its digest is another one"),
        (remove_the_file, "log.csv is not there"),
        (change_the_manifest, "the manifest was changed after it was signed"),
        (change_the_filters, "the manifest was changed after it was signed"),
        (break_the_signature, "the manifest was changed after it was signed"),
        (point_elsewhere, "out/elsewhere.csv is not there"),
    ],
)
def test_whatever_was_changed_is_the_answer_no(
    run: Run, out: Path, tamper: Callable[[Path, Path], None], told: str
) -> None:
    file, manifest = out / "log.csv", out / "log.csv.manifest.json"
    run("export", "--output", file)
    before = manifest.read_bytes(), file.read_bytes()
    tamper(file, manifest)

    code, said, _ = run("verify", "--manifest", manifest)

    assert (manifest.read_bytes(), file.read_bytes() if file.exists() else b"") != before
    assert code == 1
    assert told in said
    assert "NOT the export as it was signed" in said


@pytest.mark.usefixtures("filled")
def test_a_manifest_by_another_key_is_the_answer_no_and_a_public_key_is_enough(
    run: Run, out: Path, tmp_path: Path
) -> None:
    run("export", "--output", out / "log.csv")
    manifest = out / "log.csv.manifest.json"
    public = tmp_path / "auditor"
    public.mkdir()

    stranger = run("verify", "--manifest", manifest, "--keys", public)
    for file in (tmp_path / "slagboom-keys").glob("*.pub"):
        shutil.copy(file, public)
    auditor = run("verify", "--manifest", manifest, "--keys", public)

    assert stranger[0] == 1
    assert "is none of those in the folder of keys" in stranger[1]
    assert auditor[0] == 0


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"title": "Slagboom export 1"}', "\udcff"])
def test_what_is_no_manifest_is_one_line_and_code_2(run: Run, out: Path, content: str) -> None:
    file = out / "log.csv.manifest.json"
    file.write_text(content, "utf-8", "surrogateescape")

    code, out_text, err = run("verify", "--manifest", file)

    assert (code, out_text) == (2, "")
    told = "is no manifest of an export; give the .manifest.json beside it"
    assert err == f"slagboom: {file}: {told}\n"


@pytest.mark.usefixtures("filled")
def test_who_cannot_sign_learns_it_before_anything_is_written(
    run: Run, out: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other-keys"

    refused = run("export", "--output", out / "log.csv", "--keys", other)
    nothing = list(out.iterdir())
    unsigned = run("export", "--output", out / "log.csv", "--keys", other, "--no-manifest")

    assert refused[0] == 2
    assert "cannot be signed" in refused[2]
    assert "--no-manifest" in refused[2]
    assert len(refused[2].splitlines()) == 1
    assert nothing == []
    assert unsigned == (0, "", "")
    assert [path.name for path in out.iterdir()] == ["log.csv"]


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder"])
@pytest.mark.parametrize("place", ["log.csv", "log.csv.manifest.json", "log.csv.part"])
def test_what_is_no_regular_file_is_refused_and_stays_what_it_is(
    run: Run, out: Path, tmp_path: Path, kind: str, place: str
) -> None:
    path, elsewhere = out / place, tmp_path / "elsewhere"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(elsewhere)
    if kind == "link":
        elsewhere.write_text("untouched", "utf-8")
    before = path.lstat().st_mode

    code, told, err = run("export", "--output", out / "log.csv")

    assert (code, told) == (2, "")
    assert err.startswith(f"slagboom: {path}: is no regular file; ")
    assert len(err.splitlines()) == 1
    assert path.lstat().st_mode == before
    assert [each.name for each in out.iterdir()] == [place]
    assert kind != "link" or elsewhere.read_text("utf-8") == "untouched"


def test_parquet_holds_what_csv_holds_with_types(run: Run, out: Path, filled: SqlStore) -> None:
    filled.append([make_record(number) for number in range(10, 2020)])
    for format_ in ("csv", "parquet"):
        run("export", "--format", format_, "--output", out / f"log.{format_}")
    table = pq.read_table(out / "log.parquet")
    with (out / "log.csv").open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))

    assert table.column_names == list(CSV_COLUMNS)
    rows = table.to_pylist()
    assert len(rows) == len(lines) == 2012
    assert [flat(row) for row in rows] == lines
    assert str(table.schema.field("received_at").type) == "timestamp[ms, tz=UTC]"
    assert str(table.schema.field("flags").type) == "list<element: string>"


def flat(row: dict[str, Any]) -> dict[str, str]:
    return {name: as_text(value) for name, value in row.items()}


def as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    if hasattr(value, "isoformat"):
        return str(value.isoformat(timespec="milliseconds")).replace("+00:00", "Z")
    return str(value)


@pytest.mark.usefixtures("filled")
def test_parquet_needs_a_file_and_its_extra(
    run: Run, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = run("export", "--format", "parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    missing = run("export", "--format", "parquet", "--output", out / "log.parquet")

    assert nowhere[0] == missing[0] == 2
    assert nowhere[2] == "slagboom: --format parquet: a file is needed; give --output FILE\n"
    assert missing[2] == (
        "slagboom: Parquet needs an extra: pip install 'slagboom[parquet]', or use --format csv\n"
    )
    assert list(out.iterdir()) == []
