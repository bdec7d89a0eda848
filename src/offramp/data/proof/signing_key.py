"""The keys that certificates are signed and checked with, as the files that people keep.

A public key is written as one line of base64. Both halves are also read from the PEM files that
``openssl genpkey -algorithm ed25519`` and ``openssl pkey -pubout`` write.

Source: RFC 8032 (Ed25519); RFC 8410 (its PEM files).
"""

from base64 import b64decode, b64encode

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_pem_public_key,
)

from offramp.core.errors import Invalid

KEY_BYTES = 32
_PEM = b"-----BEGIN"


class SigningKeyInvalid(Invalid):
    """{file} holds no private Ed25519 key."""


class PublicKeyInvalid(Invalid):
    """{file} holds no public key."""


def write_public_key(key: bytes) -> bytes:
    """Return the file of a public key."""
    return b64encode(key) + b"\n"


def read_public_key(content: bytes, *, file: str) -> bytes:
    """Return the 32 bytes of a public key.

    Raises:
        PublicKeyInvalid: it is none.
    """
    key = b""
    try:
        if content.lstrip().startswith(_PEM):
            found = load_pem_public_key(content)
            key = found.public_bytes_raw() if isinstance(found, Ed25519PublicKey) else b""
        else:
            key = b64decode(content.strip(), validate=True)
    except (ValueError, UnsupportedAlgorithm):
        key = b""
    if len(key) != KEY_BYTES:
        raise PublicKeyInvalid(file=file, expected="base64 or PEM of an Ed25519 key")
    return key


def read_signing_key(content: bytes, *, file: str) -> bytes:
    """Return the 32 bytes of a private key: PEM, or the bytes themselves.

    Raises:
        SigningKeyInvalid: it is none, or is locked with a password.
    """
    if content.lstrip().startswith(_PEM):
        try:
            found = load_pem_private_key(content, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            found = None
        content = found.private_bytes_raw() if isinstance(found, Ed25519PrivateKey) else b""
    if len(content) != KEY_BYTES:
        raise SigningKeyInvalid(file=file, expected="openssl genpkey -algorithm ed25519")
    return content
