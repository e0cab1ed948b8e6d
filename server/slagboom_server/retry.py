"""Transactions that another writer got in the way of, tried again a few times.

PostgreSQL and the engines compatible with it undo one of two transactions that wait for each other
or cannot be put in an order, and expect it again. One that has waited too long for a lock may find
a way round it then. The pauses grow, and differ by chance so that the two do not meet again.
"""

from __future__ import annotations

import functools
import secrets
import time
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from slagboom_server.errors import Contended

if TYPE_CHECKING:
    from collections.abc import Callable

_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")

_PAUSES_MS: Final = (2, 8, 32, 128, 512)
"""Between six attempts, so that a visitor hears within a second that the log is busy."""


def retried(transaction: Callable[_Arguments, _Answer]) -> Callable[_Arguments, _Answer]:
    """The transaction, tried again while it is Contended. It must start from nothing each time."""

    @functools.wraps(transaction)
    def attempt(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Answer:
        for pause_ms in _PAUSES_MS:
            try:
                return transaction(*arguments, **named)
            except Contended:
                time.sleep(pause_ms * (500 + secrets.randbelow(1000)) / 1_000_000)
        return transaction(*arguments, **named)

    return attempt
