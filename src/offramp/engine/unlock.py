"""Access given back for some hours by support. The stage and its dates stay as they are.

Source: policy language A3.
"""

from offramp.core.ledger import Event
from offramp.core.model import Unlock
from offramp.engine.context import Context
from offramp.engine.situation import require_member, require_organization

UNLOCK_HOURS = 24  # unless more are asked for
UNLOCK_HOURS_MAX = 168


def list_unlocks(context: Context, organization: str) -> tuple[Unlock, ...]:
    """List the unlocks that are in force.

    Raises:
        OrganizationUnknown, OrganizationErased: there is no such organization (any more).
    """
    now = context.clock.now()
    with context.store.reading() as transaction:
        require_organization(transaction, organization)
        return tuple(each for each in transaction.unlocks(organization) if each.is_active(now))


def grant_unlock(
    context: Context,
    organization: str,
    *,
    owner: str,
    reason: str,
    hours: int,
    member: str | None = None,
) -> Unlock:
    """Open an organization, or one member's access, until the hours are over.

    Raises:
        OrganizationUnknown, OrganizationErased, MemberUnknown: there is nobody to let in.
    """
    now = context.clock.now()
    unlock = Unlock(
        organization=organization,
        member=member,
        owner=owner,
        reason=reason,
        starts_at=now,
        ends_at=now.add(hours=hours),
    )
    with context.store.transaction() as transaction:
        require_organization(transaction, organization)
        if member is not None:
            require_member(transaction, organization, member)
        transaction.grant_unlock(unlock)
        transaction.append(
            [
                Event(
                    kind="unlock-granted",
                    at=now,
                    actor=context.actor_or("operator"),
                    detail={"hours": hours},
                )
            ]
        )
    return unlock
