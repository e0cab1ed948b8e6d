"""`slagboom …` as it is called on a command line, in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from slagboom_server.__main__ import main

if TYPE_CHECKING:
    Capture = pytest.CaptureFixture[str]

Run = Callable[..., tuple[int, str, str]]
"""Runs a command of these arguments; returns its exit code and what stood on stdout and stderr."""


def make_run(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Run:
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["slagboom", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return int(end.value.code or 0), out, err

    return run
