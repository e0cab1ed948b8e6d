"""A real RFC 3161 authority on this machine: `openssl ts` behind a small HTTP server."""

from __future__ import annotations

import subprocess
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CONFIG = """
[ tsa ]
default_tsa = here
[ here ]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.13762.3
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_chain = yes
ess_cert_id_alg = sha256
"""


@dataclass
class Authority:
    """url: where it answers. root: its certificate, PEM. requests: how many it has had."""

    url: str
    root: Path
    requests: int = 0
    answer: bytes | None = None
    """Given instead of a time-stamp, where a test wants it."""

    drips: threading.Event | None = None
    """Until it is set, the head or (drips_body) the body of an answer comes byte by byte."""

    drips_body: bool = False


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def _make_certificates(folder: Path) -> None:
    new = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650")
    _openssl(folder, *new, "-subj", "/CN=Test root", "-keyout", "ca.key", "-out", "ca.pem")
    request = ("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Test authority")
    _openssl(folder, *request, "-keyout", "tsa.key", "-out", "tsa.csr")
    (folder / "usage").write_text(
        "extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n"
    )
    sign = ("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key")
    out = ("-days", "3650", "-CAcreateserial", "-extfile", "usage", "-out", "tsa.pem")
    _openssl(folder, *sign, *out)
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder))


@contextmanager
def running(folder: Path) -> Iterator[Authority]:
    """An authority for as long as the block lasts."""
    _make_certificates(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            authority.requests += 1
            query = folder / f"{authority.requests}.tsq"
            query.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            if authority.drips is not None:
                self._drip(authority.drips)
                return
            reply = folder / f"{authority.requests}.tsr"
            answer = authority.answer
            if answer is None:
                made = ("ts", "-reply", "-config", "tsa.cnf", "-queryfile", str(query))
                _openssl(folder, *made, "-out", str(reply))
                answer = reply.read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(answer)

        def _drip(self, enough: threading.Event) -> None:
            """Each byte before a timeout of the socket that begins anew with it."""
            with suppress(OSError):
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\nX: ")
                if authority.drips_body:
                    self.wfile.write(b"x\r\n\r\n")
                while not enough.wait(0.05):
                    self.wfile.write(b"0")

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    authority = Authority(f"http://127.0.0.1:{server.server_port}/", folder / "ca.pem")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield authority
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
