"""Which addresses a destination may have: none that lead back into our own network, unless it is configured as inside.

The name is looked up once; what was found is judged, and the connection goes to what was judged (SSRF, DNS rebinding).
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
# Host and port → addresses as text. OSError where there is none.
Resolve: TypeAlias = Callable[[str, int], Sequence[str]]

NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
# All of IPv6 that is given out for unicast (IANA); the library calls more of it global.
PUBLIC_V6: Final = ipaddress.IPv6Network("2000::/3")
# Metadata services of clouds (AWS, Google, Scaleway, Alibaba, Oracle, Azure) that are not link-local: nobody's CRM.
METADATA: Final = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "fd00:ec2::254",
        "fd20:ce::254",
        "fd00:42::42",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
    )
)
# What a clinic calls inside; link-local ones (the other metadata services) are nobody's CRM.
INSIDE: Final = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "::1", "fc00::/7")
)


class NotAllowed(Exception):
    """The name leads to where nothing of ours may go."""


def resolve(host: str, port: int) -> Sequence[str]:
    """As the system knows it. OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def chosen(found: Sequence[str], *, inside: bool) -> str:
    """The first of them. NotAllowed where any of them is not allowed: a name that mixes both is a trap."""
    if not found:
        raise NotAllowed
    for text in found:
        if not is_allowed(text, inside=inside):
            raise NotAllowed
    return found[0]


def is_allowed(text: str, *, inside: bool) -> bool:
    """Whether a public address, or also one of INSIDE."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    address = _unwrapped(address)
    if address in METADATA:
        return False
    if inside and any(address in network for network in INSIDE if network.version == address.version):
        return True
    if isinstance(address, ipaddress.IPv6Address) and address not in PUBLIC_V6:
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    )


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address.teredo is not None:
            return address.teredo[1]
        if address in NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
