"""The certificate: what was verified, signed, so that anybody can check it without us.

A certificate is canonical JSON, so that there is exactly one way to write the same content, and
carries an Ed25519 signature over everything else that it holds.

Source: RFC 8785 (canonical JSON), RFC 8032 (Ed25519).
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from offramp.core.errors import Broken, Invalid

ALGORITHM = "Ed25519"


class CertificateForged(Broken):
    """The certificate does not stand: {reason}."""


class CertificateUnfit(Invalid):
    """The content cannot be certified: {reason}."""


def sign_certificate(content: Mapping[str, Any], *, private_key: bytes) -> bytes:
    """Return the signed document of some content.

    Args:
        content: plain JSON; whole numbers beyond 2**53 and other losses are refused.
        private_key: the 32 bytes of an Ed25519 private key.
    """
    key = Ed25519PrivateKey.from_private_bytes(private_key)
    signature = {
        "algorithm": ALGORITHM,
        "public_key": b64encode(key.public_key().public_bytes_raw()).decode(),
    }
    signed = {"certificate": dict(content), "signature": signature}
    value = b64encode(key.sign(_canonical(signed))).decode()
    return _canonical({**signed, "signature": {**signature, "value": value}})


def public_key_of(private_key: bytes) -> bytes:
    """Return the key that everybody may have, and that certificates are checked with."""
    return Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()


def verify_certificate(document: bytes, *, public_key: bytes) -> dict[str, Any]:
    """Return the content of a certificate that is exactly as it was signed.

    Args:
        document: the bytes as they were given out.
        public_key: the 32 bytes of the key that is trusted; the one inside proves nothing.

    Raises:
        CertificateForged: another key signed it, or a byte of it was changed.
    """
    try:
        parsed = json.loads(document)
        signature = dict(parsed["signature"])
        value = b64decode(signature.pop("value"), validate=True)
        content = dict(parsed["certificate"])
        is_canonical = _canonical(parsed) == document
        signed = _canonical({**parsed, "signature": signature})
    except (ValueError, KeyError, TypeError, AttributeError, CertificateUnfit) as error:
        raise CertificateForged(reason="it is not a certificate") from error
    if not is_canonical:
        raise CertificateForged(reason="it is not written as it was signed")
    if signature != {"algorithm": ALGORITHM, "public_key": b64encode(public_key).decode()}:
        raise CertificateForged(reason="it was signed with another key")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(value, signed)
    except (InvalidSignature, ValueError) as error:
        raise CertificateForged(reason="its signature does not fit its content") from error
    return content


def _canonical(value: Mapping[str, Any]) -> bytes:
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise CertificateUnfit(reason=type(error).__name__) from error
