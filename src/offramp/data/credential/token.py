"""A credential as one signed line of text, and how such a line is checked.

What is signed is the credential itself, with the claims of a token beside its members. The head
carries the public key, so that a stranger can see that nothing was changed; whose key it is is
decided by the keys that the reader trusts, never by the token.

Source: Open Badges 3.0, section 8.2 (VC-JWT); RFC 7515, 7519, 8037.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwa import EdDSAAlgorithm, JWSAlgModel
from joserfc.jwk import OKPKey
from whenever import Instant

from offramp.core.errors import Broken
from offramp.data.credential.credential import TYPES
from offramp.data.credential.issuer import ALGORITHM, Issuer, as_jwk, jose_key
from offramp.data.proof.certificate import public_key_of

KIND = "JWT"


class CredentialForged(Broken):
    """The credential does not stand: {reason}."""


class _EdDSA(EdDSAAlgorithm):
    """The algorithm under the name that wallets know, without a warning that it has a newer one."""

    security_warning = ""


class _Algorithms(jws.JWSRegistry):
    """Nothing but the algorithm that we sign with; a token cannot choose another one."""

    algorithms: dict[str, JWSAlgModel] = {ALGORITHM: _EdDSA()}  # noqa: RUF012 (as its parent)


_REGISTRY = _Algorithms(algorithms=(ALGORITHM,))


class Signer:
    """The vendor with its key at hand. The same content gives the same line, always."""

    def __init__(self, issuer: Issuer, *, private_key: bytes) -> None:
        """Sign with the 32 bytes of an Ed25519 private key."""
        public_key = public_key_of(private_key)
        self.profile = issuer.profile(public_key)
        self._key = jose_key(public_key, private_key=private_key)
        jwk = {name: value for name, value in as_jwk(public_key).items() if name != "kid"}
        self._head = {"alg": ALGORITHM, "typ": KIND, "kid": issuer.key_id(public_key), "jwk": jwk}

    def sign(self, credential: Mapping[str, Any]) -> str:
        """Return a credential as a signed line."""
        claims = {
            "iss": credential["issuer"]["id"],
            "sub": credential["credentialSubject"]["id"],
            "jti": credential["id"],
            "nbf": int(Instant.parse_iso(credential["validFrom"]).timestamp()),
        }
        payload = json.dumps({**claims, **credential}, ensure_ascii=False, separators=(",", ":"))
        return sign_line(payload, head=self._head, key=self._key)


def sign_line(payload: str, *, head: Mapping[str, Any], key: OKPKey) -> str:
    """Return any payload as a signed line."""
    return jws.serialize_compact(dict(head), payload, key, registry=_REGISTRY)


def verify_credential(token: str, *, public_keys: Sequence[bytes]) -> dict[str, Any]:
    """Return a credential that is exactly as one of the trusted keys has signed it.

    Raises:
        CredentialForged: none of them has, or a character was changed since.
    """
    try:
        payload = _signed_payload(token, public_keys)
        credential = json.loads(payload)
        claimed = {name: credential.pop(name) for name in ("iss", "sub", "jti", "nbf")}
        meant = {
            "iss": credential["issuer"]["id"],
            "sub": credential["credentialSubject"]["id"],
            "jti": credential["id"],
            "nbf": Instant.parse_iso(credential["validFrom"]).timestamp(),
        }
        is_credential = set(TYPES) <= set(credential["type"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CredentialForged(reason="it is not a credential") from error
    if not is_credential or claimed != meant:
        raise CredentialForged(reason="it says one thing as a token and another as a credential")
    return dict(credential)


def _signed_payload(token: str, public_keys: Sequence[bytes]) -> bytes:
    """Give what was signed, if one of the keys has signed it."""
    try:
        given = jws.extract_compact(token.encode(), registry=_REGISTRY)
        fits = any(
            jws.validate_compact(given, jose_key(key), registry=_REGISTRY) for key in public_keys
        )
    except JoseError as error:
        raise CredentialForged(reason="it is not a signed credential") from error
    if not fits or not _is_canonical(token.rpartition(".")[2]):
        reason = "no trusted key has signed it, or it was changed afterwards"
        raise CredentialForged(reason=reason)
    assert given.payload is not None, "a compact token carries its payload"
    return given.payload


def _is_canonical(text: str) -> bool:
    """Whether no bit was changed that decoding ignores: the last letter has room for some."""
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return urlsafe_b64encode(raw).rstrip(b"=").decode() == text
