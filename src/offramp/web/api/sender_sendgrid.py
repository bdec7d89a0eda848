"""SendGrid signs its requests: the instant, and behind it the body, byte for byte.

Source: Twilio SendGrid, "Getting Started with the Event Webhook Security Features" (ECDSA on the
curve P-256 with SHA-256; the public key is SubjectPublicKeyInfo in base64).
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from whenever import Instant

from offramp.core.errors import Invalid
from offramp.web.api.sender import require_recent, stranger

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
_DIGITS_MAX = 11  # of seconds since 1970


class SendGridKeyUnreadable(Invalid):
    """What the setting {path} holds is no verification key of SendGrid's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendGrid:
    """SendGrid, as its public keys show it."""

    keys: tuple[EllipticCurvePublicKey, ...]

    @classmethod
    def parse(cls, text: str, *, path: str) -> "SendGrid":
        """Read the keys of as many webhooks as there are, apart by blanks.

        Raises:
            SendGridKeyUnreadable: one of them is none.
        """
        return cls(keys=tuple(_parse_key(word, path=path) for word in text.split()))

    def require_signed(self, body: bytes, headers: Mapping[str, str], *, now: Instant) -> None:
        """Refuse a body that SendGrid has not signed, or not lately."""
        written = headers.get(TIMESTAMP, "")
        signed = written.encode() + body
        if not any(_has_signed(key, signed, headers.get(SIGNATURE, "")) for key in self.keys):
            raise stranger("No key of SendGrid's has signed this.")
        if not (written.isascii() and written.isdigit() and len(written) <= _DIGITS_MAX):
            raise stranger("It does not say when it was signed.")
        require_recent(Instant.from_timestamp(int(written)), now=now)


def _parse_key(word: str, *, path: str) -> EllipticCurvePublicKey:
    try:
        key = load_der_public_key(b64decode(word, validate=True))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SendGridKeyUnreadable(path=path) from error
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise SendGridKeyUnreadable(path=path)
    return key


def _has_signed(key: EllipticCurvePublicKey, signed: bytes, signature: str) -> bool:
    try:
        key.verify(b64decode(signature, validate=True), signed, ECDSA(SHA256()))
    except (InvalidSignature, NotBase64, ValueError):
        return False
    return True
