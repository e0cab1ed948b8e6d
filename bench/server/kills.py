"""Kills under load: whether everything that was acknowledged is in the log afterwards."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
import uuid
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Final

from bench.server.load import HEADERS
from bench.server.subjects import SITE, find_origin, running_kit
from slagboom_server.store_sql import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_SENDERS: Final = 16
_LOAD_SECONDS: Final = (0.2, 1.2)
"""A kill comes at any moment within, so that it meets every state of a commit."""


@dataclass(slots=True)
class Kills:
    """What came of them."""

    times: int = 0
    acknowledged: list[uuid.UUID] = field(default_factory=list)
    lost: int = 0


def kill_under_load(folder: Path, database: str, decisions: Sequence[str], times: int) -> Kills:
    """Starts the kit, loads it, kills it, so many times, then looks for what it acknowledged."""
    kills = Kills()
    chance = random.Random()  # noqa: S311  any moment will do
    parts = (header.partition(": ") for header in HEADERS)
    headers = {name: value for name, _, value in parts}
    headers |= {"Origin": find_origin(), "Content-Type": "text/plain"}
    for _ in range(times):
        with running_kit(folder, database) as kit:
            stop = threading.Event()
            arguments = (kit.port, headers, decisions, kills.acknowledged, stop)
            senders = [threading.Thread(target=_send, args=arguments) for _ in range(_SENDERS)]
            for sender in senders:
                sender.start()
            time.sleep(chance.uniform(*_LOAD_SECONDS))
            # The whole group: nobody is left who could finish a commit.
            os.killpg(kit.process, signal.SIGKILL)
            stop.set()
            for sender in senders:
                sender.join()
        kills.times += 1
    with closing(open_store(database)) as store:
        kills.lost = sum(store.record(decision) is None for decision in kills.acknowledged)
    return kills


def _send(
    port: int,
    headers: Mapping[str, str],
    decisions: Sequence[str],
    acknowledged: list[uuid.UUID],
    stop: threading.Event,
) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    while not stop.is_set():
        decision = make_uuid7()
        body = random.choice(decisions)  # noqa: S311  any of them
        body = body.replace("{v7}", str(decision)).replace("{v4}", str(uuid.uuid4()))
        octets = decision.bytes[-3:]
        address = f"11.{octets[0]}.{octets[1]}.{octets[2]}"
        sent = {**headers, "X-Forwarded-For": address}
        try:
            connection.request("POST", f"/s/{SITE}/decisions", body, sent)
            answer = connection.getresponse()
            answer.read()
        except (OSError, HTTPException):
            break
        if answer.status == HTTPStatus.CREATED:
            acknowledged.append(decision)
    connection.close()


def make_uuid7() -> uuid.UUID:
    """A time-ordered identifier, as browsers make them (RFC 9562)."""
    number = time.time_ns() // 1_000_000 << 80 | uuid.uuid4().int & ((1 << 80) - 1)
    return uuid.UUID(int=number & ~(0xF << 76) | 0x7 << 76)
