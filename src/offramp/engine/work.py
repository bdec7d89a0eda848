"""One step in hand: what an action gets, and what it gives back.

Source: CONTRIBUTING.md: every action has ``preview``, ``perform`` and ``verify``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from whenever import Instant

from offramp.core.due import Reason, Run, judge
from offramp.core.errors import Refused, Unavailable
from offramp.core.ledger import Detail
from offramp.core.model import Organization, Outcome
from offramp.core.plan import PlannedStep
from offramp.data.scope import Scope
from offramp.engine.context import Context, Data
from offramp.engine.situation import require_organization, situation_of
from offramp.ports import Offboarding, OutboxEvent, StepRow, Transaction


class GuardNotMet(Refused):
    """The step {step} may not run now: {reason}."""


class DataMapMissing(Unavailable):
    """The step {step} needs the vendor's data, and no data map is configured."""


def issue_key(step: str, issue: int) -> str:
    """Name one issue of a step; the first one has the step's own name."""
    return step if issue == 1 else f"{step}/{issue}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One started step of one claimed off-boarding."""

    context: Context
    claimed: Offboarding
    planned: PlannedStep
    row: StepRow
    began: float = 0.0  # seconds on the context's forward clock

    @property
    def delivery_key(self) -> str:
        """The key of the step's deliveries: what is handed over again is delivered again."""
        return issue_key(self.planned.key, self.row.issue)

    @property
    def is_over(self) -> bool:
        """Whether the step has its receipt: what is still sent was asked for again."""
        return self.row.receipt is not None

    @property
    def scope(self) -> Scope:
        """What of the vendor's data the step concerns."""
        subject = self.claimed.subject
        return Scope(
            organization=subject.organization, member=subject.member, product=subject.product
        )

    @property
    def data(self) -> Data:
        """The vendor's data; a step that needs it cannot go on without."""
        if self.context.data is None:
            raise DataMapMissing(
                step=self.planned.key, hint="set OFFRAMP_DATAMAP to the data map file"
            )
        return self.context.data

    def organization(self) -> Organization:
        """Read the organization as it is now."""
        with self.context.store.transaction() as transaction:
            return require_organization(transaction, self.claimed.subject.organization)

    def require_guard(self, transaction: Transaction) -> None:
        """Judge the step again on fresh facts (L18).

        Raises:
            GuardNotMet: it may not run any more; the reason is the core's.
        """
        now = self.context.clock.now()
        situation = situation_of(self.context, transaction, self.claimed, now=now)
        verdict = judge(self.planned, situation, now=now)
        if not isinstance(verdict, Run) or verdict.planned.key != self.planned.key:
            reason = getattr(verdict, "reason", Reason.NOTICE_PENDING)
            raise GuardNotMet(step=self.planned.key, reason=reason.value)


@dataclass(slots=True, kw_only=True)
class Heartbeat:
    """Keeps the claim of work that takes long; to be called as often as it makes progress."""

    context: Context
    claimed: Offboarding
    beaten_at: float = 0.0  # seconds on the context's forward clock

    def beat(self) -> None:
        """Extend the lease when a good part of it may have passed.

        Raises:
            StaleClaim: another attempt has taken over.
        """
        context = self.context
        elapsed = context.elapsed()
        if elapsed - self.beaten_at < context.limits.lease_seconds / 4:
            return
        self.beaten_at = elapsed
        lease_until = context.lease_from(context.clock.now())
        with context.store.transaction() as transaction:
            transaction.extend_lease(self.claimed, lease_until=lease_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """An effect that was seen: what the receipt, the outbox and the store get from it.

    ``conclude`` runs in the transaction that writes the receipt.
    """

    outcome: Outcome = Outcome.DONE
    delivered_at: Instant | None = None
    proof: Mapping[str, Detail] = field(default_factory=dict)
    events: tuple[OutboxEvent, ...] = ()
    conclude: Callable[[Transaction], None] | None = None
