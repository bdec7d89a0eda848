"""A request to an address that somebody wrote down: where it may go, and for how long it may take.

Everything that leaves for a service or an endpoint leaves through here: to the address that was
judged, in the name that was meant, without a redirect, and without a proxy of the environment.

Source: docs/participants.md; docs/webhooks.md; lesson L35; OWASP on server-side request forgery.
"""

import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import httpcore2
import httpx2

from offramp.data.sources.network import resolve

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 10.0  # between two bytes of an answer
URL_HINT = "https://host/path, without a user, a query or a fragment"

_DEFAULT_PORTS = {"https": 443, "http": 80}
_Options = Iterable[httpcore2.SOCKET_OPTION] | None


def read_url(address: str, *, may_be_private: bool) -> httpx2.URL:
    """Read an address; without encryption only where a private network is allowed.

    Raises:
        ValueError: it is none, or not a plain one; its message says so and does not show it.
    """
    try:
        url = httpx2.URL(address)
    except httpx2.InvalidURL as error:
        raise ValueError("its address is none") from error
    if not url.host or url.userinfo or url.query or url.fragment:
        raise ValueError("its address is not a plain one")
    if url.scheme not in (("https", "http") if may_be_private else ("https",)):
        raise ValueError("its address is not encrypted")
    return url


def open_client(transport: httpx2.BaseTransport | None = None) -> httpx2.Client:
    """Prepare a client that goes nowhere but where it is told to, and is not patient for ever."""
    return httpx2.Client(
        follow_redirects=False,
        trust_env=False,
        timeout=httpx2.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
        transport=transport,
    )


def addressed(
    client: httpx2.Client,
    url: httpx2.URL,
    *,
    source: str,
    body: str,
    headers: Mapping[str, str],
    may_be_private: bool,
) -> httpx2.Request:
    """Address a request to the address that was judged, in the name of the service.

    Raises:
        NameUnknown, AddressForbidden: it has no address, or one that is not allowed.
    """
    port = url.port or _DEFAULT_PORTS[url.scheme]
    address = resolve(source, url.host, port, may_be_private=may_be_private)
    return client.build_request(
        "POST",
        url.copy_with(host=address),
        content=body.encode(),
        headers={"host": url.netloc.decode(), "accept-encoding": "identity", **headers},
        extensions={"sni_hostname": url.host},
    )


@dataclass(slots=True, kw_only=True)
class Deadline:
    """Until when everything that is read or written has to be over."""

    elapsed: Callable[[], float]
    until: float = float("inf")

    def start(self, *, seconds: float) -> None:
        """Allow so many seconds from now on."""
        self.until = self.elapsed() + seconds

    def left(self, timeout: float | None) -> float:
        """Say how long one wait may take.

        Raises:
            httpcore2.ReadTimeout: there is no time left.
        """
        left = self.until - self.elapsed()
        if left <= 0:
            raise httpcore2.ReadTimeout("the deadline has passed")
        return left if timeout is None else min(left, timeout)


class PunctualTransport(httpx2.HTTPTransport):
    """The way out with a deadline over all of it: a byte a second keeps nobody waiting."""

    def __init__(self, deadline: Deadline) -> None:
        """Watch everything that this transport reads and writes."""
        context = httpx2.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False)
        # The library has limits for one wait each and none for their sum; only its pool lets
        # somebody else do the waiting.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context, network_backend=_PunctualBackend(deadline)
        )


class _PunctualBackend(httpcore2.NetworkBackend):
    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._backend = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: _Options = None,
    ) -> httpcore2.NetworkStream:
        left = self._deadline.left(timeout)
        stream = self._backend.connect_tcp(host, port, left, local_address, socket_options)
        return _PunctualStream(stream, self._deadline)


class _PunctualStream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        left = self._deadline.left(timeout)
        return _PunctualStream(
            self._stream.start_tls(ssl_context, server_hostname, left), self._deadline
        )

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)
