"""Finding credentials in what people keep: a token, the file of several, a diploma; and keys.

Source: Open Badges 3.0 (its API's form of several credentials); RFC 7517 (key sets); DID documents.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Any

from offramp.core.errors import Invalid
from offramp.data.proof.paper import files_in
from offramp.data.proof.signing_key import KEY_BYTES, PublicKeyInvalid, read_public_key

_PDF = b"%PDF-"


class CredentialMissing(Invalid):
    """{file} holds no credential."""


def tokens_in(content: bytes, *, file: str) -> tuple[str, ...]:
    """Return every credential of a file, not checked yet.

    Raises:
        CredentialMissing: there is none.
        PrinterMissing: it is a PDF, and the package that reads those is not installed.
        PaperUnreadable: it is a PDF, and damaged.
    """
    parts = files_in(content) if content.startswith(_PDF) else [content]
    found = tuple(token for part in parts for token in _tokens(part))
    if not found:
        raise CredentialMissing(
            file=file, expected="credential.jwt, open-badges.json, or a PDF with one of them inside"
        )
    return found


def read_keys(content: bytes, *, file: str) -> tuple[bytes, ...]:
    """Return the Ed25519 keys of a file: a key set, a DID document, or one key as we print it.

    Raises:
        PublicKeyInvalid: it holds none.
    """
    try:
        document = json.loads(content)
        found = tuple(_ed25519_keys(document))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return (read_public_key(content, file=file),)
    if not found:
        raise PublicKeyInvalid(file=file, expected="jwks.json or did.json with an Ed25519 key")
    return found


def _tokens(part: bytes) -> Iterator[str]:
    try:
        text = part.decode("ascii").strip()
    except UnicodeDecodeError:
        return
    if not text.startswith("{"):
        if text.count(".") == 2 and text.startswith("ey"):
            yield text
        return
    try:
        several = json.loads(text).get("compactJwsString")
    except (ValueError, RecursionError):
        return
    if isinstance(several, list):
        yield from (token for token in several if isinstance(token, str))


def _ed25519_keys(document: dict[str, Any]) -> Iterator[bytes]:
    methods = [each.get("publicKeyJwk", {}) for each in document.get("verificationMethod", ())]
    for key in (document, *document.get("keys", ()), *methods):
        if key.get("crv") == "Ed25519":
            raw = urlsafe_b64decode(key["x"] + "=")
            if len(raw) == KEY_BYTES:
                yield raw
