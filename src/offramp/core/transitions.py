"""The states of a step and of an off-boarding, as tables. Every change of a status is one of these.

    step:         pending   -> started | held | missed | canceled
                  started   -> done | missed | unreached | failed | held | abandoned | canceled
                  failed    -> started (after its back-off) | held | missed | abandoned | canceled
                  held      -> started (its reason is gone) | missed | canceled
                  abandoned -> pending (put back by hand) | missed | canceled
                  done      -> pending (an export is issued again)
                  missed    -> pending (a later end makes it useful again)
                  unreached -> pending (somebody can be reached now)
    off-boarding: open      -> completed | canceled | stopped
                  stopped   -> open (put back by hand) | canceled

``canceled`` and ``completed`` are final. What is started or held may be so again. A
step that is not due has no row.

Source: docs/decisions/004-step-protocol.md; lessons L18, L32, L33.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from offramp.core.errors import Refused


class StepStatus(StrEnum):
    """Where one step of one episode stands."""

    PENDING = "pending"  # due, and nothing has been tried
    STARTED = "started"  # the effect may have happened
    FAILED = "failed"  # tried, did not happen, will be tried again
    HELD = "held"  # a person's decision stands in the way
    DONE = "done"
    MISSED = "missed"  # its use had passed
    UNREACHED = "unreached"  # a notice that nobody could be given
    ABANDONED = "abandoned"  # tried as often as allowed
    CANCELED = "canceled"  # the episode ended first


class OffboardingStatus(StrEnum):
    """Where one episode stands."""

    OPEN = "open"
    COMPLETED = "completed"  # everything was carried out
    CANCELED = "canceled"  # renewed or reactivated
    STOPPED = "stopped"  # an invariant failed; a person has to look


class IllegalTransition(Refused):
    """A {noun} that is {source} cannot become {target}."""


_S, _O = StepStatus, OffboardingStatus
_ENDS = frozenset({_S.DONE, _S.MISSED, _S.UNREACHED, _S.CANCELED})

STEP: Mapping[StepStatus, frozenset[StepStatus]] = {
    _S.PENDING: frozenset({_S.STARTED, _S.MISSED, _S.HELD, _S.CANCELED}),
    _S.STARTED: frozenset({*_ENDS, _S.STARTED, _S.FAILED, _S.HELD, _S.ABANDONED}),
    _S.FAILED: frozenset({_S.STARTED, _S.HELD, _S.MISSED, _S.CANCELED, _S.ABANDONED}),
    _S.HELD: frozenset({_S.HELD, _S.STARTED, _S.MISSED, _S.CANCELED}),
    _S.ABANDONED: frozenset({_S.PENDING, _S.MISSED, _S.CANCELED}),
    _S.DONE: frozenset({_S.PENDING}),  # an export is issued again when the data has changed since
    _S.MISSED: frozenset({_S.PENDING}),  # a later end makes it useful again
    _S.UNREACHED: frozenset({_S.PENDING}),
    _S.CANCELED: frozenset(),
}

OFFBOARDING: Mapping[OffboardingStatus, frozenset[OffboardingStatus]] = {
    _O.OPEN: frozenset({_O.COMPLETED, _O.CANCELED, _O.STOPPED}),
    _O.STOPPED: frozenset({_O.OPEN, _O.CANCELED}),
    _O.COMPLETED: frozenset(),
    _O.CANCELED: frozenset(),
}

FINISHED = frozenset({_S.DONE, _S.MISSED, _S.UNREACHED})
"""The statuses of a step that has a receipt."""

_Status = TypeVar("_Status", StepStatus, OffboardingStatus)


def move(table: Mapping[_Status, frozenset[_Status]], source: _Status, target: _Status) -> _Status:
    """Return the target status when the table allows the change.

    Raises:
        IllegalTransition: it does not; nothing was changed.
    """
    if target not in table[source]:
        noun = "step" if isinstance(source, StepStatus) else "off-boarding"
        raise IllegalTransition(noun=noun, source=source.value, target=target.value)
    return target
