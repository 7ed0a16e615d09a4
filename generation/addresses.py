"""Which IP addresses our own machines may be made to call: public ones, and private ones only on an operator's word.

An IPv6 address that leads to an IPv4 address is judged by that one. Where clouds tell a machine about itself, its
credentials included, nobody may call.
"""

from __future__ import annotations

import ipaddress
from typing import Final

NEVER: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "169.254.0.0/16",  # link-local, with most clouds' metadata
        "fe80::/10",
        "fd00:ec2::/32",  # metadata of AWS,
        "100.100.100.200",  # of Alibaba,
        "168.63.129.16",  # and of Azure
        "2001::/32",  # Teredo and 6to4 lead to addresses of anybody's choice
        "2002::/16",
    )
)
NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


def reachable(text: str, *, allow_private: bool) -> bool:
    """Whether a connection to this address may be made; False for what is no address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address in NAT64:
            address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if any(address in network for network in NEVER) or address.is_multicast or address.is_unspecified:
        return False
    if address.is_loopback:
        return allow_private
    return not address.is_reserved and (allow_private or address.is_global)
