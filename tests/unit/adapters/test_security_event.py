"""Events as Security Event Tokens, checked as a receiver would: by the key alone."""

import json
from base64 import urlsafe_b64decode

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from whenever import Instant

from offramp.adapters.security_event import SecurityEvents
from offramp.core.event_kind import EventKind
from offramp.data.credential.issuer import thumbprint
from offramp.data.endpoint_spec import SECURITY_EVENTS
from offramp.engine.webhook import envelope
from offramp.ports import OutboxEvent
from offramp.testing.keys import MemoryKeys

HAPPENED = Instant.from_utc(2024, 8, 30, 23)
SENT = Instant.from_utc(2024, 8, 30, 23, 5)
KEYS = MemoryKeys()
(PUBLIC_KEY,) = KEYS.public_keys()
CAEP = "https://schemas.openid.net/secevent/caep/event-type"
RISC = "https://schemas.openid.net/secevent/risc/event-type"


def packed(kind, *, organization="acme", at=SENT, **about):
    detail = {"product": about.get("product"), "offboarding": "o-1", "stage": "deactivated"}
    event = OutboxEvent(
        id="e-1",
        kind=kind,
        at=HAPPENED,
        organization=organization,
        member=about.get("member"),
        detail=detail,
    )
    body = json.dumps(envelope(event, source="https://quire.example/offramp"))
    writer = SecurityEvents(
        issuer="https://quire.example/offramp",
        audience="https://id.example",
        stream="identity",
        token="t0ken",
        signing_key=KEYS.signing_key,
    )
    return writer.pack(body, event="e-1", at=at)


def decoded(part):
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def opened(line, *, key=PUBLIC_KEY):
    head, payload, signature = line.split(".")
    Ed25519PublicKey.from_public_bytes(key).verify(decoded(signature), f"{head}.{payload}".encode())
    return json.loads(decoded(head)), json.loads(decoded(payload))


def test_the_end_of_sessions_is_said_as_caep_says_it_L40():
    line, _ = packed(EventKind.SESSIONS_REVOKED)

    head, claims = opened(line)

    assert head == {"alg": "EdDSA", "typ": "secevent+jwt", "kid": thumbprint(PUBLIC_KEY)}
    assert claims == {
        "iss": "https://quire.example/offramp",
        "aud": "https://id.example",
        "iat": SENT.timestamp(),
        "jti": "e-1",
        "sub_id": {"format": "complex", "tenant": {"format": "opaque", "id": "acme"}},
        "events": {
            f"{CAEP}/session-revoked": {
                "event_timestamp": HAPPENED.timestamp(),
                "initiating_entity": "policy",
                "reason_admin": {"en": "stage deactivated"},
            }
        },
    }


def test_of_one_member_and_one_product_no_more_is_said_to_have_ended():
    line, _ = packed(EventKind.SESSIONS_REVOKED, member="ulf", product="notes")

    subject = opened(line)[1]["sub_id"]

    assert {name: part["id"] for name, part in subject.items() if name != "format"} == {
        "user": "ulf",
        "application": "notes",
        "tenant": "acme",
    }


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (EventKind.REACTIVATED, f"{RISC}/account-enabled"),
        (EventKind.ERASED, f"{RISC}/account-purged"),
    ],
)
def test_a_return_and_an_erasure_are_said_of_the_account(kind, said):
    line, _ = packed(kind)

    assert opened(line)[1]["events"] == {said: {}}


def test_every_kind_that_may_be_asked_for_has_words_of_its_own():
    said = [tuple(opened(packed(kind)[0])[1]["events"]) for kind in SECURITY_EVENTS]

    assert len(set(said)) == len(SECURITY_EVENTS)


def test_a_trial_is_the_verification_of_the_stream():
    line, _ = packed(EventKind.ENDPOINT_TESTED, organization=None)

    claims = opened(line)[1]

    assert claims["sub_id"] == {"format": "opaque", "id": "identity"}
    assert [*claims["events"].values()] == [{"state": "e-1"}]


def test_the_token_lets_us_in_and_stands_in_a_header_alone():
    line, headers = packed(EventKind.SESSIONS_REVOKED)

    assert headers["authorization"] == "Bearer t0ken"
    assert "t0ken" not in json.dumps(opened(line))


def test_a_later_attempt_is_the_same_event_signed_anew():
    first, again = packed(EventKind.ERASED)[0], packed(EventKind.ERASED, at=SENT.add(hours=1))[0]

    assert first != again
    assert opened(first)[1]["jti"] == opened(again)[1]["jti"]


def test_another_key_has_signed_nothing():
    line, _ = packed(EventKind.ERASED)

    with pytest.raises(InvalidSignature):
        opened(line, key=bytes(range(32)))
