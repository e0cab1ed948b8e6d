"""One connection of the server, which holds no more of what it is sent than it can answer.

Uvicorn reads a block of 256 kB and queues every request in it, and reads the next one as soon as
one of them is answered; of a head it keeps whatever comes. Here a block is read piece by piece, and
none while enough wait: the system's own buffers fill then, and the sender has to wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio
    from typing import Any

MOST_WAITING: Final = 16
"""Requests of one connection behind the one that is answered. A browser sends none at all."""

MAX_HEAD_BYTES: Final = 64 * 1024
"""A request's line and headers, or anything else that is no body. The kit's own are below 8 kB."""

_PIECE: Final = 1024
_FEW_LINES: Final = 64
"""A block of so few lines is read at once, else so many bytes: a few dozen of the smallest requests
at the most. A browser's request has some twenty lines."""

_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class _Flow(FlowControl):
    """Reads on only where its connection has room."""

    def __init__(self, transport: asyncio.Transport, connection: BoundedConnection) -> None:
        super().__init__(transport)
        self._connection = connection

    def resume_reading(self) -> None:
        if self.read_paused and not self._connection.is_full:
            super().resume_reading()


class BoundedConnection(HttpToolsProtocol):
    """Uvicorn's own connection, with bounds."""

    # Beyond thirty attributes in its dictionary, an object's every access is slower.
    __slots__ = ("_has_body", "_head_bytes", "_is_reading", "_unread")

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 -- uvicorn's own
        super().__init__(*arguments, **named)
        self._unread = bytearray()
        self._is_reading = False
        self._head_bytes = 0
        self._has_body = False

    @property
    def is_full(self) -> bool:
        """Whether nothing more is to be read for now."""
        return bool(self._unread) or len(self.pipeline) >= MOST_WAITING

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn
        """Takes a visitor in."""
        super().connection_made(transport)
        self.flow = _Flow(transport, self)

    def data_received(self, data: bytes) -> None:
        """Reads what has come, or as much of it as can wait here."""
        is_full = self._unread or len(self.pipeline) >= MOST_WAITING
        if is_full or data.count(b"\n") > _FEW_LINES:
            self._unread += data
            self._read_on()
        else:
            self._read(data)

    def on_body(self, body: bytes) -> None:
        """Takes some of a body."""
        self._has_body = True
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Goes on with the next request, and reads on where there is room again."""
        super().on_response_complete()
        if self._unread:
            self._read_on()

    def _read_on(self) -> None:
        if self._is_reading:
            return
        self._is_reading = True
        while self._unread and len(self.pipeline) < MOST_WAITING:
            if self.transport.is_closing():
                self._unread.clear()
                break
            piece = bytes(self._unread[:_PIECE])
            del self._unread[:_PIECE]
            self._read(piece)
        self._is_reading = False
        if self.is_full:
            self.flow.pause_reading()
        elif self.cycle is None or self.cycle.response_complete:
            self.flow.resume_reading()

    def _read(self, piece: bytes) -> None:
        cycle, self._has_body = self.cycle, False
        super().data_received(piece)
        if self._has_body or self.cycle is not cycle:
            self._head_bytes = 0
            return
        # The parser keeps a head, or what follows a body, and says nothing until it is whole.
        self._head_bytes += len(piece)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse()

    def _refuse(self) -> None:
        # Behind a request that is not answered yet, the answer would be taken for that one's.
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_TOO_LARGE)
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """Says nothing: anybody could fill the log with it."""
