"""Ports for the servers that tests start, while other tests do the same in other processes."""

from __future__ import annotations

import socket


def find_port() -> int:
    """A TCP port of 127.0.0.1 for a server of this process's tests, and for nobody else.

    It stays bound until the process ends: the system gives it out no more, and a server that sets
    SO_REUSEADDR, as they all do, can listen on it, stop, and listen again.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    port: int = held.getsockname()[1]
    held.detach()
    return port
