"""How many requests of one kind a network may send to a site, without keeping anybody's address.

What is remembered is a keyed digest of site and network (IPv4 /24, IPv6 /48), by a key that lives
as long as the process, and one point in time, for a minute or so. The limit is there to keep the
log useful under abuse, never at a visitor's cost: who is refused is asked to send again later, and
where the table is full everybody passes.
"""

from __future__ import annotations

from hashlib import blake2b
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Final

from slagboom_server.anonymise import parse_address

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_SECONDS: Final = 60.0
"""A network may use its allowance of a minute at once; it comes back evenly."""

_WEIGHTS: Final = {"records": 10}
"""As how many requests one of a kind counts: to read a visitor's record, or to erase it, costs as
much as several decisions, and somebody does so once in a while."""

_IPV6_PREFIX_BYTES: Final = 6
_DIGEST_BYTES: Final = 12


class RateLimiter:
    """A generic cell rate algorithm (GCRA) with one number for each network. For one thread.

    per_minute: requests of one kind by a network to a site; 0 lets everything pass. key: random
    bytes. clock: seconds that never go back. max_networks: remembered, about 150 bytes each.
    """

    def __init__(
        self,
        per_minute: int,
        key: bytes,
        clock: Callable[[], float],
        max_networks: int = 50_000,
    ) -> None:
        self._cost = WINDOW_SECONDS / per_minute if per_minute else 0.0
        self._key = key
        self._clock = clock
        self._max_networks = max_networks
        self._paid_until: dict[bytes, float] = {}
        self._next_sweep = 0.0
        self.let_pass = 0
        """Requests that passed unchecked because the table was full."""

    def wait_seconds(self, kind: str, site: str, address: str) -> float:
        """0 where the request may pass; else how long its network has to wait at least."""
        told = _network(address)
        # Who comes through a socket without an address may be anybody.
        if not self._cost or not told:
            return 0.0
        now = self._clock()
        # With a very low limit, one a minute is left of those that weigh more.
        cost = min(self._cost * _WEIGHTS.get(kind, 1), WINDOW_SECONDS)
        told = f"{kind} {site} {told}"
        network = blake2b(told.encode(), key=self._key, digest_size=_DIGEST_BYTES).digest()
        paid_until = self._paid_until.get(network)
        if paid_until is None and not self._has_room(now):
            self.let_pass += 1
            return 0.0
        paid_until = max(paid_until or now, now) + cost
        # Halves of a nanosecond would otherwise decide about the last one.
        excess = round(paid_until - now - WINDOW_SECONDS, 6)
        if excess > 0:
            return excess
        self._paid_until[network] = paid_until
        return 0.0

    def _has_room(self, now: float) -> bool:
        if len(self._paid_until) < self._max_networks:
            return True
        # Under a flood of networks each sweep would find little; one a second is enough.
        if now >= self._next_sweep:
            self._next_sweep = now + 1.0
            self._paid_until = {
                network: time for network, time in self._paid_until.items() if time > now
            }
        return len(self._paid_until) < self._max_networks


def _network(address: str) -> str:
    """The network of an address, in a spelling that is the same for all of it; "" for none."""
    if ":" in address:
        parsed = parse_address(address)
        if isinstance(parsed, IPv6Address):
            return parsed.packed[:_IPV6_PREFIX_BYTES].hex()
        address = "" if parsed is None else str(parsed)
    return address.rpartition(".")[0]
