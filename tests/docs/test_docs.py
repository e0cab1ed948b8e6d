"""The documentation says what is true of this checkout: its commands, its paths, its links."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import re
import subprocess
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from slagboom_server.cli import app

ROOT = Path(__file__).parents[2]

CODE = re.compile(
    r"^```\w*\n(?P<block>.*?)^```|(?<!`)`(?P<span>[^`\n]+)`(?!`)", re.DOTALL | re.MULTILINE
)
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ +(?P<title>.+)$", re.MULTILINE)
MAKE = re.compile(r"(?:^|&& |; )(?:\$ +)?make +(?P<target>[a-z][a-z-]*)")
COMMAND = re.compile(
    r"(?:\$ +)?(?:\.venv/bin/)?slagboom(?P<words>(?: +[a-z][a-z-]*(?!\S))*)(?P<rest>(?: .*)?)"
)
OPTION = re.compile(r"(?<!\S)--[a-z][a-z-]*")
CHANGES = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]

# Escaped as they are, these expressions do not match their own lines.
FORBIDDEN = {
    "a package registry": re.compile(r"pypi\.org|npmjs\.(org|com)|pythonhosted\.org|yarnpkg\.com"),
    "a path of one machine": re.compile(r"(?<![\w.])/(work|root|home/\w+|tmp/[a-z]+)/"),
}


def tracked_files() -> list[Path]:
    """Every file git has, or would take with `git add --all`."""
    listing = subprocess.run(
        # Git refuses the checkout of another user, which is what CI often gives to root.
        ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    files = (ROOT / name for name in listing.stdout.splitlines())
    return sorted({file for file in files if file.is_file()})


FILES = tracked_files()
DOCUMENTS = [file for file in FILES if file.suffix == ".md"]
IDS = [str(document.relative_to(ROOT)) for document in DOCUMENTS]
on_every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)


def code_lines(document: Path) -> list[str]:
    text = document.read_text(encoding="utf-8")
    found = (match["block"] or match["span"] for match in CODE.finditer(text))
    joined = (code.replace("\\\n", " ") for code in found)
    return [line.strip() for code in joined for line in code.splitlines()]


def make_targets() -> set[str]:
    (phony,) = re.findall(
        r"^\.PHONY: (.+)$", ROOT.joinpath("Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    return set(phony.split())


def anchors(document: Path) -> set[str]:
    """Each heading's anchor as GitHub and Forgejo make it."""
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    titles = (match["title"].strip().lower() for match in HEADING.finditer(text))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def options_of(*words: str) -> set[str] | None:
    """The options of the command that begins with these words, None where there is none."""
    command = get_command(app)
    for word in words:
        if not isinstance(command, TyperGroup):
            break  # it takes the word as an argument
        if word not in command.commands:
            return None
        command = command.commands[word]
    names = [(*option.opts, *option.secondary_opts) for option in command.params]
    return {"--help", *itertools.chain(*names)}


@pytest.mark.parametrize(
    "name",
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "LICENSE"],
)
def test_the_documents_a_visitor_looks_for_are_there(name: str) -> None:
    assert ROOT.joinpath(name).is_file()


@on_every_document
def test_every_make_target_that_a_document_names_exists(document: Path) -> None:
    named = {match["target"] for line in code_lines(document) for match in MAKE.finditer(line)}

    assert named - make_targets() == set()


def test_make_alone_lists_every_command_once() -> None:
    # Without the variables that a make around this test passes on.
    answer = subprocess.run(
        ["make"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )

    listed = [line.split()[1] for line in answer.stdout.splitlines()]

    assert sorted(listed) == sorted(make_targets())
    assert answer.stderr == ""


@on_every_document
def test_every_command_that_a_document_names_exists_with_its_options(
    document: Path,
) -> None:
    wrong = []
    for match in filter(None, map(COMMAND.fullmatch, code_lines(document))):
        known = options_of(*match["words"].split())
        if known is None or set(OPTION.findall(match["rest"])) - known:
            wrong.append(match[0])

    assert wrong == []


def test_the_readme_says_how_to_start_and_how_to_test() -> None:
    lines = code_lines(ROOT / "README.md")

    assert {"make run", "make test"} <= {line.partition("#")[0].strip() for line in lines}


def table_rows(text: str) -> dict[str, list[str]]:
    """The cells behind the first one of each row, medians without their quartiles, by that one."""
    lines = (
        line[2:].removesuffix(" |").split(" | ")
        for line in text.splitlines()
        if line.startswith("| ")
    )
    return {name: [cell.partition(" [")[0] for cell in cells] for name, *cells in lines}


def test_the_readme_has_the_figures_of_the_table_that_was_measured() -> None:
    bench = ROOT.joinpath("docs/bench.md").read_text(encoding="utf-8")
    measured = table_rows(bench.partition("<!-- /make bench: client -->")[0])
    ours = measured[""].index("slagboom")
    readme = ROOT.joinpath("README.md").read_text(encoding="utf-8")
    told = table_rows(readme.partition("## What it costs a visitor")[2].partition("\n## ")[0])

    assert len(told) > 5
    for name, cells in told.items():
        if name not in {"", "---"}:
            best = next(cell for cell in measured[name] if cell.startswith("**"))
            expected = [measured[name][ours], best.strip("*")]
            assert [cell.replace(",", "") for cell in cells] == expected, name


@on_every_document
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    targets = [match["target"] for match in LINK.finditer(text)]

    dead = []
    for target in targets:
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append(target)

    assert dead == []


@on_every_document
def test_every_path_that_a_document_names_exists(document: Path) -> None:
    """A path in code that begins with a folder of this checkout; `<…>` and `…` are stand-ins."""
    folders = {file.relative_to(ROOT).parts[0] for file in FILES if file.parent != ROOT}
    words = {word.strip("\"',:;()") for line in code_lines(document) for word in line.split()}
    paths = {word for word in words if "/" in word and word.partition("/")[0] in folders}

    exact = {path for path in paths if not re.search(r"[<>{}…]", path)}

    assert {path for path in exact if not any(ROOT.glob(path.rstrip("/")))} == set()


def test_the_changelog_keeps_its_format() -> None:
    text = ROOT.joinpath("CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## (.+)$", text, re.MULTILINE)
    sections = re.findall(r"^### (.+)$", text, re.MULTILINE)
    entries = re.findall(r"^- (.+)$", text, re.MULTILINE)

    assert text.startswith("# Changelog\n")
    assert versions[0] == "[Unreleased]"
    dates = [re.fullmatch(r"\[\d+\.\d+\.\d+\] - (\S+)", version) for version in versions[1:]]
    released = [dt.date.fromisoformat(date[1]) for date in dates if date]
    assert len(released) == len(versions) - 1
    assert released == sorted(released, reverse=True)
    assert set(sections) <= set(CHANGES)
    assert [entry for entry in entries if not entry.endswith(".")] == []
    assert entries


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names_a_registry_or_a_machine(what: str) -> None:
    # Third-party code stands as it was published.
    own = [file for file in FILES if "vendor" not in file.parts]
    found = []
    for file in own:
        text = file.read_bytes().decode("utf-8", errors="replace")
        lines = enumerate(text.splitlines(), 1)
        found += [f"{file}:{number}" for number, line in lines if FORBIDDEN[what].search(line)]

    assert found == []
