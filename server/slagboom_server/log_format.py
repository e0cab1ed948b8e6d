"""What the server says of itself, as lines for people or as JSON for machines.

Nothing personal may stand in it. What our own code says names no visitor; an error of somebody
else's code may repeat whatever it was given, so a traceback is told without any error's own text.
"""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from slagboom_server.export import format_time

if TYPE_CHECKING:
    from types import TracebackType

LogFormat = Literal["text", "json"]

_TEXT: Final = "%(asctime)s %(levelname)s %(message)s"


class _Discreet(logging.Formatter):
    """Tells of an error its kinds and places only."""

    def formatException(  # noqa: N802 -- the library's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        """The chain of errors, the first cause first, each with the lines it came through."""
        parts: list[str] = []
        error = ei[1]
        while error is not None:
            frames = traceback.format_tb(error.__traceback__)
            parts.append("".join([*frames, f"{type(error).__module__}.{type(error).__qualname__}"]))
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\nwhich led to\n".join(reversed(parts))


class TextFormatter(_Discreet):
    """One line a message, more where there is a traceback."""

    def __init__(self) -> None:
        super().__init__(_TEXT)


class JsonFormatter(_Discreet):
    """One JSON object a line: time (ISO 8601, UTC), level, logger, message, error if there is one.

    A server with workers adds nothing to tell them apart but `process`, the number of each.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        said: dict[str, object] = {
            "time": format_time(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["error"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


def prepare_logging(shape: LogFormat) -> None:
    """Sends what is said to the error output in one shape."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if shape == "json" else TextFormatter())
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Warnings of libraries would pass by as bare lines.
    logging.captureWarnings(capture=True)
