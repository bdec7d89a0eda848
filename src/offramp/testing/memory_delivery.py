"""Deliveries and their history in the store in memory.

Source: ``ports.Transaction``.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from whenever import Instant

from offramp.core.model import Member, Role, Subject
from offramp.core.policy import Audience
from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.ports import (
    Delivery,
    DeliveryNote,
    DeliveryStatus,
    DeliveryTally,
    MailLoad,
    Offboarding,
)
from offramp.testing.memory_tables import Addressed, MemoryPart

_ROLE_OF = {Audience.ADMINS: Role.ADMIN, Audience.OWNER: Role.OWNER, Audience.BILLING: Role.BILLING}
_LEAVING = frozenset({OffboardingStatus.OPEN, OffboardingStatus.COMPLETED})
_WAITING = frozenset({DeliveryStatus.QUEUED, DeliveryStatus.FAILED})
_LOST = frozenset({DeliveryStatus.REFUSED, DeliveryStatus.BOUNCED})
_GOING_ON = frozenset({StepStatus.PENDING, StepStatus.STARTED, StepStatus.FAILED})
_TO_SEND = _WAITING | {DeliveryStatus.SENDING}


class MemoryDeliveryPart(MemoryPart):
    """What is written to whom."""

    def has_told(self, offboarding: str) -> bool:
        """Whether any message of an off-boarding was accepted and has not come back."""
        return bool(self._told(offboarding))

    def _told(self, offboarding: str) -> set[str]:
        return {
            each.member for each in self.deliveries(offboarding) if each.accepted_at is not None
        }

    def fan_out(
        self, offboarding: Offboarding, *, step: str, audience: Audience, is_for_told: bool = False
    ) -> int:
        """Create the missing deliveries of an audience and count all of the step."""
        told = self._told(offboarding.id)
        for member in self._readers(offboarding.subject, audience):
            if is_for_told and member.id not in told:
                continue
            delivery = Delivery(offboarding=offboarding.id, step=step, member=member.id)
            self.tables.deliveries.setdefault(_key(delivery), delivery)
        return len(self.deliveries(offboarding.id, step=step))

    def mail_load(self, *, lost_since: Instant) -> MailLoad:
        """Count what is to be sent, is being sent, waits, and was lost."""
        under_way = [each for each in self.tables.deliveries.values() if self._goes_on(each)]
        counts = Counter(each.status for each in under_way)
        failed = [each for each in under_way if each.status is DeliveryStatus.FAILED]
        notes = self.tables.delivery_notes
        oldest = max(failed, key=lambda each: each.attempts, default=None)
        failed_at = (
            note.at
            for note in notes
            if oldest
            and note.status is DeliveryStatus.FAILED
            and (note.offboarding, note.step, note.member)
            == (oldest.offboarding, oldest.step, oldest.member)
        )
        return MailLoad(
            due=counts[DeliveryStatus.QUEUED],
            sending=counts[DeliveryStatus.SENDING],
            deferred=counts[DeliveryStatus.FAILED],
            deferred_since=min(failed_at, default=None),
            lost=sum(note.status in _LOST and note.at > lost_since for note in notes),
        )

    def _goes_on(self, delivery: Delivery) -> bool:
        """Whether somebody goes on to send a message."""
        row = self.tables.offboardings[delivery.offboarding]
        is_open = row.status is OffboardingStatus.OPEN
        is_over = row.status in (OffboardingStatus.COMPLETED, OffboardingStatus.CANCELED)
        if not is_open and not (is_over and row.next_due_at is not None):
            return False
        steps = (step for (whose, _), step in self.tables.steps.items() if whose == row.id)
        return delivery.status in _TO_SEND and (
            delivery.round > 1
            or any(
                step.status in _GOING_ON and delivery.step in (step.key, f"{step.key}/{step.issue}")
                for step in steps
            )
        )

    def take_deliveries(
        self, offboarding: str, *, step: str, now: Instant, limit: int, after: str = ""
    ) -> tuple[Delivery, ...]:
        """Mark deliveries as sending and return them as they were before."""
        attempt = self.tables.offboardings[offboarding].attempt
        waiting = self._in_turn(offboarding, step=step, now=now, after=after)
        for delivery in waiting[:limit]:
            self.tables.takers[_key(delivery)] = attempt
            repeats = delivery.repeats + (delivery.status is DeliveryStatus.SENDING)
            sending = replace(delivery, status=DeliveryStatus.SENDING, repeats=repeats)
            self.tables.deliveries[_key(delivery)] = sending
        return tuple(waiting[:limit])

    def awaited(
        self, offboarding: str, *, step: str, now: Instant, limit: int, after: str
    ) -> tuple[str, ...]:
        """Name the members whose deliveries would be taken next."""
        waiting = self._in_turn(offboarding, step=step, now=now, after=after)
        return tuple(delivery.member for delivery in waiting[:limit])

    def _in_turn(self, offboarding: str, *, step: str, now: Instant, after: str) -> list[Delivery]:
        attempt = self.tables.offboardings[offboarding].attempt
        return [
            delivery
            for delivery in self.deliveries(offboarding, step=step)
            if delivery.member > after
            and (_is_due(delivery, now=now) or self._is_left(delivery, attempt=attempt))
        ]

    def save_deliveries(
        self, deliveries: Iterable[Delivery], *, at: Instant, taken_by: int | None = None
    ) -> None:
        """Write the outcome of deliveries, and add it to their history."""
        for delivery in deliveries:
            is_ours = taken_by in (None, self.tables.takers.get(_key(delivery)))
            if is_ours and _key(delivery) in self.tables.deliveries:
                self.tables.deliveries[_key(delivery)] = delivery
                self._note(delivery, at=at)

    def deliveries(self, offboarding: str, *, step: str | None = None) -> tuple[Delivery, ...]:
        """List the deliveries of an off-boarding."""
        keys = sorted(self.tables.deliveries)
        mine = [key for key in keys if key[0] == offboarding and step in (None, key[1])]
        return tuple(self.tables.deliveries[key] for key in mine)

    def tally_deliveries(self, offboarding: str, *, step: str) -> DeliveryTally:
        """Count the deliveries of a step."""
        mine = self.deliveries(offboarding, step=step)
        accepted = [each.accepted_at for each in mine if each.accepted_at is not None]
        return DeliveryTally(
            deliveries=len(mine),
            accepted=len(accepted),
            under_way=sum(each.status in _TO_SEND for each in mine),
            declined=sum(_is_declined(each) for each in mine),
            repeats=sum(each.repeats for each in mine),
            delivered_at=max(accepted, default=None),
        )

    def delivery_notes(self, offboarding: str) -> tuple[DeliveryNote, ...]:
        """Give the history of an off-boarding's deliveries, oldest first."""
        notes = self.tables.delivery_notes
        return tuple(note for note in notes if note.offboarding == offboarding)

    def find_message(self, message: str) -> Delivery | None:
        """Find the delivery whose latest message has an id."""
        found = (each for each in self.tables.deliveries.values() if each.message == message)
        return next(found, None)

    def queue_again(
        self,
        offboarding: str,
        *,
        steps: Collection[str],
        statuses: Collection[DeliveryStatus],
        member: str | None = None,
        unasked_since: Instant | None = None,
        at: Instant,
    ) -> int:
        """Queue deliveries of steps once more, each in its next round; returns how many."""
        asked = {
            (note.offboarding, note.step, note.member, note.channel)
            for note in self.tables.delivery_notes
            if note.status is DeliveryStatus.QUEUED
            and unasked_since is not None
            and note.at > unasked_since
        }
        chosen = [
            each
            for each in self.deliveries(offboarding)
            if each.step in steps
            and each.status in statuses
            and member in (None, each.member)
            and _key(each) not in asked
        ]
        for each in chosen:
            again = replace(
                each,
                status=DeliveryStatus.QUEUED,
                attempts=0,
                next_try_at=None,
                round=each.round + 1,
            )
            self.tables.deliveries[_key(again)] = again
            self._note(replace(again, reason=None), at=at)
        return len(chosen)

    def steps_to_resend(self, offboarding: str) -> Mapping[str, Instant | None]:
        """Name the steps with something to send again, each with the instant of its next try."""
        tries: dict[str, list[Instant | None]] = {}
        for each in self.deliveries(offboarding):
            if each.round > 1 and each.status in _TO_SEND:
                tries.setdefault(each.step, []).append(each.next_try_at)
        return {step: _earliest(dates) for step, dates in tries.items()}

    def _note(self, delivery: Delivery, *, at: Instant) -> None:
        self.tables.delivery_notes.append(
            DeliveryNote(
                offboarding=delivery.offboarding,
                step=delivery.step,
                member=delivery.member,
                channel=delivery.channel,
                at=at,
                status=delivery.status,
                reason=delivery.reason,
            )
        )

    def _readers(self, subject: Subject, audience: Audience) -> Iterator[Member]:
        everybody = audience in (Audience.MEMBERS, Audience.SUBJECT)
        for member in self.tables.members.values():
            if member.organization != subject.organization or not member.email:
                continue
            if everybody and subject.member is not None:
                is_reader = member.id == subject.member
            elif everybody:
                is_reader = member.removed_at is None and self._is_covered(member, subject)
            else:
                is_reader = member.removed_at is None and _ROLE_OF[audience] in member.roles
            if is_reader:
                yield member

    def _is_covered(self, member: Member, subject: Subject) -> bool:
        own = [
            row
            for row in self.tables.offboardings.values()
            if (row.subject.organization, row.subject.member) == (member.organization, member.id)
            and row.subject.product in (None, subject.product)
            and row.status in _LEAVING
        ]
        seats = [self.tables.pools.get((member.organization, pool)) for pool in member.pools]
        products = {None, *(pool.product for pool in seats if pool)}
        return not own and subject.product in products

    def _is_left(self, delivery: Delivery, *, attempt: int) -> bool:
        is_sending = delivery.status is DeliveryStatus.SENDING
        return is_sending and self.tables.takers.get(_key(delivery)) != attempt


def _key(delivery: Delivery) -> Addressed:
    return delivery.offboarding, delivery.step, delivery.member, delivery.channel


def _is_declined(delivery: Delivery) -> bool:
    return delivery.status is DeliveryStatus.DECLINED and delivery.accepted_at is None


def _is_due(delivery: Delivery, *, now: Instant) -> bool:
    is_waiting = delivery.status in _WAITING
    return is_waiting and (delivery.next_try_at is None or delivery.next_try_at <= now)


def _earliest(dates: Sequence[Instant | None]) -> Instant | None:
    """Give the first date; none where one of them need not be waited for."""
    timed = [date for date in dates if date is not None]
    return min(timed) if len(timed) == len(dates) else None
