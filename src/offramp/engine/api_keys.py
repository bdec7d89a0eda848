"""The keys that programs show: made, listed, revoked, and recognized.

A key is shown once, when it is made; the store has its digest. It has one of the roles that people
have (`core.operator`), so that what a program may do is said in the same words.

Source: docs/http.md, "Keys"; docs/decisions/037-the-interface.md.
"""

import re
from dataclasses import dataclass, replace
from hashlib import sha256

from offramp.core.dates import civil_date
from offramp.core.errors import Invalid, Missing, Refused
from offramp.core.ledger import Event
from offramp.core.operator import OperatorRole
from offramp.engine.context import Context
from offramp.engine.operators import new_secret
from offramp.engine.situation import require_organization
from offramp.ports import ApiKey

BEGINNING = "offramp_"  # by which a key is recognized where none should be
HINT_CHARACTERS = len(BEGINNING) + 4
DAYS_MAX = 3650
SETTINGS = "settings"  # what the keys of the settings are called
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")


class ApiKeyInvalid(Invalid):
    """The {path} of an API key cannot be taken: {problem}."""


class ApiKeyExists(Refused):
    """There is an API key with the name {name} already, or there was."""


class ApiKeyUnknown(Missing):
    """There is no API key with the name {name} that is good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeKey:
    """A new key; the secret is nowhere else."""

    key: ApiKey
    secret: str


def create_key(
    context: Context,
    name: str,
    *,
    role: OperatorRole,
    organization: str | None = None,
    days: int | None = None,
) -> MadeKey:
    """Make a key for one program.

    Args:
        organization: the only one that it opens.
        days: after which it is good for nothing.

    Raises:
        ApiKeyInvalid: the name or the time is none.
        ApiKeyExists: the name is taken; the ledger goes by it, so none is used twice.
        OrganizationUnknown, OrganizationErased: there is nobody it could be for.
    """
    _require(name, days)
    now = context.clock.now()
    secret = f"{BEGINNING}{new_secret(context)}"
    key = ApiKey(
        name=name,
        digest=digest_of(secret),
        hint=secret[:HINT_CHARACTERS],
        role=role,
        organization=organization,
        made_at=now,
        expires_at=None if days is None else now.add(hours=24 * days),
    )
    with context.store.transaction() as transaction:
        if organization is not None:
            require_organization(transaction, organization)
        if not transaction.add_api_key(key):
            raise ApiKeyExists(name=name, hint="offramp api-key list shows them; take another name")
        transaction.append([_event(context, "api-key-made", key)])
    return MadeKey(key=key, secret=secret)


def list_keys(context: Context) -> tuple[ApiKey, ...]:
    """List the keys by name, with those that are over."""
    with context.store.reading() as transaction:
        return transaction.api_keys()


def revoke_key(context: Context, name: str) -> ApiKey:
    """Let a key open nothing any more, from the next request on.

    Raises:
        ApiKeyUnknown: there is none that opens anything.
    """
    now = context.clock.now()
    with context.store.transaction() as transaction:
        found = next((each for each in transaction.api_keys() if each.name == name), None)
        if found is None or not found.is_good(now):
            raise ApiKeyUnknown(name=name, hint="offramp api-key list shows them")
        revoked = replace(found, revoked_at=now)
        transaction.save_api_key(revoked)
        transaction.append([_event(context, "api-key-revoked", revoked)])
    return revoked


def recognize(context: Context, secret: str) -> ApiKey | None:
    """Find the key that a program shows, if it is good, and note the day on which it was shown."""
    if not secret.startswith(BEGINNING):
        return None
    now = context.clock.now()
    today = civil_date(now, zone="UTC")
    with context.store.reading() as transaction:
        found = transaction.api_key(digest_of(secret))
    if found is None or not found.is_good(now):
        return None
    if found.used_on != today:
        with context.store.transaction() as transaction:
            latest = transaction.api_key(found.digest) or found
            transaction.save_api_key(replace(latest, used_on=today))
    return found


def digest_of(secret: str) -> str:
    """Give what is kept of a key, which is too long to be guessed."""
    return sha256(secret.encode(errors="replace")).hexdigest()


def actor_of_key(name: str) -> str:
    """Name a program as the ledger does: by its key."""
    return f"api-key:{name}"


def _require(name: str, days: int | None) -> None:
    if not _NAME.fullmatch(name) or name == SETTINGS:
        problem = "it takes small letters, digits and hyphens, and names a program"
        raise ApiKeyInvalid(path="name", problem=problem, expected="billing-sync")
    if days is not None and not 0 < days <= DAYS_MAX:
        raise ApiKeyInvalid(
            path="days", problem="so long no key lives", expected=f"1 to {DAYS_MAX}"
        )


def _event(context: Context, kind: str, key: ApiKey) -> Event:
    return Event(
        kind=kind,
        at=key.revoked_at or key.made_at,
        actor=context.actor_or("operator"),
        detail={"key": key.name, "role": key.role.value, "is_bound": key.organization is not None},
    )
