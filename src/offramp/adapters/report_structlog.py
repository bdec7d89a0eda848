"""What happens, as a log that machines read: one JSON document on one line for each thing.

What is written is chosen by name here, so that nothing gets into a log because somebody told it:
ids of ours, codes, counts and times, and of a mistake its kind and its places. Never a variable,
never a message of a stranger's error, never a person's data.

Source: docs/operations.md, "The log"; dependencies, "Logs".
"""

import json
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.contextvars import bind_contextvars, merge_contextvars, unbind_contextvars

from offramp.core.parcel import ParcelStatus
from offramp.core.transitions import StepStatus
from offramp.ports import PROGRESS, Clock, Happening

TOLD = (
    *("at", "level", "event", "offboarding", "attempt", "step", "action", "status", "reason"),
    *("seconds", "claimed", "failed", "error", "bytes", "papers", "problem", "frames", "address"),
    *("endpoint", "parcel"),
)
"""Everything that a line may hold, in this order."""

_OF_A_CLAIM = ("offboarding", "attempt")
_LEVELS: Mapping[str, str] = {
    Happening.OVERTAKEN: "warning",
    Happening.POSTPONED: "warning",
    Happening.STOPPED: "error",
    Happening.UNEXPECTED: "error",
    Happening.UNAVAILABLE: "error",
    Happening.UNPRINTED: "error",
    Happening.HEAVY: "warning",
    Happening.KEPT_OUT: "warning",
}
_STATUS_LEVELS: Mapping[str, Mapping[str, str]] = {
    Happening.STEP: {StepStatus.DONE: "info", StepStatus.ABANDONED: "error"},
    Happening.PARCEL: {ParcelStatus.DELIVERED: "info", ParcelStatus.FAILED: "error"},
}


class StructlogReport:
    """Hears of everything that happens and writes it down at once.

    From its claim until the sweep ends, whatever one thread tells belongs to one off-boarding.
    """

    def __init__(self, *, clock: Clock, stream: TextIO) -> None:
        """Write to a stream, with the times of a clock."""
        self._clock = clock
        self._logger = structlog.wrap_logger(
            structlog.WriteLogger(stream),
            processors=[
                merge_contextvars,
                structlog.processors.add_log_level,
                self._date,
                _choose,
                structlog.processors.JSONRenderer(serializer=json.dumps, ensure_ascii=False),
            ],
            wrapper_class=structlog.BoundLogger,
        )

    def __call__(self, event: str, facts: Mapping[str, object], /) -> None:
        """Write one line; progress, and sweeps that found nothing, are left out."""
        if event == Happening.CLAIM:
            bind_contextvars(**facts)
        if event == Happening.SWEEP:
            unbind_contextvars(*_OF_A_CLAIM)
        if event not in PROGRESS and (event != Happening.SWEEP or facts["claimed"]):
            getattr(self._logger, _level(event, facts))(str(event), **facts)
        if event == Happening.UNAVAILABLE:  # and what was in hand has been named
            unbind_contextvars(*_OF_A_CLAIM)

    def _date(self, logger: object, method: str, line: MutableMapping[str, Any]) -> dict[str, Any]:
        return {"at": self._clock.now().format_iso(), **line}


def _level(event: str, facts: Mapping[str, object]) -> str:
    if event in _STATUS_LEVELS:
        return _STATUS_LEVELS[event].get(str(facts["status"]), "warning")
    return _LEVELS.get(event, "info")


def _choose(logger: object, method: str, line: MutableMapping[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in TOLD if line.get(name) is not None}
