from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from slagboom_e2e.browser import find_chromium, launch_arguments

ROOT = Path(__file__).parents[2]


def program(path: Path, exit_code: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exit {exit_code}\nexit 9\n')
    path.chmod(0o755)
    return path


def test_the_program_named_by_the_developer_comes_before_the_path(tmp_path: Path) -> None:
    program(tmp_path / "bin/chromium")
    named = program(tmp_path / "elsewhere/my-browser")

    found = find_chromium({"PATH": str(tmp_path / "bin"), "SLAGBOOM_CHROMIUM": str(named)})

    assert found == named


@pytest.mark.parametrize("exit_code", [None, 127])
def test_a_named_program_that_does_not_run_is_not_replaced_by_another(
    tmp_path: Path, exit_code: int | None
) -> None:
    program(tmp_path / "bin/chromium")
    named = tmp_path / "broken"
    if exit_code is not None:
        program(named, exit_code)

    found = find_chromium({"PATH": str(tmp_path / "bin"), "SLAGBOOM_CHROMIUM": str(named)})

    assert found is None


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_one_on_the_path_comes_before_playwrights_own(tmp_path: Path, name: str) -> None:
    on_the_path = program(tmp_path / "bin" / name)
    program(tmp_path / "cache/chromium-1255/chrome-linux64/chrome")

    found = find_chromium(
        {"PATH": str(tmp_path / "bin"), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "cache")}
    )

    assert found == on_the_path


def test_one_that_cannot_start_is_passed_over(tmp_path: Path) -> None:
    program(tmp_path / "bin/chromium", exit_code=127)
    working = program(tmp_path / "bin/google-chrome")

    found = find_chromium({"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)})

    assert found == working


def test_playwrights_newest_build_in_the_home_folder_is_found(tmp_path: Path) -> None:
    folder = tmp_path / ".cache/ms-playwright"
    program(folder / "chromium-1254/chrome-linux/chrome")
    newest = program(folder / "chromium-1255/chrome-linux64/chrome")
    program(folder / "firefox-1600/firefox/firefox")

    found = find_chromium({"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)})

    assert found == newest


def test_a_machine_without_chromium_is_answered_with_none(tmp_path: Path) -> None:
    assert find_chromium({"PATH": str(tmp_path), "HOME": str(tmp_path)}) is None


def test_root_starts_without_the_sandbox_and_nobody_else_does() -> None:
    assert ("--no-sandbox" in launch_arguments()) == (os.geteuid() == 0)


def test_the_module_imports_nothing_outside_the_standard_library() -> None:
    code = "import sys, slagboom_e2e.browser; print(*sys.modules)"

    # -S leaves site-packages out: a library asked for could not be imported.
    result = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=ROOT / "e2e",
        capture_output=True,
        text=True,
        check=False,
    )

    imported = {name.partition(".")[0] for name in result.stdout.split()}
    assert result.stderr == ""
    assert imported - sys.stdlib_module_names == {"__main__", "slagboom_e2e"}
