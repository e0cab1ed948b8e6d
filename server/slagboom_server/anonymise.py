"""Address and user agent, reduced to the little that may be kept.

A truncated address is still personal data (a /24 holds at most 256 visitors); truncation is
minimisation. Of the user agent only families from a closed list survive: a rare or made-up name
would single out its user, and the header could carry any text into the log.
"""

from __future__ import annotations

import ipaddress
import threading
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from socket import AF_INET, inet_pton
from typing import Final

MAX_USER_AGENT: Final = 512
"""Characters read of a user agent; the parser's time grows with the square of the length."""

OTHER: Final = "Other"

_IPV4_BYTES: Final = 3
_OCTETS: Final = tuple(f"{octet}." for octet in range(256))
_IPV6_BYTES: Final = 6

_BROWSERS: Final = {
    "Chrome": "Chrome",
    "Chrome Mobile": "Chrome",
    "Chrome Mobile WebView": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Chromium": "Chrome",
    "HeadlessChrome": "Chrome",
    "DuckDuckGo Mobile": "DuckDuckGo",
    "Edge": "Edge",
    "Edge Mobile": "Edge",
    "Firefox": "Firefox",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "Facebook": "Facebook",
    "IE": "Internet Explorer",
    "Instagram": "Instagram",
    "LinkedIn": "LinkedIn",
    "Mobile Safari": "Safari",
    "Mobile Safari UI/WKWebView": "Safari",
    "Opera": "Opera",
    "Opera Mini": "Opera",
    "Opera Mobile": "Opera",
    "Safari": "Safari",
    "Samsung Internet": "Samsung Internet",
    "Vivaldi": "Vivaldi",
    "Yandex Browser": "Yandex Browser",
}
_SYSTEMS: Final = {
    "Android": "Android",
    "Chrome OS": "Chrome OS",
    "Debian": "Linux",
    "Fedora": "Linux",
    "FreeBSD": "Linux",
    "Linux": "Linux",
    "Mac OS X": "macOS",
    "Ubuntu": "Linux",
    "Windows": "Windows",
    "iOS": "iOS",
}


class Device(StrEnum):
    """The class of a device; `other` where the user agent does not tell."""

    PHONE = "phone"
    TABLET = "tablet"
    COMPUTER = "computer"
    BOT = "bot"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Client:
    """What is kept of a user agent: families without versions."""

    browser: str
    system: str
    device: Device


def families(user_agent: str) -> Client:
    """The families a user agent names; "Other" for whatever is not on the closed list."""
    from ua_parser import user_agent_parser  # noqa: PLC0415 -- 0.2 s that no other command waits for
    from user_agents import parse  # noqa: PLC0415 -- likewise

    try:
        parsed = parse(user_agent[:MAX_USER_AGENT])
    finally:
        # ua-parser keeps the last 200 user agents word for word and offers no public way to stop.
        user_agent_parser._PARSE_CACHE.clear()  # noqa: SLF001
    if parsed.is_bot:
        device = Device.BOT
    elif parsed.is_tablet:
        device = Device.TABLET
    elif parsed.is_mobile:
        device = Device.PHONE
    elif parsed.is_pc:
        device = Device.COMPUTER
    else:
        device = Device.OTHER
    return Client(
        _BROWSERS.get(parsed.browser.family, OTHER),
        _SYSTEMS.get(parsed.os.family, OTHER),
        device,
    )


class KnownClients:
    """`families` with a memory, because one parse takes milliseconds.

    It remembers answers under a keyed digest, never the user agent. key: 16 random bytes that live
    as long as the process. capacity: answers kept, oldest dropped first.
    """

    def __init__(self, key: bytes, capacity: int = 4096) -> None:
        self._key = key
        self._capacity = capacity
        self._answers: dict[bytes, Client] = {}
        self._lock = threading.Lock()
        # Nobody who answers waits until the parser is loaded.
        families("")

    def recall(self, user_agent: str) -> Client | None:
        """The answer where it is remembered, and comes at once."""
        return self._answers.get(self._digest(user_agent))

    def __call__(self, user_agent: str) -> Client:
        """The same answer as `families`. Safe to ask from several threads."""
        digest = self._digest(user_agent)
        client = self._answers.get(digest)
        if client is None:
            client = families(user_agent)
            with self._lock:
                if len(self._answers) >= self._capacity:
                    del self._answers[next(iter(self._answers))]
                self._answers[digest] = client
        return client

    def _digest(self, user_agent: str) -> bytes:
        bounded = user_agent[:MAX_USER_AGENT].encode(errors="replace")
        return blake2b(bounded, key=self._key, digest_size=16).digest()


def truncate(address: str) -> str | None:
    """The network of an address: /24 for IPv4, also inside IPv6, and /48 for IPv6.

    None where the text is no address.
    """
    packed = find_network(address)
    return None if packed is None else name_network(packed)


def find_network(address: str) -> bytes | None:
    """The same network as the 3 or 6 bytes of it."""
    try:
        # Nearly all are such, and the general way takes ten times as long.
        return inet_pton(AF_INET, address)[:_IPV4_BYTES]
    except (OSError, ValueError):
        parsed = parse_address(address)
    if parsed is None:
        return None
    kept = _IPV4_BYTES if isinstance(parsed, ipaddress.IPv4Address) else _IPV6_BYTES
    return parsed.packed[:kept]


def name_network(packed: bytes) -> str:
    """The text of a network, as 198.51.100.0/24, from its 3 or 6 bytes.

    Raises TypeError or ValueError for anything else.
    """
    if len(packed) == _IPV4_BYTES:
        # Looked up, which is quicker, and which a text in the place of bytes cannot be.
        return f"{_OCTETS[packed[0]]}{_OCTETS[packed[1]]}{_OCTETS[packed[2]]}0/24"
    if len(packed) != _IPV6_BYTES:
        message = f"no network has {len(packed)} bytes"
        raise ValueError(message)
    return f"{ipaddress.ip_address(packed.ljust(16, bytes(1)))}/48"


def parse_address(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address, an IPv4 address mapped into IPv6 as IPv4; None where the text is none."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed
