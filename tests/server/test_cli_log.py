from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from log_samples import DOCUMENT, NOON, consent_id, decision_id, make_offer, make_record

if TYPE_CHECKING:
    from pathlib import Path

    from command import Run

    from slagboom_server.store_sql import SqlStore


@pytest.fixture
def filled(store: SqlStore) -> SqlStore:
    offer = make_offer()
    store.remember_notice(offer, DOCUMENT, NOON)
    store.append(
        [make_record(1, offer), make_record(2, offer, granted={"statistics", "google-analytics"})]
    )
    return store


def ids(objects: list[dict[str, Any]]) -> list[int]:
    return [int(str(each["decision_id"])[-4:], 16) for each in objects]


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("width", [80, 120])
def test_a_list_fits_the_terminal_and_shows_whole_identifiers(
    run: Run, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))

    code, out, err = run("list")

    assert (code, err) == (0, "")
    assert max(len(line) for line in out.splitlines()) <= width
    assert str(decision_id(1)) in out
    assert "2026-11-21T12:00:00.000Z" in out
    assert "✓ statistics" in out
    assert "✗ marketing" in out
    assert (str(consent_id(1)) in out) is (width == 120)
    assert "…" not in out


@pytest.mark.usefixtures("filled")
def test_a_list_begins_with_the_newest_and_says_that_there_is_more(run: Run) -> None:
    code, out, _ = run("list", "--limit", "1")

    assert code == 0
    assert str(decision_id(2)) in out
    assert str(decision_id(1)) not in out
    assert "there are more" in out
    assert "there are more" not in run("list", "--limit", "2")[1]


@pytest.mark.usefixtures("filled")
def test_a_list_comes_as_json_and_csv(run: Run) -> None:
    _, as_json, _ = run("list", "--format", "json")
    _, as_csv, _ = run("list", "--format", "csv")

    assert ids(json.loads(as_json)) == [2, 1]
    assert ids(list(csv.DictReader(io.StringIO(as_csv, newline="")))) == [2, 1]


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("command", ["list", "export"])
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--site", "dsoft"), {1, 2}),
        (("--since", "2026-11-21", "--until", "2026-11-21"), {1, 2}),
        (("--since", "2026-11-22"), set()),
        (("--purpose", "marketing"), {1}),
        (("--purpose", "!marketing"), {2}),
        (("--service", "!leadinfo"), {2}),
        (("--action", "save"), {2}),
        (("--consent-id", str(consent_id(1))), {1}),
    ],
)
def test_the_filters_choose(
    run: Run, command: str, options: tuple[str, ...], expected: set[int]
) -> None:
    code, out, err = run(command, "--format", "json", *options)

    assert (code, err) == (0, "")
    assert set(ids(json.loads(out))) == expected


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("command", ["list", "stats"])
def test_an_empty_answer_says_so(run: Run, command: str) -> None:
    code, out, _ = run(command, "--until", "2020-01-01")

    assert code == 0
    assert "No decision matches." in out


@pytest.mark.usefixtures("filled")
def test_show_prints_the_record_and_the_words_its_visitor_read(run: Run) -> None:
    code, out, err = run("show", str(decision_id(2)))

    assert (code, err) == (0, "")
    assert max(len(line) for line in out.splitlines()) <= 80
    for text in (
        str(consent_id(2)),
        make_offer().digest[-20:],
        "✗ leadinfo",
        "198.51.100.0/24",
        "Firefox on Linux, computer",
        "Uw privacykeuze",
        "[Aanvaarden] [Weigeren]",
        "Tellen, geen € of “profiel”.",
        "• Google Analytics (Google Ireland Limited): Telt bezoeken.",
    ):
        assert text in out


@pytest.mark.usefixtures("filled")
def test_show_as_json_holds_every_word_shown(run: Run) -> None:
    _, out, _ = run("show", str(decision_id(1)), "--format", "json")

    assert json.loads(out)["shown"] == DOCUMENT


@pytest.mark.usefixtures("filled")
def test_stats_count_what_was_granted(run: Run) -> None:
    _, table, _ = run("stats")
    _, as_json, _ = run("stats", "--format", "json")
    _, as_csv, _ = run("stats", "--format", "csv")

    assert "2 decisions" in table
    assert "50.0%" in table
    stats = json.loads(as_json)
    assert stats["decisions"] == 2
    assert stats["actions"] == {"accept_all": 1, "save": 1}
    assert stats["purposes"]["marketing"] == {"granted": 1, "refused": 1}
    assert stats["days"] == {"2026-11-21": 2}
    rows = {(row["measure"], row["name"]): row for row in csv.DictReader(io.StringIO(as_csv))}
    assert rows["purpose", "marketing"]["refused"] == "1"
    assert rows["all", ""]["decisions"] == "2"


@pytest.mark.usefixtures("filled")
def test_an_export_to_a_file_is_whole_and_leaves_nothing_else(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "out" / "log.csv"
    file.parent.mkdir()

    code, out, err = run("export", "--output", str(file))

    assert (code, out, err) == (0, "", "")
    assert file.read_bytes().count(b"\r\n") == 3
    assert sorted(path.name for path in file.parent.iterdir()) == [
        "log.csv",
        "log.csv.manifest.json",
    ]


@pytest.mark.usefixtures("filled")
def test_an_export_that_fails_leaves_no_part_of_it(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "out" / "log.csv"
    folder.mkdir(parents=True)

    code, _, err = run("export", "--output", str(folder))

    assert code == 2
    assert "is no regular file; name another one" in err
    assert [path.name for path in folder.parent.iterdir()] == ["log.csv"]


@pytest.mark.usefixtures("filled")
def test_a_progress_bar_is_for_people_only(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(tmp_path / "log.jsonl")
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes the output for a terminal

    _, out, err = run("export", "--output", file, "--format", "jsonl")

    assert out == ""
    assert "Exporting" in err
    assert "2/2" in err


@pytest.mark.usefixtures("filled")
def test_a_decision_that_is_not_there_is_the_answer_no(run: Run) -> None:
    code, out, err = run("show", str(decision_id(9)))

    assert (code, out) == (1, "")
    assert err == f"slagboom: {decision_id(9)}: no such decision in this log\n"


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("list", "--site", "nope"), "--site 'nope'"),
        (("list", "--since", "soon"), "--since 'soon'"),
        (("list", "--action", "yes"), "--action 'yes'"),
        (("list", "--format", "xml"), "--format 'xml': choose one of table, json, csv"),
        (("export", "--format", "table"), "--format 'table': choose one of csv, json, jsonl"),
        (("export", "--output", "/proc/nowhere/x"), "cannot write the export"),
        (("stats", "--purpose", "nope"), "--purpose 'nope'"),
        (("show", "12"), "DECISION_ID '12': write the whole identifier"),
        (("list", "--database", "sqlite:////nowhere/x.db"), "/nowhere/x.db: no such database"),
    ],
)
def test_a_wrong_value_is_one_line_and_code_2(
    run: Run, arguments: tuple[str, ...], reason: str
) -> None:
    code, out, err = run(*arguments)

    assert code == 2
    assert out == ""
    assert reason in err
    assert err.count("\n") == 1
    assert err.startswith("slagboom: ")
