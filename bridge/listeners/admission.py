"""Who may connect, and how often: decided when a connection is accepted, before a byte is read."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from bridge.settings import Mllp


class Admission:
    """The connections of one listener, by address."""

    def __init__(self, settings: Mllp) -> None:
        self._settings = settings
        self._networks = tuple(map(ip_network, settings.allow))
        self._connected: Counter[str] = Counter()
        self._allows = lru_cache(maxsize=1024)(self._is_listed)

    def refusal(self, host: str) -> str:
        """Why one more connection of an address is not taken; "" when it is."""
        if self._networks and not self._allows(host):
            return "its address is not allowed"
        if self._connected.total() >= self._settings.connections:
            return "too many connections"
        if self._connected[host] >= self._settings.connections_per_address:
            return "too many connections of its address"
        return ""

    def enter(self, host: str) -> None:
        """A connection of that address is there."""
        self._connected[host] += 1

    def leave(self, host: str) -> None:
        """It is gone."""
        self._connected[host] -= 1
        if not self._connected[host]:
            del self._connected[host]

    def _is_listed(self, host: str) -> bool:
        address = ip_address(host.partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)
