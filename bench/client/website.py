"""The website under measurement: one article, with each banner in turn, all from one origin.

The peers' files are compressed as far as Brotli goes, once. What is ours is forwarded to the kit
and arrives as the kit sends it, the way a site's reverse proxy would pass it on.
"""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import brotli

from bench.client.packages import PEERS_DIRECTORY
from bench.client.subjects import PURPOSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bench.client.packages import Packages
    from bench.client.subjects import Subject

_TYPES = {
    ".css": "text/css",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
_PARAGRAPH = "The ferry leaves at a quarter past the hour and calls at both banks of the river. "
_ARTICLE = "".join(f"<h2>Section {number}</h2><p>{_PARAGRAPH * 6}</p>" for number in range(1, 13))
_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Ferries</title>'
    '<link rel="icon" href="data:,">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">{head}</head>'
    "<body><main><h1>Ferries</h1>{article}</main>{tags}</body></html>"
)
_TAG = (
    "(window.benchRan ??= {{}}).{purpose} ??= performance.now();"
    'dispatchEvent(new Event("bench-ran"));'
)
# What concerns one connection is not passed on (RFC 9110, 7.6.1).
_NOT_FORWARDED = {"connection", "keep-alive", "transfer-encoding"}


def compose_page(subject: Subject) -> str:
    """The article with one subject's script and tags."""
    tags = "".join(subject.tag.replace("PURPOSE", purpose) for purpose in PURPOSES)
    return _PAGE.format(head=subject.head, article=_ARTICLE, tags=tags)


@dataclass
class Website:
    """The running site. weights: path and content bytes of every banner file sent so far."""

    kit_port: int = 0
    weights: list[tuple[str, int]] = field(default_factory=list)
    port: int = 0

    def address(self, subject: Subject) -> str:
        """Where the article with this subject's banner is."""
        return f"http://localhost:{self.port}/pages/{subject.name}"

    def take_weight(self) -> int:
        """Content bytes of the banner files sent since this was last asked."""
        total = sum(size for _, size in self.weights)
        self.weights.clear()
        return total


@contextmanager
def running_website(packages: Packages, subjects: Mapping[str, Subject]) -> Iterator[Website]:
    """The site on a port of its own until the block ends; its kit is to be named when it runs."""
    website = Website()
    contents = _Contents(packages, subjects)

    class Handler(_Handler):
        site = website
        files = contents

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        website.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield website
        finally:
            server.shutdown()


class _Contents:
    """Everything that is not the kit's, compressed at its first request and kept."""

    def __init__(self, packages: Packages, subjects: Mapping[str, Subject]) -> None:
        self._folders = {
            "packages": packages.packages,
            "bundles": packages.bundles,
            "set-up": PEERS_DIRECTORY,
        }
        self._ready: dict[str, bytes] = {
            f"/pages/{name}": brotli.compress(compose_page(subject).encode())
            for name, subject in subjects.items()
        }
        for purpose in PURPOSES:
            script = _TAG.format(purpose=purpose).encode()
            self._ready[f"/tags/{purpose}.js"] = brotli.compress(script)

    def find(self, path: str) -> bytes | None:
        """The Brotli stream for a path, None where there is nothing."""
        if path not in self._ready:
            _, area, name = path.split("/", 2) if path.count("/") > 1 else ("", "", "")
            folder = self._folders.get(area)
            file = (folder / name).resolve() if folder else None
            if not (file and folder and file.is_relative_to(folder.resolve()) and file.is_file()):
                return None
            self._ready[path] = brotli.compress(file.read_bytes())
        return self._ready[path]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave as two packets; the second must not wait for the first's receipt.
    disable_nagle_algorithm = True
    site: Website
    files: _Contents

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it
        """Says nothing: the terminal is for the bench."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith("/s/"):
            self._forward(path)
            return
        body = self.files.find(path)
        if body is None:
            self._answer(HTTPStatus.NOT_FOUND, [], b"")
            return
        page = path.startswith("/pages/")
        headers = {
            "Content-Type": _TYPES.get(
                Path(path).suffix, _TYPES[".html"] if page else "text/plain"
            ),
            "Content-Encoding": "br",
            "Cache-Control": "no-store" if page else "max-age=600",
        }
        # The set-up is the site's own, not the banner's weight.
        if path.startswith(("/packages/", "/bundles/")):
            self.site.weights.append((path, len(body)))
        self._answer(HTTPStatus.OK, headers.items(), body)

    def do_POST(self) -> None:
        self._forward(urlsplit(self.path).path)

    def _forward(self, path: str) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _NOT_FORWARDED}
        with closing(HTTPConnection("127.0.0.1", self.site.kit_port)) as kit:
            kit.request(self.command, self.path, sent or None, headers)
            answer = kit.getresponse()
            body = answer.read()
        if self.command == "GET":
            self.site.weights.append((path, len(body)))
        self._answer(answer.status, answer.getheaders(), body)

    def _answer(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _NOT_FORWARDED | {"content-length", "date", "server"}:
                self.send_header(name, value)
        if status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
            self.send_header("Content-Length", str(len(body)))
        # A visit ends with its measurement, whatever is still on its way.
        with suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(body)
