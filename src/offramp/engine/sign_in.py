"""How an operator gets in, stays in, and gets out again.

Whoever may not get in learns nothing: an unknown address, a wrong password, a disabled operator and
too many tries are one and the same to them, and the first three take the same time. A try counts
before it is looked at, so that many at once are as many.

Source: docs/console.md; OWASP ASVS 5.0, chapters 6 and 7; docs/decisions/035-console.md.
"""

import hmac
from dataclasses import dataclass, replace
from hashlib import sha256

from whenever import Instant

from offramp.core.dates import require_zone
from offramp.core.errors import Missing, Refused
from offramp.core.ledger import Event
from offramp.core.operator import (
    PASSWORD_CHARACTERS_MAX,
    OperatorRole,
    require_operator,
    require_password,
)
from offramp.engine.context import Context
from offramp.engine.operators import ZONE, new_secret, note, store_operator
from offramp.ports import (
    Operator,
    OperatorSession,
    Passwords,
    SignInLink,
    Transaction,
    fold_address,
)

IDLE_MINUTES = 60
SESSION_HOURS = 12
SEEN_SECONDS = 60  # a session that was used so lately is not written to again
FAILURE_MINUTES = 15  # for which a failure counts
FAILURES_MAX = 10  # under one address
FAILURES_ALL_MAX = 200  # under all of them


class SignInRefused(Refused):
    """This is not how anybody here signs in."""


class SignInLinkDead(Missing):
    """This link leads nowhere, or not any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """An operator in one browser; the token proves that a form was written for that browser."""

    operator: Operator
    digest: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """What a link opens; without an operator it makes the first one."""

    operator: Operator | None

    @property
    def needs_password(self) -> bool:
        """Whether nobody gets in before they have chosen a password."""
        return self.operator is None or self.operator.password is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """What somebody says of themselves when they come by a link."""

    name: str = ""
    address: str = ""
    password: str = ""
    zone: str = ""


def sign_in(context: Context, passwords: Passwords, *, address: str, password: str) -> str:
    """Open a session for whoever knows the password, and give its secret.

    Raises:
        SignInRefused: whatever the reason.
    """
    now, who = context.clock.now(), _digest(fold_address(address.strip()))
    if not _may_try(context, who, now=now):
        raise SignInRefused
    with context.store.reading() as transaction:
        found = transaction.operator_at(address.strip())
    hashed = found.password if found else None
    fits = passwords.fits(password[: PASSWORD_CHARACTERS_MAX + 1], hashed)
    if not fits or found is None or hashed is None:
        raise SignInRefused
    renewed = passwords.hash(password) if passwords.is_outdated(hashed) else hashed
    with context.store.transaction() as transaction:
        present = transaction.operator(found.id)
        if present is None or present.disabled_at is not None or present.password != hashed:
            raise SignInRefused
        transaction.forget_failures(who)
        if renewed != hashed:
            transaction.save_operator(replace(present, password=renewed))
        return open_session(context, transaction, present, now=now)


def look_at_link(context: Context, secret: str) -> Entrance:
    """See what a link opens; looking uses nothing up.

    Raises:
        SignInLinkDead: nothing.
    """
    with context.store.reading() as transaction:
        link = transaction.sign_in_link(_digest(secret))
        return _entrance(transaction, link, now=context.clock.now())


def enter(context: Context, passwords: Passwords, secret: str, newcomer: Newcomer) -> str:
    """Use a link up: open a session for its operator, and give the session's secret.

    Raises:
        SignInLinkDead: it leads nowhere, or somebody else was faster.
        OperatorInvalid, OperatorExists, PasswordWeak, ZoneUnknown: it is not used up then.
    """
    entrance = look_at_link(context, secret)
    now, person = context.clock.now(), _introduced(entrance, newcomer)
    hashed = passwords.hash(newcomer.password) if newcomer.password else person.password
    with context.store.transaction() as transaction:
        link = transaction.take_sign_in_link(_digest(secret))
        if _entrance(transaction, link, now=now).operator != entrance.operator:
            raise SignInLinkDead
        if entrance.operator is None:
            person = replace(person, id=context.ids.new(), added_at=now, password=hashed)
            store_operator(transaction, person, actor="system")
        else:
            person = replace(person, password=hashed)
            transaction.save_operator(person)
        if newcomer.password:
            transaction.end_sessions(person.id)
            note(transaction, "password-set", person, at=now)
        return open_session(context, transaction, person, now=now)


def find_session(context: Context, secret: str) -> SignedIn | None:
    """Say who is signed in by the secret of a session, and note that it was used."""
    now, digest = context.clock.now(), _digest(secret)
    with context.store.reading() as transaction:
        session = transaction.session(digest)
        operator = transaction.operator(session.operator) if session else None
    if session is None or not session.is_alive(now):
        return None
    if operator is None or operator.disabled_at is not None:
        return None
    if now >= session.seen_at.add(seconds=SEEN_SECONDS):
        with context.store.transaction() as transaction:
            idle_ends_at = now.add(minutes=IDLE_MINUTES)
            transaction.see_session(digest, at=now, idle_ends_at=idle_ends_at)
    token = hmac.digest(secret.encode(), b"form", "sha256").hex()
    return SignedIn(operator=operator, digest=digest, token=token)


def sign_out(context: Context, signed_in: SignedIn) -> None:
    """Close the session."""
    with context.store.transaction() as transaction:
        if transaction.end_session(signed_in.digest):
            note(transaction, "signed-out", signed_in.operator, at=context.clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What operators want to have of themselves; a new password takes the present one."""

    zone: str
    password: str = ""
    present: str = ""


def change_account(
    context: Context, passwords: Passwords, signed_in: SignedIn, wishes: Wishes
) -> int:
    """Set an operator's own time zone, and their password where one is given.

    Returns:
        In how many other browsers they were signed in, which they are not any more.

    Raises:
        PasswordWeak, ZoneUnknown, SignInRefused: nothing was changed.
    """
    operator, now = signed_in.operator, context.clock.now()
    zone, hashed = require_zone(wishes.zone), None
    if wishes.password:
        require_password(wishes.password, name=operator.name, address=operator.address)
        _require_password_of(context, passwords, operator, wishes.present, now=now)
        hashed = passwords.hash(wishes.password)
    with context.store.transaction() as transaction:
        present = transaction.operator(operator.id)
        assert present is not None, "nobody who works here is ever forgotten"
        changed = replace(present, zone=zone, password=hashed or present.password)
        transaction.save_operator(changed)
        if hashed is None:
            return 0
        note(transaction, "password-set", operator, at=now)
        return transaction.end_sessions(operator.id, spared=signed_in.digest)


def _require_password_of(
    context: Context, passwords: Passwords, operator: Operator, shown: str, *, now: Instant
) -> None:
    """Refuse who is only signed in: a browser that was left open is not its owner."""
    who = _digest(operator.address)
    if not _may_try(context, who, now=now):
        raise SignInRefused
    if not passwords.fits(shown[: PASSWORD_CHARACTERS_MAX + 1], operator.password):
        raise SignInRefused
    with context.store.transaction() as transaction:
        transaction.forget_failures(who)


def _may_try(context: Context, who: str, *, now: Instant) -> bool:
    """Count a try, unless there were too many."""
    since = now.subtract(minutes=FAILURE_MINUTES)
    with context.store.transaction() as transaction:
        transaction.tidy_sign_ins(at=now, failed_before=since)
        own, all_of_them = transaction.failures(who, since=since), transaction.failures(since=since)
        if own >= FAILURES_MAX or all_of_them >= FAILURES_ALL_MAX:
            return False
        transaction.note_failure(who, at=now)
        if own + 1 == FAILURES_MAX or all_of_them + 1 == FAILURES_ALL_MAX:
            is_own = own + 1 == FAILURES_MAX
            detail = {"tries": own + 1 if is_own else all_of_them + 1, "is_one_address": is_own}
            braked = Event(kind="sign-ins-braked", at=now, actor="system", detail=detail)
            transaction.append([braked])
        return True


def _entrance(transaction: Transaction, link: SignInLink | None, *, now: Instant) -> Entrance:
    if link is None or now >= link.expires_at:
        raise SignInLinkDead
    if link.operator is None:
        if transaction.operators():
            raise SignInLinkDead
        return Entrance(operator=None)
    operator = transaction.operator(link.operator)
    if operator is None or operator.disabled_at is not None:
        raise SignInLinkDead
    return Entrance(operator=operator)


def _introduced(entrance: Entrance, newcomer: Newcomer) -> Operator:
    """Give the operator as they are to be, all but their password."""
    person = entrance.operator or Operator(
        id="",
        name=newcomer.name.strip(),
        address=fold_address(newcomer.address.strip()),
        role=OperatorRole.ADMIN,
        zone=ZONE,
        added_at=Instant.MIN,
    )
    require_operator(name=person.name, address=person.address)
    if entrance.needs_password or newcomer.password:
        require_password(newcomer.password, name=person.name, address=person.address)
    return replace(person, zone=require_zone(newcomer.zone)) if newcomer.zone else person


def open_session(
    context: Context, transaction: Transaction, operator: Operator, *, now: Instant
) -> str:
    """Open a session; its secret is new, whatever the browser has shown before."""
    secret = new_secret(context)
    transaction.open_session(
        OperatorSession(
            digest=_digest(secret),
            operator=operator.id,
            opened_at=now,
            seen_at=now,
            idle_ends_at=now.add(minutes=IDLE_MINUTES),
            ends_at=now.add(hours=SESSION_HOURS),
        )
    )
    note(transaction, "signed-in", operator, at=now)
    return secret


def _digest(secret: str) -> str:
    return sha256(secret.encode(errors="replace")).hexdigest()
