"""Who signs, by which names its keys are found, and the files that let others check for ever.

With an address the vendor is a ``did:web``: whoever has a credential finds the keys there, as long
as somebody serves a few static files. Without one it is a ``did:key``, which is the key itself.
Public keys of the past stay in every file, so that what they signed stands.

Source: RFC 7517, 7638 and 8037 (keys as JSON); the DID methods ``web`` and ``key``; Open Badges 3.0
(Profile).
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from joserfc.jwk import OKPKey

from offramp.core.errors import Invalid

ALGORITHM = "EdDSA"
ADDRESS_CHARACTERS_MAX = 120  # it is in the head of every credential, which has to stay short
JWK = Mapping[str, str]
_ED25519 = b"\xed\x01"  # how multicodec marks such a key
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DID_CONTEXT = ("https://www.w3.org/ns/did/v1", "https://w3id.org/security/jwk/v1")
_OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"


class AddressUnfit(Invalid):
    """Credentials cannot be looked up at {address}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """The vendor, as a credential names it.

    Attributes:
        address: of the folder that the published files are served from, if there is one.
    """

    name: str
    address: str | None = None

    def __post_init__(self) -> None:
        """Refuse an address that nobody could look anything up at.

        Raises:
            AddressUnfit: it is not a plain https address.
        """
        if self.address is None:
            return
        parts = urlsplit(self.address)
        is_plain = (
            parts.scheme == "https" and parts.hostname and not (parts.query or parts.fragment)
        )
        if not is_plain or parts.username or len(self.address) > ADDRESS_CHARACTERS_MAX:
            raise AddressUnfit(
                address=self.address,
                expected="https://vendor.example/credentials, of at most"
                f" {ADDRESS_CHARACTERS_MAX} characters",
            )

    def id_with(self, public_key: bytes) -> str:
        """Name the vendor: for good by its address, otherwise by the key that signs."""
        if self.address is None:
            return did_of_key(public_key)
        parts = urlsplit(self.address)
        steps = [quote(parts.netloc, safe=""), *filter(None, parts.path.split("/"))]
        return ":".join(["did:web", *steps])

    def key_id(self, public_key: bytes) -> str:
        """Name one key of the vendor, so that it is found among all that were published."""
        if self.address is None:
            did = did_of_key(public_key)
            return f"{did}#{did.removeprefix('did:key:')}"
        return f"{self.id_with(public_key)}#{thumbprint(public_key)}"

    def profile(self, public_key: bytes) -> dict[str, Any]:
        """Say who issued a credential."""
        link = {} if self.address is None else {"url": self.address}
        return {"id": self.id_with(public_key), "type": ["Profile"], "name": self.name, **link}


def as_jwk(public_key: bytes) -> JWK:
    """Write a public key as JSON, named by its thumbprint."""
    bare = jose_key(public_key).as_dict(private=False)
    return {
        "kty": str(bare["kty"]),
        "crv": str(bare["crv"]),
        "x": str(bare["x"]),
        "kid": thumbprint(public_key),
    }


def thumbprint(public_key: bytes) -> str:
    """Give the digest that a key is named by."""
    return jose_key(public_key).thumbprint()


def did_of_key(public_key: bytes) -> str:
    """Write a key as an identifier that says everything about it."""
    return f"did:key:z{_base58(_ED25519 + public_key)}"


def published_files(issuer: Issuer, public_keys: Sequence[bytes]) -> dict[str, bytes]:
    """Write everything that has to be served, by file name.

    Args:
        issuer: whose keys they are.
        public_keys: the present one first, then every one before it.
    """
    jwks = {"keys": [{**as_jwk(key), "alg": ALGORITHM, "use": "sig"} for key in public_keys]}
    files: dict[str, object] = {"jwks.json": jwks}
    if issuer.address is not None:
        # The method looks for the document of a bare domain elsewhere.
        is_bare = not urlsplit(issuer.address).path.strip("/")
        name = ".well-known/did.json" if is_bare else "did.json"
        files[name] = _did_document(issuer, public_keys)
        profile = issuer.profile(public_keys[0])
        files["issuer.json"] = {"@context": [_OPEN_BADGES], **profile}
    return {name: _document(content) for name, content in files.items()}


def _did_document(issuer: Issuer, public_keys: Sequence[bytes]) -> dict[str, Any]:
    did = issuer.id_with(public_keys[0])
    methods = [
        {
            "id": issuer.key_id(key),
            "type": "JsonWebKey",
            "controller": did,
            "publicKeyJwk": as_jwk(key),
        }
        for key in public_keys
    ]
    return {
        "@context": list(_DID_CONTEXT),
        "id": did,
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }


def jose_key(public_key: bytes, *, private_key: bytes | None = None) -> OKPKey:
    """Give a key as the library takes it."""
    halves = {"x": public_key} if private_key is None else {"x": public_key, "d": private_key}
    written = {name: urlsafe_b64encode(half).rstrip(b"=").decode() for name, half in halves.items()}
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", **written})


def _base58(content: bytes) -> str:
    number, digits = int.from_bytes(content), ""
    while number:
        number, digit = divmod(number, len(_BASE58))
        digits = _BASE58[digit] + digits
    return digits


def _document(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=2).encode() + b"\n"
