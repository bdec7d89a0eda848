"""What happens until the next midnight, and what a person has to look at: late, held, failing.

However many are leaving, only so many are shown as one page holds; the counts are of all of them.

Source: mission A7, A12; `engine.overview`, by whose functions every row is worked out.
"""

from dataclasses import dataclass

from whenever import Instant

from offramp.core.bulk import BulkAct
from offramp.core.dates import civil_date, first_instant
from offramp.core.transitions import OffboardingStatus
from offramp.engine.arming import open_requests
from offramp.engine.context import Context
from offramp.engine.overview import Leaving, StepState, leaving_of
from offramp.engine.timekeeping import caught_up_at
from offramp.ports import Arming, Offboarding, Transaction, Workload

ROWS_MAX = 30  # of each list


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One off-boarding, and the step of it that is looked at.

    Attributes:
        name: of the organization.
        leaving: how it stands; none where the organization is erased, and only what was kept of it
            is looked after.
        step: what is in the way, or else comes next.
    """

    offboarding: Offboarding
    name: str = ""
    leaving: Leaving | None = None
    step: StepState | None = None

    @property
    def organization(self) -> str:
        """The id of who leaves."""
        return self.offboarding.subject.organization

    @property
    def is_stopped(self) -> bool:
        """Whether an invariant failed."""
        return self.offboarding.status is OffboardingStatus.STOPPED


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """One look at everything, until midnight in one zone.

    Attributes:
        late: what is due by now, the longest due first.
        troubled: what a person has to look at.
        coming: what falls due until midnight.
        cap: how many deletions may begin within a day; none for no cap.
        requests: deletions that wait for a second person.
        acts: acts on many that do.
    """

    at: Instant
    midnight: Instant
    workload: Workload
    is_paused: bool
    cap: int | None
    clock_until: Instant | None
    requests: tuple[Arming, ...]
    acts: tuple[BulkAct, ...]
    next_due_at: Instant | None
    late: tuple[Expected, ...]
    troubled: tuple[Expected, ...]
    coming: tuple[Expected, ...]


def look_at_today(context: Context, *, zone: str) -> Today:
    """See what happens until midnight in a zone, and what is in the way."""
    now = context.clock.now()
    midnight = first_instant(civil_date(now, zone=zone).next_day(), zone)
    with context.store.reading() as transaction:
        troubled = transaction.troubled(limit=ROWS_MAX)
        late = transaction.due_between(None, now, limit=ROWS_MAX)
        coming = transaction.due_between(now, midnight, limit=ROWS_MAX)

        def rows(found: tuple[Offboarding, ...]) -> tuple[Expected, ...]:
            return tuple(_expected(context, transaction, row, now=now) for row in found)

        return Today(
            at=now,
            midnight=midnight,
            workload=transaction.workload(now=now, until=midnight),
            is_paused=transaction.is_paused(),
            cap=transaction.daily_cap(),
            clock_until=caught_up_at(context, transaction, now=now),
            requests=open_requests(transaction, now=now),
            acts=transaction.bulk_acts(open_at=now, limit=ROWS_MAX),
            next_due_at=transaction.next_due_at(),
            late=rows(late),
            troubled=rows(troubled),
            coming=rows(coming),
        )


def _expected(
    context: Context, transaction: Transaction, row: Offboarding, *, now: Instant
) -> Expected:
    organization = transaction.organization(row.subject.organization)
    if organization is None:
        return Expected(offboarding=row)
    leaving = leaving_of(context, transaction, row, now=now)
    in_the_way = next((s for s in leaving.steps if s.is_blocked or s.trouble), None)
    return Expected(
        offboarding=row,
        name=organization.name or organization.id,
        leaving=leaving,
        step=in_the_way or leaving.next,
    )
