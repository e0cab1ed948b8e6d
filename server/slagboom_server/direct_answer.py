"""An answer given to the connection in one piece.

Through ASGI, uvicorn holds every header against two patterns and writes head and body one after the
other, each a call of the system and a packet of its own. For the one request that every visitor's
answer is, that costs a fifth of all its time. Where the connection is uvicorn's own, in the state
that nearly all are in, the answer is therefore written as uvicorn would have; elsewhere it is sent
the ordinary way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Send


async def send_answer(
    send: Send, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes
) -> None:
    """Sends a whole answer. headers: in lower case, our own or checked; without content-length."""
    sized = [*headers, (b"content-length", b"%d" % len(body))]
    cycle = getattr(send, "__self__", None)
    if isinstance(cycle, RequestResponseCycle) and _is_plain(cycle):
        _write(cycle, status, sized, body)
    else:
        await send({"type": "http.response.start", "status": status, "headers": sized})
        await send({"type": "http.response.body", "body": body})


def _write(
    cycle: RequestResponseCycle, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes
) -> None:
    """What `RequestResponseCycle.send` does of a head and a body."""
    sent = [b"%b: %b\r\n" % header for header in (*cycle.default_headers, *headers)]
    if not cycle.keep_alive:
        sent.append(b"connection: close\r\n")
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.transport.write(b"%b%b\r\n%b" % (STATUS_LINE[status], b"".join(sent), body))
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()


def _is_plain(cycle: RequestResponseCycle) -> bool:
    """Whether there is nothing to do but to write: nobody to wait for, nothing to log."""
    is_new = not (cycle.response_started or cycle.disconnected)
    return is_new and not (cycle.flow.write_paused or cycle.access_log)
