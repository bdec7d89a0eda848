"""What a person who watches over very many organizations asks for, a page at a time.

Every answer is cut off at a limit, and found by an index however many organizations there are.

Source: docs/console.md; mission A7.
"""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from whenever import Instant

from offramp.core.model import Member, Organization
from offramp.core.policy import Policy
from offramp.ports.record import (
    Delivery,
    DeliveryNote,
    DeliveryStatus,
    MailLoad,
    Offboarding,
    Workload,
)


class Condition(StrEnum):
    """Where an organization stands, as the database can say it."""

    ANY = "any"  # every organization that is not erased
    LEAVING = "leaving"  # itself or one of its products is being off-boarded
    STAYING = "staying"  # neither is
    HELD = "held"  # a hold on it is in force
    STOPPED = "stopped"  # an invariant failed, and a person has to look


class Outlook(Protocol):
    """The share of a transaction that is about it."""

    def workload(self, *, now: Instant, until: Instant) -> Workload:
        """Count what is due, taken, and coming up to an instant (inclusive), and troubled steps.

        Steps count while their off-boarding is open.
        """

    def mail_load(self, *, lost_since: Instant) -> MailLoad:
        """Count what is still to be sent, up to `MAILS_COUNTED_MAX`, and what was lost after an
        instant.

        What nobody goes on to send counts for nothing: its off-boarding or its step is over.
        """

    def due_between(
        self, after: Instant | None, until: Instant, *, limit: int
    ) -> tuple[Offboarding, ...]:
        """List what has work left and is due after an instant, up to another (inclusive).

        The earliest first; without `after` also whatever has been due for longer.
        """

    def troubled(self, *, limit: int) -> tuple[Offboarding, ...]:
        """List by id what was stopped, and what is open with a failed, held or abandoned step."""

    def count_deliveries(self, offboarding: str) -> Mapping[str, Mapping[DeliveryStatus, int]]:
        """Count the deliveries of an off-boarding by step and status, however many there are."""

    def lost_deliveries(self, organization: str, *, limit: int) -> tuple[Delivery, ...]:
        """List the deliveries of an organization that were refused or came back, by their keys."""

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
        """List by name and id, past a folded name and an id, those whose name begins with a text.

        With `until` none comes after that name and id. ASCII letters are the same large and small
        (`fold_address`). An erased one is not there.
        """

    def organization_further(
        self, begins: str = "", *, after: tuple[str, str] | None = None, steps: int
    ) -> tuple[str, str] | None:
        """Give the folded name and the id of the one so many steps further on in that list; none
        where there are not so many."""

    def whole_offboardings(self, organizations: Collection[str]) -> tuple[Offboarding, ...]:
        """List by organization and product the newest episode of each organization, or product of
        it, as a whole; those of single members and canceled ones are left out."""

    def members_from(self, organization: str, *, after: str, limit: int) -> tuple[Member, ...]:
        """List the members of an organization by id, past one of them."""

    def offboardings_from(
        self, organization: str, *, after: Offboarding | None, limit: int
    ) -> tuple[Offboarding, ...]:
        """List the off-boardings of an organization by member, product and episode, past one."""

    def deliveries_from(
        self, offboarding: str, *, after: tuple[str, str], limit: int
    ) -> tuple[Delivery, ...]:
        """List the deliveries of an off-boarding by step and member, past one of them."""

    def notes_on(self, deliveries: Sequence[Delivery]) -> tuple[DeliveryNote, ...]:
        """Give the history of some deliveries of one off-boarding, oldest first."""

    def policies(self) -> tuple[Policy, ...]:
        """List the newest version of every policy, by id."""

    def policy_versions(self) -> tuple[tuple[Policy, int], ...]:
        """List every version by id and number, and how many off-boardings go on by it."""
