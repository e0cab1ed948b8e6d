"""An answer that goes to uvicorn's connection in one piece says what the ordinary way says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import uvicorn
from event_loop import in_loop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from slagboom_server.direct_answer import send_answer

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = [(b"content-type", b"application/json"), (b"vary", b"Origin")]
BODY = b'{"receipt":"1"}'


class Wire(asyncio.Transport):
    """A connection that keeps each piece written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.pieces.append(bytes(data))

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def pause_reading(self) -> None:
        """Nothing comes by itself."""

    def resume_reading(self) -> None:
        """As above."""


async def answer_directly(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send_answer(send, 201, HEADERS, BODY)


async def answer_wrapped(_scope: Scope, _receive: Receive, send: Send) -> None:
    async def passed(message: Message) -> None:
        await send(message)

    await send_answer(passed, 201, HEADERS, BODY)


def talk(app: ASGIApp, *requests: bytes) -> tuple[Wire, HttpToolsProtocol, ServerState]:
    """What an app says to requests on one connection of uvicorn's."""

    async def run() -> tuple[Wire, HttpToolsProtocol, ServerState]:
        config = uvicorn.Config(app, access_log=False, log_config=None, proxy_headers=False)
        config.load()
        state, wire = ServerState(), Wire()
        state.default_headers = [(b"date", b"Sat, 21 Nov 2026 12:00:00 GMT")]
        protocol = HttpToolsProtocol(config, state, {})
        protocol.connection_made(wire)
        for request in requests:
            protocol.data_received(request)
            await asyncio.gather(*state.tasks)
        return wire, protocol, state

    return in_loop(run())


@pytest.mark.parametrize("close", [b"", b"Connection: close\r\n"])
def test_both_ways_say_the_same(close: bytes) -> None:
    request = b"POST / HTTP/1.1\r\nHost: kit\r\n%bContent-Length: 2\r\n\r\n{}" % close
    direct, direct_protocol, direct_state = talk(answer_directly, request)
    ordinary, ordinary_protocol, ordinary_state = talk(answer_wrapped, request)

    assert len(direct.pieces) == 1
    assert len(ordinary.pieces) == 2
    assert direct.pieces == [b"".join(ordinary.pieces)]
    assert direct.is_closed is ordinary.is_closed is bool(close)
    assert direct_state.total_requests == ordinary_state.total_requests == 1
    for protocol in (direct_protocol, ordinary_protocol):
        assert protocol.cycle.response_complete


def test_a_connection_is_kept_for_the_next_request() -> None:
    request = b"POST / HTTP/1.1\r\nHost: kit\r\nContent-Length: 2\r\n\r\n{}"
    wire, _, state = talk(answer_directly, request, request, request)

    assert len(wire.pieces) == 3
    assert len(set(wire.pieces)) == 1
    assert not wire.is_closed
    assert state.total_requests == 3


def test_a_browser_that_waits_for_the_word_to_send_is_answered() -> None:
    request = b"POST / HTTP/1.1\r\nHost: kit\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}"
    wire, _, _ = talk(answer_directly, request)

    assert wire.pieces[-1].startswith(b"HTTP/1.1 201 Created\r\n")
    assert wire.pieces[-1].endswith(b"\r\n\r\n" + BODY)
