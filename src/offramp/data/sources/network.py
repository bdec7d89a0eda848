"""Which addresses a service may have: the address is judged that is then connected to (L35).

A name is resolved once, every address that it has is judged, and the connection is made to one of
these addresses, not to the name again: so no second answer of a name server can lead inside.

Source: IANA special-purpose address registries; OWASP on server-side request forgery.
"""

import ipaddress
import socket

from offramp.core.errors import Refused, Unavailable

# Addresses that carry another address inside: what counts is that one.
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


class AddressForbidden(Refused):
    """The service {source} has an address in a private network, which is not allowed."""


class NameUnknown(Unavailable):
    """The name of the service {source} leads to no address."""


def resolve(source: str, host: str, port: int, *, may_be_private: bool) -> str:
    """Return the address to connect to.

    Raises:
        NameUnknown: no name server knows it, or none answers.
        AddressForbidden: one of its addresses is not public.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NameUnknown(source=source, hint="is its address right?") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not may_be_private and not all(is_public(address) for address in addresses):
        hint = "set OFFRAMP_PRIVATE_ADDRESSES=true if it is really in your own network"
        raise AddressForbidden(source=source, hint=hint)
    return addresses[0]


def is_public(text: str) -> bool:
    """Say whether an address belongs to the public internet."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            address = inner
    return address.is_global and not address.is_multicast
