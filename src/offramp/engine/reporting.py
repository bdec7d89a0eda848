"""What the engine tells as it goes. Every event of a sweep, with all of its facts, is worded here.

Source: ``ports.Happening``; docs/operations.md, "What is told".
"""

from offramp.core.errors import OfframpError, Unavailable, frames_of
from offramp.core.transitions import StepStatus
from offramp.engine.context import Context
from offramp.ports import Happening, Offboarding, Parcel, Ticket


def report_sweep(context: Context, *, claimed: int, failed: int, began: float) -> None:
    """Tell that a sweep has ended."""
    seconds = _seconds(context, began)
    context.report(Happening.SWEEP, {"claimed": claimed, "failed": failed, "seconds": seconds})


def report_claim(context: Context, claimed: Offboarding) -> None:
    """Tell that the work on a claim begins."""
    context.report(Happening.CLAIM, _claim(claimed))


def report_step(
    context: Context,
    claimed: Offboarding,
    *,
    step: str,
    action: str,
    status: StepStatus,
    reason: str | None,
    began: float,
) -> None:
    """Tell what became of a step in one attempt."""
    context.report(
        Happening.STEP,
        {
            "at": context.clock.now().format_iso(),
            **_claim(claimed),
            "step": step,
            "action": action,
            "status": status.value,
            "reason": reason,
            "seconds": _seconds(context, began),
        },
    )


def report_overtaken(context: Context, claimed: Offboarding) -> None:
    """Tell that another worker has taken a claim over."""
    context.report(Happening.OVERTAKEN, _claim(claimed))


def report_void(context: Context, ticket: Ticket) -> None:
    """Tell that a ticket was good no more when it arrived."""
    told = {"offboarding": ticket.offboarding, "attempt": ticket.attempt}
    context.report(Happening.VOID, told)


def report_stopped(context: Context, claimed: Offboarding, *, reason: str) -> None:
    """Tell that an off-boarding was stopped for a person to look at."""
    context.report(Happening.STOPPED, {**_claim(claimed), "reason": reason})


def report_postponed(context: Context, claimed: Offboarding, error: Exception) -> None:
    """Tell why an off-boarding is looked at again later.

    Of a mistake the kind and the places are told; its message may hold a person's data.
    """
    if isinstance(error, OfframpError):
        context.report(Happening.POSTPONED, {**_claim(claimed), "error": error.code})
        return
    told = {"error": type(error).__name__, "frames": frames_of(error)}
    context.report(Happening.UNEXPECTED, {**_claim(claimed), **told})


def report_parcel(context: Context, parcel: Parcel, *, began: float) -> None:
    """Tell what became of an event on its way to an endpoint, in one attempt."""
    context.report(
        Happening.PARCEL,
        {
            "endpoint": parcel.endpoint,
            "parcel": parcel.event.id,
            "attempt": parcel.attempts,
            "status": parcel.status.value,
            "reason": parcel.reason,
            "seconds": _seconds(context, began),
        },
    )


def report_unexpected(context: Context, error: BaseException) -> None:
    """Tell of a mistake that belongs to no off-boarding, without its message."""
    told = {"error": type(error).__name__, "frames": frames_of(error)}
    context.report(Happening.UNEXPECTED, told)


def report_unavailable(context: Context, error: Unavailable) -> None:
    """Tell that a worker cannot go on before something is back."""
    context.report(Happening.UNAVAILABLE, {"error": error.code, "problem": str(error)})


def _claim(claimed: Offboarding) -> dict[str, object]:
    return {"offboarding": claimed.id, "attempt": claimed.attempt}


def _seconds(context: Context, began: float) -> float:
    return round(context.elapsed() - began, 6)
