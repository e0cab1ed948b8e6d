"""One visitor's connection cannot fill the memory, and one that behaves notices nothing of it."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kit_samples import ORIGIN, copy_policies
from server_process import SECONDS, Server, make_body, serving

from slagboom_server.http_connection import MAX_HEAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

MEBI = 2**20
GET = b"GET /%b HTTP/1.1\r\nHost: kit\r\n%b\r\n"
ALIVE = GET % (b"health/live", b"")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with serving(copy_policies(folder), folder) as started:
        yield started


@contextlib.contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as visitor:
        yield visitor


def read_answers(visitor: socket.socket, number: int) -> list[int]:
    """The statuses of so many answers, or of fewer where the server closes before."""
    statuses: list[int] = []
    with visitor.makefile("rb") as answers:
        while len(statuses) < number and (line := answers.readline()):
            statuses.append(int(line.split()[1]))
            length = 0
            while (header := answers.readline().strip().lower()) != b"":
                if header.startswith(b"content-length:"):
                    length = int(header.split()[1])
            answers.read(length)
    return statuses


def read_memory(server: Server) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text("ascii")
    match = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert match is not None
    return int(match[1]) * 1024


def make_post(server: Server, number: int, headers: str = "") -> bytes:
    content = json.dumps(make_body(server, number)).encode()
    head = f"POST /s/acme/decisions HTTP/1.1\r\nHost: kit\r\nOrigin: {ORIGIN}\r\n{headers}"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


def test_requests_sent_ahead_are_all_answered_in_their_order(server: Server) -> None:
    sent = [(ALIVE, 200), (GET % (b"nothing", b"X: %b\r\n" % (b"a" * 2000)), 404)] * 100
    sent += [(make_post(server, number), 201) for number in range(1, 41)]
    with connected(server) as visitor:
        visitor.sendall(b"".join(request for request, _ in sent))
        statuses = read_answers(visitor, len(sent))
        # And the connection is as good as before.
        visitor.sendall(ALIVE)
        statuses += read_answers(visitor, 1)

    assert statuses == [*(status for _, status in sent), 200]


def test_a_request_that_comes_byte_by_byte_or_after_a_pause_is_whole(server: Server) -> None:
    request = make_post(server, 100, f"X: {'a' * 3000}\r\nExpect: 100-continue\r\n")
    head, _, body = request.partition(b"\r\n\r\n")
    with connected(server) as visitor:
        visitor.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in head + b"\r\n\r\n":
            visitor.send(bytes([byte]))
        assert visitor.recv(100).startswith(b"HTTP/1.1 100 ")
        visitor.sendall(body)
        assert read_answers(visitor, 1) == [201]


@pytest.mark.parametrize("kind", ["health", "decisions"])
def test_who_sends_without_end_and_reads_nothing_waits_and_fills_no_memory(
    server: Server, kind: str
) -> None:
    block = ALIVE * 2000 if kind == "health" else make_post(server, 101) * 200
    server.open("/health/live")
    before = read_memory(server)
    sent = 0
    with connected(server) as visitor:
        visitor.settimeout(1)
        with contextlib.suppress(TimeoutError):
            while sent < 30 * MEBI:
                sent += visitor.send(block)
        grown = read_memory(server) - before
        assert server.open("/health/live") == (200, b"ok\n")

    assert sent < 30 * MEBI, "the sender was never made to wait"
    assert grown < 16 * MEBI


def send_until_refused(visitor: socket.socket, begin: bytes, go_on: bytes) -> bytes:
    """What is answered to a head that does not end."""
    with contextlib.suppress(ConnectionError):
        visitor.sendall(begin)
        for _ in range(2 * MAX_HEAD_BYTES // len(go_on)):
            visitor.sendall(go_on)
    with contextlib.suppress(ConnectionError):
        return visitor.recv(1000)
    return b""


@pytest.mark.parametrize(
    ("begin", "go_on"),
    [
        (b"GET /health/live HTTP/1.1\r\nHost: kit\r\nX: ", b"a" * 512),
        (b"GET /health/live HTTP/1.1\r\nHost: kit\r\n", b"a: b\r\n" * 100),
        (b"GET /s/acme/", b"a" * 512),
        (
            b"POST /s/acme/decisions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            b"a: b\r\n" * 100,
        ),
    ],
    ids=["a header", "headers", "an address", "trailers"],
)
def test_a_head_without_end_is_refused(server: Server, begin: bytes, go_on: bytes) -> None:
    with connected(server) as visitor:
        answer = send_until_refused(visitor, begin, go_on)
        visitor.settimeout(SECONDS)
        with contextlib.suppress(ConnectionError):
            # Nobody waits for more of it.
            while visitor.recv(1000):
                pass

    assert answer[:12] in {b"HTTP/1.1 431", b"HTTP/1.1 403", b""}
    assert server.open("/health/live") == (200, b"ok\n")


def test_a_head_of_the_size_that_browsers_send_is_none_too_large(server: Server) -> None:
    cookies = b"Cookie: a=%b\r\n" % (b"b" * 32_000)
    with connected(server) as visitor:
        for _ in range(4):
            visitor.sendall(GET % (b"health/live", cookies))
        assert read_answers(visitor, 4) == [200] * 4


def test_a_body_that_is_too_large_is_answered_and_nothing_else_is_said(server: Server) -> None:
    head = f"POST /s/acme/decisions HTTP/1.1\r\nHost: kit\r\nOrigin: {ORIGIN}\r\n"
    with connected(server) as visitor:
        visitor.sendall(f"{head}Content-Length: 300000\r\n\r\n".encode() + b"a" * 300_000 + ALIVE)
        assert read_answers(visitor, 2) == [413, 200]


def test_asking_for_another_protocol_is_answered_without_a_line(server: Server) -> None:
    before = server.said
    with connected(server) as visitor:
        visitor.sendall(GET % (b"nothing", b"Connection: Upgrade\r\nUpgrade: websocket\r\n"))
        assert read_answers(visitor, 1) == [404]

    assert server.said == before
