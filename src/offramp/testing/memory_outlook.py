"""What a person who watches asks for, in the store in memory.

Source: ``ports.Outlook``.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from whenever import Instant

from offramp.core.model import Member, Organization
from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.ports import (
    Condition,
    Delivery,
    DeliveryNote,
    DeliveryStatus,
    Offboarding,
    fold_address,
)
from offramp.testing.memory_work import MemoryOffboardingPart

_TROUBLED = frozenset({StepStatus.FAILED, StepStatus.HELD, StepStatus.ABANDONED})
_CURRENT = frozenset({OffboardingStatus.OPEN, OffboardingStatus.STOPPED})


class MemoryOutlookPart(MemoryOffboardingPart):
    """What happens next, what is in the way, and who stands where."""

    def due_between(
        self, after: Instant | None, until: Instant, *, limit: int
    ) -> tuple[Offboarding, ...]:
        """List what has work left and is due between two instants."""
        dated = [(row.next_due_at, row) for row in self._at_work() if row.next_due_at is not None]
        found = [(at, row) for at, row in dated if at <= until and (after is None or at > after)]
        found.sort(key=lambda each: (each[0], each[1].subject.organization, each[1].id))
        return tuple(row for _, row in found[:limit])

    def troubled(self, *, limit: int) -> tuple[Offboarding, ...]:
        """List what was stopped, and what has a step in trouble."""
        steps = self.tables.steps.values()
        in_trouble = {row.offboarding for row in steps if row.status in _TROUBLED}
        found = [
            row
            for _, row in sorted(self.tables.offboardings.items())
            if row.status is OffboardingStatus.STOPPED
            or (row.status is OffboardingStatus.OPEN and row.id in in_trouble)
        ]
        return tuple(found[:limit])

    def count_deliveries(self, offboarding: str) -> Mapping[str, Mapping[DeliveryStatus, int]]:
        """Count the deliveries of an off-boarding by step and status."""
        counts: dict[str, Counter[DeliveryStatus]] = {}
        for each in self._deliveries():
            if each.offboarding == offboarding:
                counts.setdefault(each.step, Counter())[each.status] += 1
        return counts

    def lost_deliveries(self, organization: str, *, limit: int) -> tuple[Delivery, ...]:
        """List the deliveries of an organization that were refused or came back."""
        rows = self.tables.offboardings
        found = [
            each
            for each in self._deliveries()
            if rows[each.offboarding].subject.organization == organization
            and each.status in (DeliveryStatus.REFUSED, DeliveryStatus.BOUNCED)
        ]
        return tuple(found[:limit])

    def members_from(self, organization: str, *, after: str, limit: int) -> tuple[Member, ...]:
        """List the members of an organization past one of them."""
        mine = sorted(key for key in self.tables.members if key[0] == organization)
        return tuple(self.tables.members[key] for key in mine if key[1] > after)[:limit]

    def offboardings_from(
        self, organization: str, *, after: Offboarding | None, limit: int
    ) -> tuple[Offboarding, ...]:
        """List the off-boardings of an organization past one of them."""
        keyed = sorted(
            (
                (_place(row), row)
                for row in self.tables.offboardings.values()
                if row.subject.organization == organization
            ),
            key=lambda each: each[0],
        )
        past = (row for place, row in keyed if after is None or place > _place(after))
        return tuple(past)[:limit]

    def deliveries_from(
        self, offboarding: str, *, after: tuple[str, str], limit: int
    ) -> tuple[Delivery, ...]:
        """List the deliveries of an off-boarding past one of them."""
        mine = (each for each in self._deliveries() if each.offboarding == offboarding)
        return tuple(each for each in mine if (each.step, each.member) > after)[:limit]

    def notes_on(self, deliveries: Sequence[Delivery]) -> tuple[DeliveryNote, ...]:
        """Give the history of some deliveries."""
        keys = {(each.offboarding, each.step, each.member) for each in deliveries}
        notes = self.tables.delivery_notes
        return tuple(each for each in notes if (each.offboarding, each.step, each.member) in keys)

    def _deliveries(self) -> list[Delivery]:
        return [each for _, each in sorted(self.tables.deliveries.items())]

    def find_organizations(
        self,
        begins: str = "",
        *,
        condition: Condition = Condition.ANY,
        after: tuple[str, str] | None = None,
        until: tuple[str, str] | None = None,
        now: Instant,
        limit: int,
    ) -> tuple[Organization, ...]:
        """List by name those whose name begins with a text."""
        chosen = self._standing(condition, now=now)
        found = [
            each
            for key, each in self._named(begins, after=after)
            if each.id in chosen and (until is None or key <= until)
        ]
        return tuple(found[:limit])

    def organization_further(
        self, begins: str = "", *, after: tuple[str, str] | None = None, steps: int
    ) -> tuple[str, str] | None:
        """Give the name and the id of the one so many steps further on."""
        keys = [key for key, _ in self._named(begins, after=after)]
        return keys[steps - 1] if steps <= len(keys) else None

    def _named(
        self, begins: str, *, after: tuple[str, str] | None
    ) -> list[tuple[tuple[str, str], Organization]]:
        keyed = sorted(
            (
                ((fold_address(each.name), each.id), each)
                for each in self.tables.organizations.values()
                if each.id not in self.tables.erased
            ),
            key=lambda each: each[0],
        )
        return [
            (key, each)
            for key, each in keyed
            if key[0].startswith(fold_address(begins)) and (after is None or key > after)
        ]

    def whole_offboardings(self, organizations: Collection[str]) -> tuple[Offboarding, ...]:
        """List the newest episodes of organizations as a whole."""
        newest = {
            row.subject: row
            for row in self.offboardings()
            if row.subject.member is None and row.subject.organization in organizations
        }
        found = (row for row in newest.values() if row.status is not OffboardingStatus.CANCELED)
        return tuple(found)

    def _standing(self, condition: Condition, *, now: Instant) -> Collection[str]:
        rows = self.tables.offboardings.values()
        leaving = {
            row.subject.organization
            for row in rows
            if row.subject.member is None and row.status in _CURRENT
        }
        everybody = self.tables.organizations.keys()
        match condition:
            case Condition.ANY:
                return everybody
            case Condition.LEAVING:
                return leaving
            case Condition.STAYING:
                return everybody - leaving
            case Condition.STOPPED:
                stopped = OffboardingStatus.STOPPED
                return {row.subject.organization for row in rows if row.status is stopped}
            case Condition.HELD:
                holds = self.tables.holds.values()
                return {each.organization for each in holds if each.is_active(now)}


def _place(row: Offboarding) -> tuple[str, str, int]:
    return row.subject.member or "", row.subject.product or "", row.episode
