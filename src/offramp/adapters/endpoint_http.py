"""An endpoint over HTTP: a signed request, and of its answer the status alone.

The body of an answer is taken in as far as is needed to use the connection again, and dropped: it
is a stranger's text. Everything that the network or the endpoint does becomes a reply.

Source: Standard Webhooks 1.0.0; RFC 9110, section 10.2.3 (Retry-After); lesson L35.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Protocol

import httpx2
from whenever import Instant

from offramp.adapters.security_event import SecurityEvents
from offramp.core.errors import Invalid, OfframpError
from offramp.core.parcel import Reply
from offramp.data.endpoint_spec import EndpointSpec, Format, WebhookFile
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
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, section 2.1
_DIGITS_MAX = 9  # of a number of seconds


class EndpointUnusable(Invalid):
    """The endpoint {endpoint} cannot be used as it is declared: {reason}."""


class Envelope(Protocol):
    """What an event is put into for its way."""

    @property
    def content_type(self) -> str:
        """What it is by the time that it is sent."""

    def pack(self, body: str, *, event: str, at: Instant) -> tuple[str, Mapping[str, str]]:
        """Give what is sent in place of a CloudEvent, and the headers that go with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCloudEvents:
    """Sends the CloudEvent as it is, with a signature beside it."""

    seal: Seal = field(repr=False)
    content_type = "application/cloudevents+json"

    def pack(self, body: str, *, event: str, at: Instant) -> tuple[str, Mapping[str, str]]:
        """Sign it for an instant."""
        return body, self.seal.headers(event, body, at=at.to_stdlib())


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpEndpoint:
    """One address at which events are taken."""

    name: str
    url: httpx2.URL = field(repr=False)
    kinds: frozenset[str]
    envelope: Envelope = field(repr=False)
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
        sent, headers = self.envelope.pack(body, event=event, at=at)
        content_type = self.envelope.content_type
        try:
            request = addressed(
                self.client,
                self.url,
                source=self.name,
                body=sent,
                headers={"content-type": content_type, "user-agent": "Offramp", **headers},
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
    file: WebhookFile,
    *,
    signing_key: Callable[[], bytes],
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
    for name, spec in file.endpoints.items():
        secret = read_address(name, spec.secret, environment)
        deadline = Deadline(elapsed=elapsed)
        transport = PunctualTransport(deadline)
        found[name] = HttpEndpoint(
            name=name,
            url=_read_url(name, spec, environment=environment, may_be_private=may_be_private),
            kinds=spec.kinds,
            envelope=(
                _open_security_events(name, spec, file, token=secret, signing_key=signing_key)
                if spec.format is Format.SECURITY_EVENTS
                else SignedCloudEvents(seal=_read_seal(name, secret))
            ),
            may_be_private=may_be_private,
            client=open_client(transport),
            transport=transport,
            deadline=deadline,
        )
    return found


def _read_url(
    name: str, spec: EndpointSpec, *, environment: Mapping[str, str], may_be_private: bool
) -> httpx2.URL:
    address = read_address(name, spec.url, environment)
    try:
        return read_url(address, may_be_private=may_be_private)
    except ValueError as error:
        raise EndpointUnusable(endpoint=name, reason=str(error), hint=URL_HINT) from error


def _read_seal(name: str, secret: str) -> Seal:
    try:
        return read_secrets(secret)
    except ValueError as error:
        hint = "it is written whsec_ and at least 24 bytes in base64; two are parted by a blank"
        raise EndpointUnusable(endpoint=name, reason="its secret is none", hint=hint) from error


def _open_security_events(
    name: str,
    spec: EndpointSpec,
    file: WebhookFile,
    *,
    token: str,
    signing_key: Callable[[], bytes],
) -> SecurityEvents:
    assert spec.audience is not None, "the file was read with one"
    if not _TOKEN.fullmatch(token):
        hint = "it is what follows `Bearer ` in the header Authorization"
        raise EndpointUnusable(endpoint=name, reason="its token is none", hint=hint)
    return SecurityEvents(
        issuer=file.source,
        audience=spec.audience,
        stream=name,
        token=token,
        signing_key=signing_key,
    )


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
