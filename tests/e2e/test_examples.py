from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from examples import NAMES, find_wordpress, wanted_examples

ROOT = Path(__file__).parents[2]


def set_up(**variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "tools/examples.py"],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        check=False,
        text=True,
    )


def test_every_example_is_wanted_unless_some_are_named() -> None:
    assert wanted_examples({}) == NAMES
    assert wanted_examples({"SLAGBOOM_EXAMPLES": "vue, next"}) == ("vue", "next")
    assert wanted_examples({"SLAGBOOM_EXAMPLES": ""}) == ()


@pytest.mark.parametrize("named", ["angular", "react,angular", "react,"])
def test_a_name_that_is_no_example_is_refused_in_one_line(named: str) -> None:
    done = set_up(SLAGBOOM_EXAMPLES=named)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("SLAGBOOM_EXAMPLES: '")
    assert done.stderr.endswith("' is none of react, vue, next, wordpress\n")


def test_without_php_one_line_says_what_to_install_or_leave_out(tmp_path: Path) -> None:
    done = set_up(SLAGBOOM_EXAMPLES="wordpress", PATH=str(tmp_path))

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "apt-get install php-cli php-mysql" in done.stderr
    assert "SLAGBOOM_EXAMPLES=" in done.stderr


def test_who_wants_no_example_needs_nothing_installed(tmp_path: Path) -> None:
    done = set_up(SLAGBOOM_EXAMPLES="", PATH=str(tmp_path))

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_only_a_folder_with_wordpress_in_it_is_taken_for_one(tmp_path: Path) -> None:
    named = {"SLAGBOOM_WORDPRESS": str(tmp_path)}

    assert find_wordpress(named) is None
    tmp_path.joinpath("wp-settings.php").touch()
    assert find_wordpress(named) == tmp_path
