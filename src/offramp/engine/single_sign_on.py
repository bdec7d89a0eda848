"""How an operator gets in who has shown a provider elsewhere who they are.

A browser is sent there with a secret of its own in a cookie; everything that ties the answer to it
is worked out from that secret, so nothing is kept for whoever never comes back. A way leads here
once, within ten minutes. Nobody is made an operator by it: the first time, an operator is found by
the address that the provider vouches for, from then on by what the provider calls them.

Source: OpenID Connect Core 1.0, sections 3.1 and 15.5.2; RFC 7636 (PKCE); RFC 9700;
docs/decisions/041-signing-in-elsewhere.md.
"""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from whenever import Instant

from offramp.core.errors import Refused
from offramp.core.ledger import Event
from offramp.engine.context import Context
from offramp.engine.operators import new_secret, note
from offramp.engine.sign_in import FAILURE_MINUTES, open_session
from offramp.ports import (
    Challenge,
    Happening,
    Identity,
    IdentityProvider,
    IdentityUnproven,
    Operator,
    Transaction,
)

JOURNEY_MINUTES = 10
assert JOURNEY_MINUTES <= FAILURE_MINUTES, "a way that led here is known for as long as it is good"


class KeptOut(Refused):
    """Nobody was let in by what came back from elsewhere: {reason}."""

    http_status = 403


class Reason(StrEnum):
    """Why somebody did not get in; for the log, and not for them."""

    STRAYED = "strayed"  # this browser was not sent there, or not lately
    DECLINED = "declined"  # they did not show who they are
    UNPROVEN = "unproven"  # what came back proves nothing
    SPENT = "spent"  # the same way led here before
    UNVERIFIED = "unverified"  # the provider does not vouch for an address
    UNKNOWN = "unknown"  # nobody here has it
    ANOTHER = "another"  # whoever has it here is somebody else there
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """One way of one browser to a provider and back.

    Attributes:
        secret: known to that browser and nobody else.
        to: the page that was wanted.
    """

    secret: str = field(repr=False)
    begun_at: Instant
    to: str

    @property
    def challenge(self) -> Challenge:
        """What has to come back."""
        return Challenge(
            state=self._derived("state"),
            nonce=self._derived("nonce"),
            verifier=self._derived("verifier"),
        )

    @property
    def digest(self) -> str:
        """What is kept of it once it has led here."""
        return sha256(self.secret.encode()).hexdigest()

    def is_good(self, now: Instant) -> bool:
        """Whether it may still lead here."""
        return self.begun_at <= now < self.begun_at.add(minutes=JOURNEY_MINUTES)

    def _derived(self, what: str) -> str:
        about = f"{what} {self.begun_at.timestamp()} {self.to}"
        digest = hmac.digest(self.secret.encode(), about.encode(), "sha256")
        return urlsafe_b64encode(digest).rstrip(b"=").decode()


def set_out(context: Context, *, to: str) -> Journey:
    """Begin a way to the provider, from which somebody wants to get to a page."""
    begun_at = Instant.from_timestamp(context.clock.now().timestamp())
    return Journey(secret=new_secret(context), begun_at=begun_at, to=to)


def arrive(
    context: Context, provider: IdentityProvider, journey: Journey | None, *, state: str, code: str
) -> str:
    """Open a session for whoever comes back from the provider, and give its secret.

    Args:
        journey: what their browser kept of the way there; none where it kept nothing.
        state: what came back with them.
        code: what the provider says who they are for; empty where they declined.

    Raises:
        KeptOut: they do not get in, whatever the reason.
        IdentityUnavailable: the provider cannot be asked.
    """
    now = context.clock.now()
    if journey is None or not journey.is_good(now) or not _is_same(state, journey):
        raise _kept_out(context, Reason.STRAYED)
    if not code:
        raise _kept_out(context, Reason.DECLINED)
    try:
        identity = provider.identify(code, journey.challenge, now=now)
    except IdentityUnproven as error:
        raise _kept_out(context, Reason.UNPROVEN) from error
    with context.store.transaction() as transaction:
        since = now.subtract(minutes=FAILURE_MINUTES)
        transaction.tidy_sign_ins(at=now, failed_before=since)
        found = _find(transaction, identity, journey, now=now)
        if isinstance(found, Operator):
            return open_session(context, transaction, found, now=now)
        detail = {"reason": found.value}
        refused = Event(kind="sign-in-refused", at=now, actor="system", detail=detail)
        transaction.append([refused])
    raise _kept_out(context, found)


def _is_same(state: str, journey: Journey) -> bool:
    wanted = journey.challenge.state.encode()
    return hmac.compare_digest(state.encode(errors="replace"), wanted)


def _find(
    transaction: Transaction, identity: Identity, journey: Journey, *, now: Instant
) -> Operator | Reason:
    """Say who that is here, or why they are nobody."""
    if not transaction.spend_journey(journey.digest, at=now):
        return Reason.SPENT
    issuer, subject = identity.issuer, identity.subject
    found = transaction.operator_known_as(issuer, subject)
    if found is None:
        if identity.address is None:
            return Reason.UNVERIFIED
        found = transaction.operator_at(identity.address)
        if found is None:
            return Reason.UNKNOWN
        if found.disabled_at is None:
            if not transaction.link_identity(found.id, issuer=issuer, subject=subject):
                return Reason.ANOTHER
            note(transaction, "identity-linked", found, at=now)
    return found if found.disabled_at is None else Reason.DISABLED


def _kept_out(context: Context, reason: Reason) -> KeptOut:
    context.report(Happening.KEPT_OUT, {"reason": reason.value})
    return KeptOut(reason=reason.value)
