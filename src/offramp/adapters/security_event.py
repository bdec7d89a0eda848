"""An event as a Security Event Token, for who keeps sessions and accounts: identity providers.

It is the event that others get as a CloudEvent, said in the words of their standards and signed
with the vendor's key. Whom it is about is named by ids alone: the organization is the tenant, the
member the user, the product the application.

Source: RFC 8417 (the token); RFC 9493 (whom it is about); OpenID Shared Signals 1.0 (several parts
of a subject, verification), CAEP 1.0 (sessions), RISC 1.0 (accounts); lesson L40.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from whenever import Instant

from offramp.core.event_kind import EventKind
from offramp.data.credential.issuer import ALGORITHM, jose_key, thumbprint
from offramp.data.credential.token import sign_line
from offramp.data.proof.certificate import public_key_of

TOKEN_TYPE = "secevent+jwt"  # noqa: S105 (RFC 8417, section 2.3)
_EVENTS = "https://schemas.openid.net/secevent"
_SESSION_REVOKED = f"{_EVENTS}/caep/event-type/session-revoked"
_ACCOUNT_ENABLED = f"{_EVENTS}/risc/event-type/account-enabled"
_ACCOUNT_PURGED = f"{_EVENTS}/risc/event-type/account-purged"
_VERIFICATION = f"{_EVENTS}/ssf/event-type/verification"
_PARTS = {"member": "user", "product": "application", "organization": "tenant"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityEvents:
    """Writes events for one receiver.

    Attributes:
        stream: what the receiver's verification is about.
        token: lets us in; `audience` is who the events are for.
        signing_key: gives the vendor's private key (32 bytes).
    """

    issuer: str
    audience: str
    stream: str
    token: str = field(repr=False)
    signing_key: Callable[[], bytes]
    content_type = f"application/{TOKEN_TYPE}"

    def pack(self, body: str, *, event: str, at: Instant) -> tuple[str, Mapping[str, str]]:
        """Give what is sent in place of a CloudEvent, and the headers that go with it."""
        private_key = self.signing_key()
        public_key = public_key_of(private_key)
        head = {"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": thumbprint(public_key)}
        claims = self._claims(json.loads(body), event=event, at=at)
        line = sign_line(
            json.dumps(claims, ensure_ascii=False),
            head=head,
            key=jose_key(public_key, private_key=private_key),
        )
        return line, {"authorization": f"Bearer {self.token}", "accept": "application/json"}

    def _claims(self, told: Mapping[str, Any], *, event: str, at: Instant) -> Mapping[str, Any]:
        happened_at = Instant.parse_iso(told["time"]).timestamp()
        kind, data = EventKind(told["type"].removeprefix("offramp.")), told["data"]
        sub_id, said = _subject(data), _said(kind, data, happened_at=happened_at)
        if kind is EventKind.ENDPOINT_TESTED:
            sub_id, said = _opaque(self.stream), {_VERIFICATION: {"state": event}}
        return {
            "iss": self.issuer,
            "aud": self.audience,
            "iat": at.timestamp(),
            "jti": event,
            "sub_id": sub_id,
            "events": said,
        }


def _said(kind: EventKind, data: Mapping[str, Any], *, happened_at: int) -> Mapping[str, Any]:
    if kind is EventKind.SESSIONS_REVOKED:
        why = {"initiating_entity": "policy", "reason_admin": {"en": f"stage {data['stage']}"}}
        return {_SESSION_REVOKED: {"event_timestamp": happened_at, **why}}
    if kind is EventKind.REACTIVATED:
        return {_ACCOUNT_ENABLED: {}}
    return {_ACCOUNT_PURGED: {}}


def _subject(data: Mapping[str, Any]) -> Mapping[str, Any]:
    parts = {name: _opaque(data[key]) for key, name in _PARTS.items() if data.get(key) is not None}
    return {"format": "complex", **parts}


def _opaque(name: str) -> Mapping[str, str]:
    return {"format": "opaque", "id": name}
