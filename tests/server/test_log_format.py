from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING

import pytest
from kit_samples import ADDRESS, USER_AGENT

from slagboom_server.log_format import JsonFormatter, TextFormatter

if TYPE_CHECKING:
    from collections.abc import Callable


def fail() -> None:
    """An error whose text repeats what a visitor sent, inside another one that does so too."""
    try:
        int(ADDRESS)
    except ValueError as error:
        raise RuntimeError(USER_AGENT) from error


def written(make: Callable[[], logging.Formatter], *, with_error: bool) -> str:
    logger = logging.Logger("slagboom_server.test")  # noqa: LOG001 -- one that nobody else has
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(make())
    logger.addHandler(handler)
    if with_error:
        try:
            fail()
        except RuntimeError:
            logger.exception("%d decisions were not stored", 3)
    else:
        logger.warning("the clock was set back by %s", "0:00:03\n“quoted”")
    return out.getvalue()


@pytest.mark.parametrize("make", [TextFormatter, JsonFormatter])
def test_a_traceback_tells_kinds_and_places_but_no_errors_own_text(
    make: Callable[[], logging.Formatter],
) -> None:
    told = written(make, with_error=True)

    assert "3 decisions were not stored" in told
    assert "builtins.ValueError" in told
    assert told.index("builtins.ValueError") < told.index("builtins.RuntimeError")
    assert "test_log_format.py" in told
    assert "in fail" in told
    assert ADDRESS not in told
    assert "Mozilla" not in told


@pytest.mark.parametrize("with_error", [False, True])
def test_each_message_is_one_line_of_json(*, with_error: bool) -> None:
    told = written(JsonFormatter, with_error=with_error)
    line = json.loads(told)

    assert told.count("\n") == 1
    assert line.keys() - {"error"} == {"time", "level", "logger", "process", "message"}
    assert line["level"] == ("error" if with_error else "warning")
    assert line["logger"] == "slagboom_server.test"
    assert line["time"].endswith("Z")
    assert ("error" in line) == with_error
    if not with_error:
        assert line["message"] == "the clock was set back by 0:00:03\n“quoted”"
