"""The real server as its operator sees it: its own port, its lines, and nobody in either."""

from __future__ import annotations

import json
import socket
import sqlite3
import urllib.request
from contextlib import closing
from typing import TYPE_CHECKING, Any

from kit_samples import ORIGIN
from ports import find_port
from server_process import SECONDS, Server, make_body, run, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ADDRESS = "198.51.100.213"
AGENT = "Mozilla/5.0 (Sentinel; rv:7.7) Zeldzaam/7.7"
SECRETS = (ADDRESS, "198.51.100", "c6.33.64", "Sentinel", "Zeldzaam", "Mozilla")
"""What a visitor sends, in whole and in part."""


def fetch(port: int, path: str) -> str:
    address = f"http://127.0.0.1:{port}{path}"
    with urllib.request.urlopen(address, timeout=SECONDS) as answer:
        body: bytes = answer.read()
    return body.decode()


def speak(server: Server, text: str, *, stays: bool = True) -> bytes:
    """The beginning of the answer to bytes that may be no HTTP at all. stays: to hear it."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as visitor:
        visitor.sendall(text.replace("\n", "\r\n").encode("latin-1"))
        return visitor.recv(200) if stays else b""


def post(body: str, *, path: str = "/s/acme/decisions", more: str = "") -> str:
    return (
        f"POST {path} HTTP/1.1\nHost: kit\nOrigin: {ORIGIN}\nUser-Agent: {AGENT}\n"
        f"X-Forwarded-For: {ADDRESS}\n{more}Connection: close\n"
        f"Content-Length: {len(body)}\n\n{body}"
    )


def strange_requests(server: Server, number: int) -> Iterator[str]:
    """Requests that go wrong in every way, with a visitor's address and user agent wherever."""
    body = make_body(server, number)
    yield post(json.dumps(body))
    yield post(json.dumps({**body, "decision_id": ADDRESS, "language": AGENT}))
    yield post(json.dumps({**body, AGENT: ADDRESS}))
    yield post(f"{{ {AGENT} {ADDRESS}")
    yield post("{}", path=f"/s/{ADDRESS}/decisions")
    yield post("{}", path=f"/s/acme/records/{ADDRESS}?{ADDRESS}")
    yield post(ADDRESS, path="/s/acme/shown")
    yield f"{AGENT} {ADDRESS}\n\n"
    yield f"GET /{ADDRESS} HTTP/9.9\nUser-Agent: {AGENT}\n\n"
    yield f"GET / HTTP/1.1\n{AGENT}\nX: {ADDRESS}\n\n"
    yield f"POST /s/acme/decisions HTTP/1.1\nHost: kit\nContent-Length: {ADDRESS}\n\n"
    yield (
        f"GET /s/acme/decisions?{ADDRESS} HTTP/1.1\nHost: kit\nConnection: Upgrade\n"
        f"Upgrade: websocket\nSec-WebSocket-Version: 13\nX-Forwarded-For: {ADDRESS}\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nUser-Agent: {AGENT}\n\n"
    )


def send_all(server: Server, requests: Sequence[str]) -> None:
    for request in requests:
        speak(server, request)
        # And the same visitor gone before it is all there.
        speak(server, request[: 2 * len(request) // 3], stays=False)


def test_nothing_a_visitor_sends_reaches_a_line_or_a_figure(policies: Path, tmp_path: Path) -> None:
    port = find_port()
    options = {"SLAGBOOM_LOG_FORMAT": "json", "SLAGBOOM_METRICS_PORT": str(port)}
    with serving(policies, tmp_path, **options) as server:
        requests = [list(strange_requests(server, number)) for number in (1, 2)]
        send_all(server, requests[0])
        # The same once more while the log is broken, with errors of the database behind them.
        with closing(sqlite3.connect(tmp_path / "slagboom.db")) as connection:
            connection.execute("ALTER TABLE records RENAME COLUMN ip TO gone")
            send_all(server, requests[1])
            connection.execute("ALTER TABLE records RENAME COLUMN gone TO ip")
        figures = fetch(port, "/metrics")
        stored = json.dumps(make_body(server, 3))
        again = speak(server, post(stored))
        code = server.stop()

    assert again.startswith(b"HTTP/1.1 201")
    assert code == 0
    for secret in SECRETS:
        assert secret.lower() not in server.said.lower()
        assert secret.lower() not in figures.lower()
    said = server.said.splitlines()
    assert any("decisions were not stored" in line for line in said)
    # Standard output beside it is for people: the lint's warnings and the address.
    lines = [json.loads(line) for line in said if line.startswith("{")]
    assert {"time", "level", "logger", "process", "message"} <= lines[0].keys()
    assert any(line["level"] == "error" for line in lines)
    others = [line for line in said if not line.startswith("{")]
    assert all("policies" in line or "Slagboom listens" in line for line in others), others


def test_each_worker_tells_its_figures_at_a_port_of_its_own(policies: Path, tmp_path: Path) -> None:
    first = find_port_pair()
    with serving(policies, tmp_path, workers=2, SLAGBOOM_METRICS_PORT=str(first)) as server:
        for number in range(1, 21):
            body = json.dumps(make_body(server, number)).encode()
            assert server.open("/s/acme/decisions", body)[0] == 201
        told = [fetch(first + worker, "/metrics") for worker in (0, 1)]
        ready = [json.loads(fetch(first + worker, "/health/ready")) for worker in (0, 1)]
        public = server.open("/metrics")[0]
        code = server.stop()

    name = 'slagboom_decisions_total{action="accept_all",result="stored",site="acme"} '
    counted = [line for text in told for line in text.splitlines() if line.startswith(name)]
    assert sum(float(line.removeprefix(name)) for line in counted) == 20
    assert [each["status"] for each in ready] == ["ready", "ready"]
    assert public == 404
    assert code == 0


def find_port_pair() -> int:
    """A free port, whose next one is free too."""
    while True:
        port = find_port()
        try:
            socket.create_server(("127.0.0.1", port + 1)).close()
        except OSError:
            continue
        return port


def test_the_port_of_the_figures_may_not_be_taken(policies: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run(
            *("serve", "--policies", policies, "--port", find_port(), "--metrics-port", port),
            *("--database", f"sqlite:///{tmp_path / 'slagboom.db'}"),
        )

    assert ended.returncode == 2
    assert f"127.0.0.1:{port}: cannot listen there: " in ended.stderr
    assert "give another --metrics-port" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_the_limit_of_a_network_is_on_by_default_and_counted(
    policies: Path, tmp_path: Path
) -> None:
    port = find_port()
    options = {"SLAGBOOM_RATE_LIMIT": "3", "SLAGBOOM_METRICS_PORT": str(port)}
    with serving(policies, tmp_path, **options) as server:
        bodies = [json.dumps(make_body(server, number)) for number in range(1, 6)]
        answers = [speak(server, post(body)) for body in bodies]
        other = server.open("/s/acme/decisions", bodies[4].encode())[0]
        figures = fetch(port, "/metrics")
    shown: Any = run("serve", "--help").stdout

    assert [answer[9:12] for answer in answers] == [b"201", b"201", b"201", b"429", b"429"]
    assert other == 201, "another network"
    assert 'slagboom_rate_limited_total{kind="decisions",site="acme"} 2.0' in figures
    assert "[default: 600]" in shown
