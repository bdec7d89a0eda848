"""A policy that is not published yet, in a word that a form or an address can carry.

What was looked at travels with the page, so that nothing of it has to be kept before somebody
means it, and whichever process answers next knows it.

Source: docs/console.md, "Publishing a policy".
"""

import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode

from offramp.core.policy import Policy
from offramp.documents.policy import parse_policy
from offramp.web.console.acts import FieldInvalid

DRAFT_BYTES_MAX = 262_144  # unpacked
WORD_CHARACTERS_MAX = 6000  # what an address may hold everywhere


def pack(policy: Policy) -> str:
    """Write a policy as one word."""
    document = json.dumps(policy.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    return urlsafe_b64encode(zlib.compress(document.encode(), level=9)).decode()


def unpack(word: str) -> Policy:
    """Read a policy that was packed, and check it as one that comes from anywhere.

    Raises:
        FieldInvalid: it was not.
        DocumentInvalid: it is no policy.
    """
    try:
        packed = zlib.decompressobj()
        text = packed.decompress(urlsafe_b64decode(word.encode()), DRAFT_BYTES_MAX)
        if not packed.eof:
            raise FieldInvalid(path="draft", problem="it holds too much, or is not whole")
        document = json.loads(text)
    except (ValueError, zlib.error, RecursionError) as error:
        raise FieldInvalid(path="draft", problem="it cannot be read") from error
    return parse_policy(document)
