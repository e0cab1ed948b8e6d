"""Coroutines in tests, whoever else has an event loop.

Playwright's synchronous API keeps one running on the main thread of its process from the first
browser test to the last, and on a thread with a running loop `asyncio.run` refuses to start one.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


def in_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns, run to its end in a loop on a thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
