"""A provider of identities that speaks OpenID Connect. Everything that asks one lives here.

What the provider says of itself, and its keys, are kept for an hour, and its keys are asked for
anew when a signature fits none of them. Every visit has a deadline over all of it, no redirect is
followed, and no answer is read beyond its limit. Only what the provider has signed with a key pair
of its own counts.

Source: OpenID Connect Core 1.0, sections 3.1.2, 3.1.3 and 5.3; Discovery 1.0; RFC 7636 (PKCE);
RFC 8725 (which algorithms); docs/decisions/041-signing-in-elsewhere.md.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, Field, ValidationError
from whenever import Instant

from offramp.data.sources.outbound import (
    CONNECT_SECONDS,
    SILENCE_SECONDS,
    Deadline,
    PunctualTransport,
)
from offramp.ports import Challenge, Identity, IdentityUnavailable, IdentityUnproven

SCOPE = "openid email"
VISIT_SECONDS = 15.0  # for all questions of one visit
VISITS_AT_ONCE = 4
TURN_SECONDS = 2.0  # for which a visit waits for others
REST_SECONDS = 10.0  # for which one that could not be reached is left alone
ANSWER_BYTES_MAX = 512 * 1024
KNOWN_SECONDS = 3600.0  # for which the provider is not asked who it is
KEYS_SECONDS = 60.0  # for which it is not asked for other keys
LEEWAY_SECONDS = 60  # by which its clock may differ from ours
SUBJECT_CHARACTERS_MAX = 255
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_OURS_TO_MEND = frozenset({"invalid_client", "unauthorized_client", "invalid_scope"})
_HTTPS = re.compile(r"https://[^\s?#@]+(\?\S*)?")
_HERE = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?(/\S*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcClient:
    """What we are at the provider.

    Attributes:
        issuer: the address by which it calls itself.
        back_to: where it sends browsers back to.
        name: what people call it.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    back_to: str
    name: str


class _Metadata(BaseModel):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: list[str] = Field(default=["client_secret_basic"])

    def addresses(self) -> Iterator[str]:
        """Give everything that it wants to be asked at."""
        yield from (self.authorization_endpoint, self.token_endpoint, self.jwks_uri)
        if self.userinfo_endpoint is not None:
            yield self.userinfo_endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is known of the provider, and since when, on the forward clock."""

    metadata: _Metadata
    keys: KeySet
    since: float


class OidcProvider:
    """Sends browsers to one provider, and asks it who came back; for several threads."""

    def __init__(
        self,
        client: OidcClient,
        *,
        elapsed: Callable[[], float],
        transport: Callable[[], httpx2.BaseTransport] | None = None,
    ) -> None:
        """Prepare to ask; nothing is asked before it is needed.

        Args:
            elapsed: seconds on a clock that only runs forward.
            transport: makes the way to the provider for one visit; the network where none is given.
        """
        self._client = client
        self._elapsed = elapsed
        self._transport = transport or self._open_way
        self._turns = BoundedSemaphore(VISITS_AT_ONCE)
        self._lock = Lock()
        self._known: _Known | None = None
        self._resting_until = 0.0  # on the forward clock

    @property
    def name(self) -> str:
        """What people call it."""
        return self._client.name

    def address_for(self, challenge: Challenge) -> str:
        """Give the address to which a browser is sent.

        Raises:
            IdentityUnavailable: the provider does not say where that is.
        """
        with self._visiting() as visit:
            metadata = self._know(visit).metadata
            address, _ = visit.create_authorization_url(
                metadata.authorization_endpoint,
                state=challenge.state,
                nonce=challenge.nonce,
                code_verifier=challenge.verifier,
            )
        return str(address)

    def identify(self, code: str, challenge: Challenge, *, now: Instant) -> Identity:
        """Say who came back with a code.

        Raises:
            IdentityUnavailable: the provider does not answer as it should.
            IdentityUnproven: what it answers proves nothing.
        """
        with self._visiting() as visit:
            known = self._know(visit)
            token = self._fetch_token(visit, known.metadata, code, challenge)
            claims = self._claims(visit, known, token, challenge, now=now)
            about = self._about(visit, known.metadata, claims)
        address = about.get("email")
        is_proven = about.get("email_verified") is True and isinstance(address, str)
        return Identity(
            issuer=known.metadata.issuer,
            subject=claims["sub"],
            address=address if is_proven else None,
        )

    @contextmanager
    def _visiting(self) -> Iterator[OAuth2Client]:
        """Ask a few questions through connections of their own."""
        if self._elapsed() < self._resting_until:
            raise IdentityUnavailable(reason="it could not be reached just now")
        if not self._turns.acquire(timeout=TURN_SECONDS):
            raise IdentityUnavailable(reason="too many ask at once")
        try:
            with OAuth2Client(
                client_id=self._client.client_id,
                client_secret=self._client.client_secret or None,
                scope=SCOPE,
                redirect_uri=self._client.back_to,
                code_challenge_method="S256",
                headers={"accept": "application/json", "accept-encoding": "identity"},
                transport=_Bounded(self._transport()),
                timeout=httpx2.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
                follow_redirects=False,
                trust_env=False,
            ) as visit:
                yield visit
        except httpx2.HTTPStatusError as error:
            raise IdentityUnavailable(reason=str(error.response.status_code)) from error
        except httpx2.HTTPError as error:
            # Otherwise whoever asks for it again and again keeps every thread waiting.
            self._resting_until = self._elapsed() + REST_SECONDS
            raise IdentityUnavailable(reason=type(error).__name__) from error
        finally:
            self._turns.release()

    def _open_way(self) -> httpx2.BaseTransport:
        deadline = Deadline(elapsed=self._elapsed)
        deadline.start(seconds=VISIT_SECONDS)
        return PunctualTransport(deadline)

    def _know(self, visit: OAuth2Client, *, keys_older_than: float = KNOWN_SECONDS) -> _Known:
        """Give what is known of the provider, unless it is too old."""
        with self._lock:
            known, now = self._known, self._elapsed()
            if known is not None and now - known.since < keys_older_than:
                return known
            place = f"{self._client.issuer.rstrip('/')}/.well-known/openid-configuration"
            metadata = self._read_metadata(_ask(visit, place))
            keys = _read_keys(_ask(visit, metadata.jwks_uri))
            self._known = _Known(metadata=metadata, keys=keys, since=now)
            return self._known

    def _read_metadata(self, document: Mapping[str, Any]) -> _Metadata:
        issuer = self._client.issuer
        try:
            found = _Metadata.model_validate(document)
        except ValidationError as error:
            raise IdentityUnavailable(reason="it does not say where to ask it") from error
        if found.issuer.rstrip("/") != issuer.rstrip("/"):
            raise IdentityUnavailable(reason="it calls itself something else")
        allowed = _HTTPS if issuer.startswith("https:") else _HERE
        if not all(allowed.fullmatch(each) for each in found.addresses()):
            raise IdentityUnavailable(reason="it wants to be asked without encryption")
        return found

    def _fetch_token(
        self, visit: OAuth2Client, metadata: _Metadata, code: str, challenge: Challenge
    ) -> Mapping[str, Any]:
        ways = metadata.token_endpoint_auth_methods_supported
        if self._client.client_secret and "client_secret_basic" not in ways:
            visit.token_endpoint_auth_method = "client_secret_post"  # noqa: S105 (the way it is shown)
        try:
            token = visit.fetch_token(
                metadata.token_endpoint,
                grant_type="authorization_code",
                code=code,
                code_verifier=challenge.verifier,
                redirect_uri=self._client.back_to,
            )
        except OAuthError as error:
            if error.error in _OURS_TO_MEND:
                raise IdentityUnavailable(reason="it does not take who we say we are") from error
            raise IdentityUnproven(reason="the code is not good") from error
        except ValueError as error:
            raise IdentityUnavailable(reason="its answer cannot be read") from error
        if not isinstance(token, dict) or not isinstance(token.get("id_token"), str):
            raise IdentityUnproven(reason="it says nothing of them")
        return token

    def _claims(
        self,
        visit: OAuth2Client,
        known: _Known,
        token: Mapping[str, Any],
        challenge: Challenge,
        *,
        now: Instant,
    ) -> Mapping[str, Any]:
        """Give what the provider has signed, if that is about this visit."""
        text = token["id_token"]
        try:
            try:
                read = jwt.decode(text, known.keys, algorithms=ALGORITHMS)
            except (JoseError, ValueError):
                newer = self._know(visit, keys_older_than=KEYS_SECONDS)
                read = jwt.decode(text, newer.keys, algorithms=ALGORITHMS)
            claims = CodeIDToken(
                read.claims,
                read.header,
                options={
                    "iss": {"essential": True, "value": known.metadata.issuer},
                    "aud": {"essential": True, "value": self._client.client_id},
                },
                params={
                    "nonce": challenge.nonce,
                    "client_id": self._client.client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(now=now.timestamp(), leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError) as error:
            raise IdentityUnproven(reason=type(error).__name__) from error
        if not 0 < len(claims["sub"]) <= SUBJECT_CHARACTERS_MAX:
            raise IdentityUnproven(reason="it does not name them")
        return dict(claims)

    def _about(
        self, visit: OAuth2Client, metadata: _Metadata, claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Give what is said of somebody's address, with the name or where one has to ask for it."""
        if "email" in claims or metadata.userinfo_endpoint is None or not visit.token:
            return claims
        told = _ask(visit, metadata.userinfo_endpoint, shows_token=True)
        return told if told.get("sub") == claims["sub"] else claims


class _Bounded(httpx2.BaseTransport):
    """A way that ends where an answer is too large, or packed so that it might become so."""

    def __init__(self, way: httpx2.BaseTransport) -> None:
        self._way = way

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Read an answer to its end."""
        response = self._way.handle_request(request)
        assert isinstance(response.stream, httpx2.SyncByteStream), "nothing here is asynchronous"
        body = b""
        try:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise httpx2.DecodingError("it is packed", request=request)
            for part in response.stream:
                body += part
                if len(body) > ANSWER_BYTES_MAX:
                    raise httpx2.ReadError("it is too large", request=request)
        finally:
            response.close()
        return httpx2.Response(response.status_code, headers=response.headers, content=body)

    def close(self) -> None:
        """Let go of every connection."""
        self._way.close()


def _ask(visit: OAuth2Client, address: str, *, shows_token: bool = False) -> Mapping[str, Any]:
    """Ask for a document."""
    answer = visit.get(address) if shows_token else visit.get(address, auth=None)
    answer.raise_for_status()
    if not answer.is_success:
        raise IdentityUnavailable(reason=str(answer.status_code))
    try:
        document = answer.json()
    except ValueError as error:
        raise IdentityUnavailable(reason="its answer cannot be read") from error
    if not isinstance(document, dict):
        raise IdentityUnavailable(reason="its answer cannot be read")
    return document


def _read_keys(document: Mapping[str, Any]) -> KeySet:
    """Take those keys that signatures are checked with; a provider may have others as well."""
    found = document.get("keys")
    keys = []
    for each in found if isinstance(found, list) else []:
        if isinstance(each, dict) and each.get("use", "sig") == "sig" and each.get("kty") != "oct":
            try:
                keys += KeySet.import_key_set({"keys": [each]}).keys
            except (JoseError, ValueError, TypeError, KeyError):
                continue
    if not keys:
        raise IdentityUnavailable(reason="it has no keys")
    return KeySet(keys)
