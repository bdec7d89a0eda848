"""Who works with the console: added, changed, shut out, and let in by a link that works once.

A link is the one way in without a password: it makes the first operator, lets a new one choose a
password, and helps whoever has forgotten theirs. A new link ends the one before it.

Source: docs/console.md; docs/decisions/035-console.md.
"""

from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from hashlib import sha256

from whenever import Instant

from offramp.core.errors import Missing, Refused
from offramp.core.ledger import Event
from offramp.core.operator import OperatorRole, require_operator
from offramp.engine.context import Context
from offramp.ports import Operator, SignInLink, Transaction, fold_address

PATH = "console"  # below the public address
BACK = f"{PATH}/sign-in/back"  # where whoever showed elsewhere who they are comes in
LINK_MINUTES = 60
ZONE = "UTC"  # until they choose another


class OperatorUnknown(Missing):
    """There is no operator with this address."""


class OperatorExists(Refused):
    """There is an operator with this address already."""


class OperatorDisabled(Refused):
    """This operator is disabled."""


class LastAdmin(Refused):
    """Nobody else could say who works here: this is the last admin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A way in for one person, once, until it ends; the secret is nowhere else."""

    secret: str
    expires_at: Instant

    @property
    def path(self) -> str:
        """Where it leads, below the public address."""
        return f"{PATH}/enter/{self.secret}"


def add_operator(context: Context, *, name: str, address: str, role: OperatorRole) -> Invitation:
    """Let somebody work with the console, as soon as they have chosen a password.

    Raises:
        OperatorInvalid: the name or the address is none.
        OperatorExists: somebody has the address.
    """
    name, address = name.strip(), fold_address(address.strip())
    require_operator(name=name, address=address)
    now = context.clock.now()
    added = Operator(
        id=context.ids.new(), name=name, address=address, role=role, zone=ZONE, added_at=now
    )
    with context.store.transaction() as transaction:
        store_operator(transaction, added, actor=context.actor_or("operator"))
        return _invite(context, transaction, added.id, now=now)


def store_operator(transaction: Transaction, added: Operator, *, actor: str) -> None:
    """Store a new operator, and put it on record.

    Raises:
        OperatorExists: somebody has the address.
    """
    if not transaction.add_operator(added):
        raise OperatorExists(hint="offramp operator list shows them; offramp operator link helps")
    note(transaction, "operator-added", added, at=added.added_at, actor=actor, role=added.role)


def invite_first(context: Context) -> Invitation | None:
    """Give whoever started an installation a way in; none where somebody works there already."""
    now = context.clock.now()
    with context.store.transaction() as transaction:
        if transaction.operators():
            return None
        return _invite(context, transaction, None, now=now)


def invite_again(context: Context, address: str) -> Invitation:
    """Give an operator another way in; whatever password they have stays until they change it.

    Who they are at a provider of identities is forgotten: the account there may be a new one.

    Raises:
        OperatorUnknown, OperatorDisabled: there is nobody to let in.
    """
    now = context.clock.now()
    with context.store.transaction() as transaction:
        found = _require(transaction, address)
        if found.disabled_at is not None:
            raise OperatorDisabled(hint="offramp operator add lets somebody else in")
        actor = context.actor_or("operator")
        note(transaction, "sign-in-link-made", found, at=now, actor=actor)
        transaction.forget_identity(found.id)
        return _invite(context, transaction, found.id, now=now)


def disable_operator(context: Context, address: str) -> int:
    """Shut an operator out, everywhere and at once.

    Returns:
        In how many browsers they were signed in.

    Raises:
        OperatorUnknown: there is nobody to shut out.
        LastAdmin: nobody could let anybody in again.
    """
    now = context.clock.now()
    with context.store.transaction() as transaction:
        found = _require(transaction, address)
        others = [each for each in transaction.operators() if each.id != found.id]
        if found.role is OperatorRole.ADMIN and not any(map(_is_admin, others)):
            raise LastAdmin(hint="add another one first: offramp operator add --role admin")
        if found.disabled_at is None:
            transaction.save_operator(replace(found, disabled_at=now))
            actor = context.actor_or("operator")
            note(transaction, "operator-disabled", found, at=now, actor=actor)
        return transaction.end_sessions(found.id)


def list_operators(context: Context) -> tuple[Operator, ...]:
    """List everybody who works with the console, or did."""
    with context.store.transaction() as transaction:
        return transaction.operators()


def new_secret(context: Context) -> str:
    """Give a secret that nobody can guess: an id is half of one."""
    chance = f"{context.ids.new()}{context.ids.new()}"
    return urlsafe_b64encode(sha256(chance.encode()).digest()).rstrip(b"=").decode()


def note(
    transaction: Transaction,
    kind: str,
    operator: Operator,
    *,
    at: Instant,
    actor: str | None = None,
    role: OperatorRole | None = None,
) -> None:
    """Put something about an operator on record, under their id alone."""
    detail = {"operator": operator.id, **({"role": role.value} if role else {})}
    event = Event(kind=kind, at=at, actor=actor or actor_of(operator.id), detail=detail)
    transaction.append([event])


def actor_of(operator: str) -> str:
    """Name an operator as the ledger does: by their id, which tells nothing of them."""
    return f"operator:{operator}"


def _invite(
    context: Context, transaction: Transaction, operator: str | None, *, now: Instant
) -> Invitation:
    secret, expires_at = new_secret(context), now.add(minutes=LINK_MINUTES)
    digest = sha256(secret.encode()).hexdigest()
    transaction.put_sign_in_link(
        SignInLink(digest=digest, operator=operator, made_at=now, expires_at=expires_at)
    )
    return Invitation(secret=secret, expires_at=expires_at)


def _require(transaction: Transaction, address: str) -> Operator:
    found = transaction.operator_at(address.strip())
    if found is None:
        raise OperatorUnknown(hint="offramp operator list shows them")
    return found


def _is_admin(operator: Operator) -> bool:
    return operator.role is OperatorRole.ADMIN and operator.disabled_at is None
