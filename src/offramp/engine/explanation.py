"""Why somebody may or may not do something: now, at an instant of the past, or of the future.

The past is answered as it was answered then: by the ends that were known at that time, whatever was
changed since. What was not written down is named. The future is answered as things stand today.

Source: mission, "nobody can say why"; core/explanation.py, which decides.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from whenever import Date, Instant

from offramp.core.access import Decision, Place
from offramp.core.banner import Reader
from offramp.core.dates import Boundary, first_instant
from offramp.core.errors import Missing
from offramp.core.explanation import Explanation, depends_on_roles, explain
from offramp.core.model import BlockNote, Member, Organization, Pool
from offramp.core.policy import Capability
from offramp.core.transitions import OffboardingStatus
from offramp.engine.access import reader_of
from offramp.engine.block import was_blocked
from offramp.engine.context import Context
from offramp.engine.hindsight import Gap, Hindsight, Record, look_back, records_of
from offramp.engine.situation import require_member, require_organization, require_policy
from offramp.ports import Offboarding, Transaction


class MemberErased(Missing):
    """The member {member} of {organization} is erased, and what was known of them with them."""


class Tense(StrEnum):
    """Which time is spoken of, seen from when it is asked."""

    PAST = "past"
    PRESENT = "present"
    FUTURE = "future"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What became of one question at one instant.

    Attributes:
        today: what the answer is when it is asked.
        pools: in which the member has a seat today, by id.
        blocks: when somebody was shut out or let in again, as far as it was for everybody or them.
        records: what the ledger says of the ends, up to when it is asked.
        gaps: what nobody can say any more; of the past alone.
    """

    at: Instant
    tense: Tense
    place: Place
    capability: Capability
    zone: str
    explanation: Explanation
    today: Decision
    pools: tuple[Pool, ...]
    blocks: tuple[BlockNote, ...]
    records: tuple[Record, ...]
    gaps: tuple[Gap, ...]


def explain_access(
    context: Context, place: Place, capability: Capability, *, at: Boundary | None = None
) -> tuple[Account, ...]:
    """Explain a decision at an instant, or at the first one of a day; without one, right now.

    Where each product has a clock of its own and none is named, each is explained.

    Raises:
        OrganizationUnknown, OrganizationErased, MemberUnknown, MemberErased: nobody is there.
    """
    now = context.clock.now()
    with context.store.reading() as transaction:
        organization = require_organization(transaction, place.organization)
        rows = transaction.offboardings(organization.id)
        member = _require_member(transaction, place, rows)
        moment = first_instant(at, organization.zone) if isinstance(at, Date) else at or now
        inquiry = _Inquiry(
            transaction=transaction, organization=organization, member=member, now=now, at=moment
        )
        return tuple(
            inquiry.account(replace(place, product=product), capability, rows)
            for product in _products(transaction, organization, place)
        )


def _require_member(
    transaction: Transaction, place: Place, rows: tuple[Offboarding, ...]
) -> Member:
    is_there = transaction.member(place.organization, place.member) is not None
    was_there = any(
        row.subject.member == place.member and row.status is OffboardingStatus.COMPLETED
        for row in rows
    )
    if was_there and not is_there:
        raise MemberErased(organization=place.organization, member=place.member)
    return require_member(transaction, place.organization, place.member)


def _products(
    transaction: Transaction, organization: Organization, place: Place
) -> tuple[str | None, ...]:
    policy = require_policy(transaction, organization.policy)
    if place.product is not None or policy.clock != "product":
        return (place.product,)
    return tuple(sorted({pool.product for pool in transaction.pools(organization.id)}))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inquiry:
    """One person and two instants: the one that is asked about, and the one at which it is."""

    transaction: Transaction
    organization: Organization
    member: Member
    now: Instant
    at: Instant

    def account(
        self, place: Place, capability: Capability, rows: tuple[Offboarding, ...]
    ) -> Account:
        theirs = [row for row in rows if _concerns(row, place)]
        present = reader_of(
            self.transaction,
            self.organization,
            self.member,
            surface=place.surface,
            product=place.product,
        )
        gaps: tuple[Gap, ...] = ()
        blocks = self._blocks()
        if self.at < self.now:
            reader, past = self._as_known_then(place, theirs, present)
            is_blocked = was_blocked(blocks, self.member.id, at=self.at)
            gaps = tuple(self._gaps(reader, past, capability))
            if is_blocked is None:
                gaps = (*gaps, Gap.BLOCK)
            reader = replace(reader, is_blocked=bool(is_blocked))
            records = past.records
        else:
            reader, records = present, tuple(records_of(self.transaction, theirs))
        pools = self.transaction.pools(self.organization.id)
        return Account(
            at=self.at,
            tense=self._tense(),
            place=place,
            capability=capability,
            zone=self.organization.zone,
            explanation=explain(reader, capability, now=self.at),
            today=present.decide(capability, now=self.now),
            pools=tuple(
                pool
                for pool in pools
                if pool.id in self.member.pools and place.product in (None, pool.product)
            ),
            blocks=blocks,
            records=records,
            gaps=gaps,
        )

    def _blocks(self) -> tuple[BlockNote, ...]:
        notes = self.transaction.block_notes(self.organization.id)
        return tuple(each for each in notes if each.member in (None, self.member.id))

    def _as_known_then(
        self, place: Place, rows: list[Offboarding], present: Reader
    ) -> tuple[Reader, Hindsight]:
        past = look_back(self.transaction, rows, at=self.at)
        reader = reader_of(
            self.transaction,
            self.organization,
            self.member,
            surface=place.surface,
            product=place.product,
            rows=past.rows,
        )
        granted = tuple(unlock for unlock in present.unlocks if unlock.starts_at <= self.at)
        return replace(reader, is_blocked=False, unlocks=granted), past

    def _gaps(self, reader: Reader, past: Hindsight, capability: Capability) -> Iterator[Gap]:
        """Name what may have been different, as far as the answer could have been another one."""
        yield from (gap for gap in Gap if gap in past.gaps)
        if not any(row.subject.member for row in past.rows):
            yield Gap.KNOWN_SINCE
        if depends_on_roles(reader, capability, now=self.at):
            yield Gap.ROLES
        yield Gap.SEATS
        yield Gap.CALENDAR if past.rows else Gap.POLICY

    def _tense(self) -> Tense:
        if self.at == self.now:
            return Tense.PRESENT
        return Tense.PAST if self.at < self.now else Tense.FUTURE


def _concerns(row: Offboarding, place: Place) -> bool:
    subject = row.subject
    return subject.member in (None, place.member) and subject.product in (None, place.product)
