from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from slagboom_e2e.driver import EngineError, await_true
from slagboom_e2e.engines import wanted_engines
from slagboom_e2e.program import running

ROOT = Path(__file__).parents[2]
START = """
import sys
from playwright.sync_api import sync_playwright
from slagboom_e2e.driver import EngineError
from slagboom_e2e.engines import start_engine
with sync_playwright() as playwright:
    try:
        start_engine(sys.argv[1], playwright)
    except EngineError as error:
        print(error)
"""


def test_every_engine_is_wanted_unless_some_are_named() -> None:
    assert wanted_engines({}) == ("chromium", "firefox", "webkit")
    assert wanted_engines({"SLAGBOOM_ENGINES": "chromium"}) == ("chromium",)
    assert wanted_engines({"SLAGBOOM_ENGINES": "webkit, firefox"}) == ("webkit", "firefox")


@pytest.mark.parametrize("named", ["", "opera", "firefox,opera", "firefox,"])
def test_a_name_that_is_no_engine_is_refused_in_one_line(named: str) -> None:
    with pytest.raises(EngineError, match=r"^SLAGBOOM_ENGINES: '\w*' is none of .*webkit$"):
        wanted_engines({"SLAGBOOM_ENGINES": named})


@pytest.mark.parametrize("engine", ["firefox", "webkit"])
def test_an_engine_that_is_nowhere_is_refused_in_one_line(tmp_path: Path, engine: str) -> None:
    nowhere = {"PATH": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, "-c", START, engine],
        env={**os.environ, **nowhere},
        capture_output=True,
        check=True,
        text=True,
    )

    (line,) = done.stdout.splitlines()
    assert line.startswith(f"{engine}: none on the path, and Playwright's does not start (")


def test_the_set_up_refuses_an_unknown_engine_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "tools/engines.py"],
        cwd=ROOT,
        env={**os.environ, "SLAGBOOM_ENGINES": "opera"},
        capture_output=True,
        check=False,
        text=True,
    )

    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "opera" in line


def test_a_program_that_ends_too_early_is_named_with_its_last_words(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", "echo first >&2; echo 'no display' >&2; exit 3"]

    with (
        running(command, tmp_path) as program,
        pytest.raises(EngineError, match=r"^sh ended with 3: no display$"),
    ):
        program.await_true(lambda: None, "an answer")


def test_no_process_is_left_when_a_program_is_no_longer_needed(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", "sleep 600 & echo $!; wait"]

    with running(command, tmp_path) as program:
        child = int(program.await_true(program.output.read_text, "its child"))
        os.kill(child, 0)

    def is_gone() -> bool:
        status = Path(f"/proc/{child}/stat")
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"

    await_true(is_gone, "the child's end")
