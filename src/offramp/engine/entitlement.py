"""Who is given a copy of what, and until when it can be: judged when it is asked for, and after.

Source: mission B9; policy language E1; docs/decisions/036-portal.md.
"""

from whenever import Instant

from offramp.core.access import Standing, capabilities_of
from offramp.core.banner import Reader, may_request
from offramp.core.due import expected_erasure
from offramp.core.model import Member, Organization, Subject, SubjectKind
from offramp.core.policy import ANY, Capability
from offramp.core.transitions import OffboardingStatus
from offramp.engine.access import reader_of, standings_of
from offramp.engine.office import office_of_member
from offramp.engine.situation import receipts_of, require_policy, timeline_of
from offramp.ports import Offboarding, Transaction

_CHANGING = frozenset({Capability.CREATE, Capability.UPDATE, Capability.DELETE})


def readers_of(
    transaction: Transaction, organization: Organization, member: Member
) -> tuple[Reader, ...]:
    """Give what has a say about a member: once for each product that has a clock of its own."""
    products = _products(transaction, organization)
    pools = transaction.pools(organization.id)
    theirs = {pool.product for pool in pools if pool.id in member.pools}
    return tuple(
        reader_of(transaction, organization, member, surface=ANY, product=product)
        for product in sorted(theirs & products or products, key=lambda product: product or "")
    )


def is_given(
    transaction: Transaction,
    organization: Organization,
    member: Member,
    scope: SubjectKind,
    *,
    now: Instant,
) -> bool:
    """Whether a member is given a copy on request, in the stage that is in force."""
    if not is_still_theirs(transaction, organization, member, scope, now=now):
        return False
    readers = readers_of(transaction, organization, member)
    return any(may_request(reader, scope, now=now) for reader in readers)


def is_still_theirs(
    transaction: Transaction,
    organization: Organization,
    member: Member,
    scope: SubjectKind,
    *,
    now: Instant,
) -> bool:
    """Whether a copy may be handed to a member: of the whole, while they look after it."""
    if scope is SubjectKind.MEMBER:
        return True
    return office_of_member(transaction, organization, member, now=now) is not None


def erasure_of(
    transaction: Transaction, organization: Organization, member: Member, *, now: Instant
) -> Instant | None:
    """Say when the data of a member is to be deleted, as far as that is planned."""
    rows = transaction.offboardings_about(organization.id, member=member.id)
    dates = (
        expected_erasure(
            timeline_of(transaction, row), receipts=receipts_of(transaction.steps(row.id)), now=now
        )
        for row in rows
        if row.status is OffboardingStatus.OPEN
    )
    return min((date for date in dates if date is not None), default=None)


def is_settled(
    transaction: Transaction, organization: Organization, *, since: Instant, now: Instant
) -> bool:
    """Whether nobody could change anything of an organization since an instant.

    So it is where every stage that was in force since then lets nobody change anything, and support
    has opened nothing, and nothing was deleted: what was handed over then is what would be handed
    over now.
    """
    if any(_has_lost(transaction, row, since) for row in transaction.offboardings(organization.id)):
        return False
    if any(unlock.ends_at > since for unlock in transaction.unlocks(organization.id)):
        return False
    standings = [
        standing
        for product in _products(transaction, organization)
        for standing in standings_of(
            transaction, Subject(organization=organization.id, product=product)
        )
    ]
    return bool(standings) and all(_is_settled(each, since=since, now=now) for each in standings)


def _has_lost(transaction: Transaction, row: Offboarding, since: Instant) -> bool:
    """Whether anything of an off-boarding's subject was deleted after an instant."""
    if row.closed_at is not None:
        return row.status is OffboardingStatus.COMPLETED and row.closed_at > since
    return bool(transaction.erased_rows(row.id))


def _is_settled(standing: Standing, *, since: Instant, now: Instant) -> bool:
    span = standing.span(now)
    has_begun = span.starts_at is not None and span.starts_at <= since
    allowed = capabilities_of(span.stage.levels, standing.timeline.policy)
    return has_begun and not allowed & _CHANGING


def _products(transaction: Transaction, organization: Organization) -> frozenset[str | None]:
    """Name what has a clock of its own; ``None`` is everything together."""
    if require_policy(transaction, organization.policy).clock != "product":
        return frozenset({None})
    return frozenset(pool.product for pool in transaction.pools(organization.id))
