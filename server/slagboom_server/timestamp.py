"""Time-stamps by an authority (RFC 3161): proof that a checkpoint existed at a certain time.

The authority sees a digest and nothing else. What it signs is the checkpoint's text, so its word
covers every record up to there.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import urllib.error
import urllib.request
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from slagboom_banner.errors import SlagboomError
from slagboom_server.evidence import Timestamp
from slagboom_server.row import to_ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from slagboom_server.checkpoint import Checkpoint

_TIMEOUT_SECONDS: Final = 10.0
"""For all of an answer, and for each step on the way to its first byte."""

_MAX_BYTES: Final = 100_000
_GRANTED: Final = {PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS}


def request_timestamp(authority: str, checkpoint: Checkpoint) -> Timestamp:
    """The authority's word on a checkpoint. authority: its http or https address.

    Raises SlagboomError where it cannot be reached, refuses, or answers to something else.
    """
    builder = TimestampRequestBuilder().data(checkpoint.text.encode())
    request = builder.hash_algorithm(HashAlgorithm.SHA256).cert_request(cert_request=True).build()
    answer = _post(authority, request.as_bytes())
    token = _decode(authority, answer)
    info = token.tst_info
    if info.message_imprint.message != checkpoint.digest or info.nonce != request.nonce:
        message = f"{authority}: its time-stamp is not for what was sent"
        raise SlagboomError(message)
    return Timestamp(checkpoint.number, to_ms(info.gen_time), authority, answer)


def _post(authority: str, request: bytes) -> bytes:
    if urlsplit(authority).scheme not in {"http", "https"}:
        message = f"{authority!r} is no address of a time-stamping authority; write http(s)://…"
        raise SlagboomError(message)
    headers = {"Content-Type": "application/timestamp-query"}
    query = urllib.request.Request(authority, request, headers)  # noqa: S310 -- checked above
    call = _Call()
    opener = urllib.request.build_opener(_Http(call), _Https(call))
    error: Exception | None = None
    body = b""
    try:
        with call.ended_after(_TIMEOUT_SECONDS), opener.open(query, None, _TIMEOUT_SECONDS) as told:
            body = told.read(_MAX_BYTES)
    except (OSError, http.client.HTTPException) as failed:
        error = failed
    if call.is_over:
        message = f"{authority}: gave no time-stamp within {_TIMEOUT_SECONDS:g} seconds"
        raise SlagboomError(message) from error
    if error is not None:
        message = f"{authority}: gave no time-stamp: {error}"
        raise SlagboomError(message) from error
    return body


class _Call:
    """The connections of one request, which end together when its time is up.

    A timeout of the socket begins anew with each byte, so one that drips would never reach it.
    """

    def __init__(self) -> None:
        self.is_over = False
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []

    @contextlib.contextmanager
    def ended_after(self, seconds: float) -> Iterator[None]:
        """Ends whatever the block reads from, once its time is up."""
        timer = threading.Timer(seconds, self._end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def add(self, connection: socket.socket) -> None:
        """Raises TimeoutError where it comes too late."""
        with self._lock:
            if self.is_over:
                raise TimeoutError
            self._open.append(connection)

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            for connection in self._open:
                # Another thread may wait in it, which closing alone would not wake.
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Plain(http.client.HTTPConnection):
    """A connection of a call."""

    def __init__(self, call: _Call, host: str, **named: Any) -> None:  # noqa: ANN401 -- urllib's own
        super().__init__(host, **named)
        self._call = call

    def connect(self) -> None:
        """Opens it."""
        super().connect()
        self._call.add(self.sock)


class _Secure(http.client.HTTPSConnection):
    """A connection of a call, under TLS."""

    def __init__(self, call: _Call, host: str, **named: Any) -> None:  # noqa: ANN401 -- as above
        super().__init__(host, **named)
        self._call = call

    def connect(self) -> None:
        """Opens it; the handshake as a whole has the time of one step."""
        super().connect()
        self._call.add(self.sock)


class _Http(urllib.request.HTTPHandler):
    def __init__(self, call: _Call) -> None:
        super().__init__()
        self._call = call

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_Plain, self._call), req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, call: _Call) -> None:
        super().__init__()
        self._call = call

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_Secure, self._call), req)


def _decode(authority: str, answer: bytes) -> TimeStampResponse:
    try:
        token = decode_timestamp_response(answer)
        status = token.status
    except (ValueError, TypeError) as error:
        message = f"{authority}: answered with something that is no time-stamp"
        raise SlagboomError(message) from error
    if status not in _GRANTED:
        message = f"{authority}: refused the time-stamp (status {status})"
        raise SlagboomError(message)
    return token


def read_roots(file: Path) -> list[x509.Certificate]:
    """The certificates of a PEM file, whose time-stamps are believed."""
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror}"
        raise SlagboomError(message) from error
    except ValueError as error:
        message = f"{file}: holds no certificate in PEM form"
        raise SlagboomError(message) from error


def find_fault(
    timestamp: Timestamp, checkpoint: Checkpoint, roots: Sequence[x509.Certificate]
) -> str | None:
    """What is wrong with a kept time-stamp, None where nothing is.

    roots: of the authorities that are believed. Without any only the digest and the time are
    compared, and the signature is left to `openssl ts -verify`.
    """
    try:
        token = _decode(timestamp.authority, timestamp.token)
    except SlagboomError as error:
        return str(error)
    info = token.tst_info
    if info.message_imprint.message != checkpoint.digest:
        return "is over another text"
    if to_ms(info.gen_time) != timestamp.stamped_at:
        return "says another time than the database"
    if not roots:
        return None
    builder = VerifierBuilder()
    for root in roots:
        builder = builder.add_root_certificate(root)
    try:
        builder.build().verify_message(token, checkpoint.text.encode())
    except VerificationError as error:
        return f"is not signed by an authority that is believed ({error})"
    return None
