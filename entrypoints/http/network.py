"""Whose request it is, by address: X-Forwarded-For counts only when a trusted proxy wrote it."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

UNKNOWN = "unknown"


class TrustedProxies:
    def __init__(self, networks: Iterable[str]) -> None:
        """`networks` in CIDR notation. Raises ValueError for anything else."""
        self._networks = [ip_network(network) for network in networks]

    def client_address(self, peer: str | None, forwarded_for: str) -> str:
        """The nearest address that is not one of our proxies.

        The header grows to the right, each proxy adding the peer that it saw; whatever stands left
        of the first stranger is only that stranger's claim.
        """
        if peer is None or not self._trusts(peer):
            return normal(peer)
        for hop in reversed(forwarded_for.split(",")):
            address = normal(hop.strip())
            if address == UNKNOWN:
                break
            peer = address
            if not self._trusts(address):
                break
        return normal(peer)

    def _trusts(self, address: str) -> bool:
        parsed = _parse(address)
        return parsed is not None and any(parsed in network for network in self._networks)


def normal(address: str | None) -> str:
    """The address in one spelling; of IPv6 the /64, which one subscriber holds whole."""
    parsed = _parse(address or "")
    if parsed is None:
        return UNKNOWN
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, 64), strict=False).network_address)
    return str(parsed)


@lru_cache(4096)
def _parse(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed
