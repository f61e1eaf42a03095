"""The network that a request comes from, for counting tries."""

from __future__ import annotations

import ipaddress


def network(address: str | None) -> str:
    """Return the network that an address is counted under: IPv4 /24, IPv6 /48."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    mapped = getattr(found, "ipv4_mapped", None) or found
    size = 24 if mapped.version == 4 else 48
    return str(ipaddress.ip_network(f"{mapped}/{size}", strict=False))
