"""A request that comes twice under one key is carried out once, and answered alike.

Of a request only digests are kept, and its answer sealed with what whoever asked alone has: the key
by which they know their request. Where it is refused, nothing was changed, so it may come again.

Source: docs/http.md, "Asking twice"; draft-ietf-httpapi-idempotency-key-header-07.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from offramp.core.errors import Broken, Invalid, Refused
from offramp.engine.context import Context
from offramp.ports import KeptAnswer

KEPT_HOURS = 24
_NONCE = bytes(12)  # no two answers are sealed with one key: its beginning is part of it


class RepetitionDiffers(Invalid):
    """Another request was sent with this Idempotency-Key."""


class RepetitionRunning(Refused):
    """The request with this Idempotency-Key is being worked on, or was when the server died."""


class KeptAnswerUnreadable(Broken):
    """An answer that was kept cannot be read any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request: who asks, the key by which they know it, and all of it."""

    caller: str
    key: str
    request: Sequence[bytes]

    @property
    def digest(self) -> str:
        """Name the request; nobody can tell from it who asks, or for what."""
        return sha256(self._parts(b"name")).hexdigest()

    @property
    def fingerprint(self) -> str:
        """Sum up what is asked."""
        return sha256(_joined(self.request)).hexdigest()

    def seal_key(self, kept: KeptAnswer) -> bytes:
        """Give the key with which the answer is sealed."""
        begun_at = kept.begun_at.format_iso(unit="microsecond").encode()
        return sha256(self._parts(b"seal", begun_at)).digest()

    def _parts(self, *more: bytes) -> bytes:
        return _joined([*more, self.caller.encode(), self.key.encode()])


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a request was answered when it came first."""

    status: int
    answer: bytes


def begin(context: Context, asked: Asked) -> KeptAnswer | Replayed:
    """Note a request that begins, or give the answer that it was given.

    Raises:
        RepetitionDiffers: it was another request that had the key.
        RepetitionRunning: it is not answered yet.
    """
    now = context.clock.now()
    begun = KeptAnswer(
        request=asked.digest,
        fingerprint=asked.fingerprint,
        begun_at=now,
        expires_at=now.add(hours=KEPT_HOURS),
    )
    with context.store.transaction() as transaction:
        known = transaction.keep_answer(begun)
    if known is None:
        return begun
    if known.fingerprint != begun.fingerprint:
        raise RepetitionDiffers(hint="give each request a key of its own")
    if known.status is None or known.answer is None:
        raise RepetitionRunning(hint="wait; if it stays so, look at what became of it")
    return Replayed(status=known.status, answer=_open(asked, known))


def answered(
    context: Context, asked: Asked, begun: KeptAnswer, *, status: int, answer: bytes
) -> None:
    """Keep the answer of a request that was carried out."""
    sealed = AESGCM(asked.seal_key(begun)).encrypt(_NONCE, answer, None)
    with context.store.transaction() as transaction:
        transaction.save_answer(replace(begun, status=status, answer=sealed))


def refused(context: Context, begun: KeptAnswer) -> None:
    """Let a request come again that changed nothing."""
    with context.store.transaction() as transaction:
        transaction.forget_answer(begun.request)


def tidy_answers(context: Context) -> int:
    """Forget answers after their day; says how many there were."""
    with context.store.transaction() as transaction:
        return transaction.tidy_answers(at=context.clock.now())


def _open(asked: Asked, kept: KeptAnswer) -> bytes:
    assert kept.answer is not None, "it was answered"
    try:
        return AESGCM(asked.seal_key(kept)).decrypt(_NONCE, kept.answer, None)
    except InvalidTag as error:
        raise KeptAnswerUnreadable from error


def _joined(parts: Sequence[bytes]) -> bytes:
    """Put parts together so that no two lists of them are the same."""
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)
