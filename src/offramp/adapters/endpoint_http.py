"""An endpoint over HTTP: a signed request, and of its answer the status alone.

The body of an answer is taken in as far as is needed to use the connection again, and dropped: it
is a stranger's text. Everything that the network or the endpoint does becomes a reply.

Source: Standard Webhooks 1.0.0; RFC 9110, section 10.2.3 (Retry-After); lesson L35.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import httpx2
from whenever import Instant

from offramp.core.errors import Invalid, OfframpError
from offramp.core.parcel import Reply
from offramp.data.endpoint_spec import EndpointSpec
from offramp.data.sources.address import read_address
from offramp.data.sources.outbound import (
    URL_HINT,
    Deadline,
    PunctualTransport,
    addressed,
    open_client,
    read_url,
)
from offramp.data.sources.wire import Seal, read_secrets

ATTEMPT_SECONDS = 20.0  # for one request and its answer
ANSWER_BYTES_MAX = 64 * 1024
_CONTENT_TYPE = "application/cloudevents+json"
_DIGITS_MAX = 9  # of a number of seconds


class EndpointUnusable(Invalid):
    """The endpoint {endpoint} cannot be used as it is declared: {reason}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpEndpoint:
    """One address at which events are taken."""

    name: str
    url: httpx2.URL = field(repr=False)
    kinds: frozenset[str]
    seal: Seal = field(repr=False)
    may_be_private: bool
    client: httpx2.Client
    transport: PunctualTransport
    deadline: Deadline

    @property
    def place(self) -> str:
        """Scheme, host and port: a path may be a secret."""
        return f"{self.url.scheme}://{self.url.netloc.decode()}"

    def post(self, body: str, *, event: str, at: Instant) -> Reply:
        """Sign a body for this instant, send it, and give what came of it."""
        headers = {"content-type": _CONTENT_TYPE, "user-agent": "Offramp"}
        try:
            request = addressed(
                self.client,
                self.url,
                source=self.name,
                body=body,
                headers={**headers, **self.seal.headers(event, body, at=at.to_stdlib())},
                may_be_private=self.may_be_private,
            )
        except OfframpError as error:
            return Reply(status=None, reason=error.code)
        self.deadline.start(seconds=ATTEMPT_SECONDS)
        try:
            response = self.client.send(request, stream=True)
        except httpx2.HTTPError as error:
            return Reply(status=None, reason=type(error).__name__)
        status = response.status_code
        try:
            _drop(response)
        finally:
            response.close()
        return Reply(
            status=status,
            reason=str(status),
            retry_after_seconds=_seconds(response.headers.get("retry-after", ""), at=at),
        )

    def close(self) -> None:
        """Let go of every connection; the next request makes a new one."""
        self.transport.close()


def open_endpoints(
    specs: Mapping[str, EndpointSpec],
    *,
    environment: Mapping[str, str],
    may_be_private: bool,
    elapsed: Callable[[], float],
) -> Mapping[str, HttpEndpoint]:
    """Prepare every endpoint that is declared; nothing is connected before it is used.

    Raises:
        EndpointUnusable: an address or a secret is missing, or not one.
        SourceUnusable: a variable that is named is not set.
    """
    found = {}
    for name, spec in specs.items():
        deadline = Deadline(elapsed=elapsed)
        transport = PunctualTransport(deadline)
        url, seal = _read(name, spec, environment=environment, may_be_private=may_be_private)
        found[name] = HttpEndpoint(
            name=name,
            url=url,
            kinds=frozenset(spec.events),
            seal=seal,
            may_be_private=may_be_private,
            client=open_client(transport),
            transport=transport,
            deadline=deadline,
        )
    return found


def _read(
    name: str, spec: EndpointSpec, *, environment: Mapping[str, str], may_be_private: bool
) -> tuple[httpx2.URL, Seal]:
    address = read_address(name, spec.url, environment)
    secret = read_address(name, spec.secret, environment)
    try:
        url = read_url(address, may_be_private=may_be_private)
    except ValueError as error:
        raise EndpointUnusable(endpoint=name, reason=str(error), hint=URL_HINT) from error
    try:
        return url, read_secrets(secret)
    except ValueError as error:
        hint = "it is written whsec_ and at least 24 bytes in base64; two are parted by a blank"
        raise EndpointUnusable(endpoint=name, reason="its secret is none", hint=hint) from error


def _drop(response: httpx2.Response) -> None:
    """Read an answer to its end, if that is near; the status has said everything."""
    size = 0
    with suppress(httpx2.HTTPError):
        for part in response.iter_raw():
            size += len(part)
            if size > ANSWER_BYTES_MAX:
                return


def _seconds(written: str, *, at: Instant) -> int | None:
    """Read when to come back: a number of seconds, or a date."""
    text = written.strip()
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX:
        return int(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return max(0, int(moment.timestamp() - at.timestamp()))
