"""What was approved for many organizations is done to one after the other, each exactly once.

What is done to one of them and the note that it was done are one transaction; so whoever dies
leaves the rest, and nothing half done, to the next one. Any number of processes do this at once.

Source: docs/decisions/040-acts-on-many.md; lessons L32, L33.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType

from whenever import Instant

from offramp.core.bulk import BulkAct, BulkTarget, TargetStatus
from offramp.core.errors import OfframpError
from offramp.core.ledger import Detail, Event
from offramp.engine.bulk import BulkStale, act_in
from offramp.engine.context import Context, never_stopping
from offramp.engine.exclusive import exclusively
from offramp.engine.operators import actor_of
from offramp.ports import StoreUnavailable, Transaction

ROUND_MAX = 100  # organizations
KEPT_DAYS = 90  # acts, and what became of everybody in them
UNEXPECTED = "a mistake of ours, which is in the log; nothing was changed"


def carry_out_acts(
    context: Context,
    *,
    act: str | None = None,
    is_stopping: Callable[[], bool] = never_stopping,
) -> int:
    """Do what was approved, as much as one round takes; or of one act alone.

    Returns:
        How many organizations it was done to, or refused.
    """
    done = 0
    while done < ROUND_MAX and not is_stopping() and _carry_out_next(context, act):
        done += 1
    return done


def tidy_acts(context: Context) -> int:
    """Forget acts that nobody asks about any more; the ledger has them."""
    before = context.clock.now().subtract(hours=24 * KEPT_DAYS)
    with context.store.transaction() as transaction:
        return transaction.drop_bulk_acts(asked_before=before)


@dataclass(slots=True, kw_only=True)
class _Turn:
    """The turn of one organization: what goes wrong with it stays with it (L33).

    An outage is nobody's fault, and whoever dies says nothing: both leave it to the next one.
    """

    context: Context
    act: BulkAct | None = None
    target: BulkTarget | None = None

    def __enter__(self) -> "_Turn":
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> bool:
        """Note why nothing was done; what nobody expected is told further on as well."""
        if self.act is None or self.target is None or not isinstance(error, Exception):
            return False
        if isinstance(error, StoreUnavailable):
            return False
        is_expected = isinstance(error, OfframpError)
        reason = str(error) if is_expected else UNEXPECTED
        code = type(error).__name__
        with self.context.store.transaction() as transaction:
            now = self.context.clock.now()
            settled = replace(self.target, status=TargetStatus.REFUSED, told=reason, settled_at=now)
            if transaction.settle_bulk_target(settled):
                transaction.append([_event(self.act, settled, reason=code, at=now)])
        return is_expected


def _carry_out_next(context: Context, act: str | None) -> bool:
    with _Turn(context=context) as turn:

        def write(transaction: Transaction, now: Instant) -> None:
            found = transaction.next_bulk_target(act)
            if found is None:
                return
            turn.act, turn.target = found
            _carry_out(context, transaction, turn.act, turn.target, now=now)

        exclusively(context, write)
    return turn.target is not None


def _carry_out(
    context: Context, transaction: Transaction, act: BulkAct, target: BulkTarget, *, now: Instant
) -> None:
    acting = replace(context, actor=actor_of(act.owner_id))
    told, digest = act_in(acting, transaction, act.wish, target.organization, owner=act.owner)
    if digest != target.digest:
        raise BulkStale
    settled = replace(target, status=TargetStatus.DONE, told=told, settled_at=now)
    transaction.settle_bulk_target(settled)
    transaction.append([_event(act, settled, reason=None, at=now)])
    context.probe("bulk act uncommitted")


def _event(act: BulkAct, target: BulkTarget, *, reason: str | None, at: Instant) -> Event:
    detail: dict[str, Detail] = {
        "request": act.id,
        "act": act.wish.kind.value,
        "organization": target.organization,
        "asked_by": actor_of(act.owner_id),
        "approved_by": act.approver_id and actor_of(act.approver_id),
    }
    kind = "bulk-act-carried-out" if reason is None else "bulk-act-refused"
    if reason is not None:
        detail["reason"] = reason
    return Event(kind=kind, at=at, actor=actor_of(act.owner_id), detail=detail)
