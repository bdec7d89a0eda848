"""Where a server of ours listens.

Source: docs/operations.md.
"""

import re
import socket

from offramp.core.errors import Invalid, Unavailable

HOST = "127.0.0.1"
PORT_MAX = 65_535
EXPECTED = "PORT or HOST:PORT, such as 9464 or 127.0.0.1:9464"
_ADDRESS = re.compile(r"(?:(?P<host>[\w.-]+|\[[\da-fA-F:.]+\]):)?(?P<port>\d{1,5})")


class ListenAddressInvalid(Invalid):
    """{text} is not an address to listen on."""


class ListenAddressUnavailable(Unavailable):
    """The address {text} cannot be listened on: {reason}."""


def open_listener(text: str) -> socket.socket:
    """Listen at an address; a port alone is one of this machine, and port 0 any free one.

    Raises:
        ListenAddressInvalid: the text is no address.
        ListenAddressUnavailable: another program listens there, or there is no such host.
    """
    host, port = _parse(text)
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server((str(address[0]), port), family=family)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise ListenAddressUnavailable(text=text, reason=reason) from error
    # Every connection is given it: the body of an answer must not wait until its head has arrived.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def url_of(listener: socket.socket) -> str:
    """Give the address to ask."""
    host, port = listener.getsockname()[:2]
    host = f"[{host}]" if listener.family == socket.AF_INET6 else host
    return f"http://{host}:{port}"


def address_of(text: str) -> str | None:
    """Give the address to ask of a listener that is still to be opened; none of a free port."""
    host, port = _parse(text)
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{port}" if port else None


def _parse(text: str) -> tuple[str, int]:
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found["port"]) > PORT_MAX:
        raise ListenAddressInvalid(text=text, expected=EXPECTED)
    return (found["host"] or HOST).strip("[]"), int(found["port"])
