"""Metrics, health and readiness of one process: what is asked, and what is answered.

Answers hold counts, codes and versions; nobody has to be known to ask, so nobody is named.

Source: docs/operations.md; RFC 9110, sections 9.3.2 (HEAD) and 15.5.6 (405).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Lock

from offramp.adapters.report_prometheus import CONTENT_TYPE, PrometheusReport
from offramp.core.errors import Unavailable
from offramp.engine.context import Context
from offramp.engine.watch import Load, Pulse, measure, require_store
from offramp.ports import StoreUnavailable

METHODS = ("GET", "HEAD")
TURN_SECONDS_MAX = 5.0  # so long a question waits for the one before it


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back over HTTP."""

    status: HTTPStatus
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Monitor:
    """Answers for one process; safe to be asked from several threads."""

    def __init__(
        self, context: Context, *, metrics: PrometheusReport, pulse: Pulse | None = None
    ) -> None:
        """Answer for what has this context, and the pulse of its worker where it has one."""
        self._context = context
        self._metrics = metrics
        self._pulse = pulse
        self._turn = Lock()
        self._pages: Mapping[str, Callable[[], Answer]] = {
            "/healthz": self._health,
            "/readyz": self._readiness,
            "/metrics": self._measures,
        }

    def answer(self, method: str, target: str) -> Answer:
        """Answer one request; what is asked of a HEAD is left to whoever sends it."""
        page = self._pages.get(target.partition("?")[0])
        if page is None:
            return _told(HTTPStatus.NOT_FOUND, pages=sorted(self._pages))
        if method not in METHODS:
            refused = _told(HTTPStatus.METHOD_NOT_ALLOWED, methods=METHODS)
            return Answer(
                status=refused.status, body=refused.body, headers={"Allow": ", ".join(METHODS)}
            )
        return page()

    def _health(self) -> Answer:
        """A worker that is silent for longer than its lease has lost its work to others anyway."""
        pulse = self._pulse
        if pulse is None:
            return _told(HTTPStatus.OK, is_alive=True)
        silent_seconds = pulse.silent_seconds()
        is_alive = not pulse.is_broken and silent_seconds < self._context.limits.lease_seconds
        status = HTTPStatus.OK if is_alive else HTTPStatus.SERVICE_UNAVAILABLE
        broken = {"is_broken": True} if pulse.is_broken else {}
        return _told(status, is_alive=is_alive, silent_seconds=round(silent_seconds, 1), **broken)

    def _readiness(self) -> Answer:
        try:
            with self._one_at_a_time():
                require_store(self._context)
        except Unavailable as error:
            return _told(HTTPStatus.SERVICE_UNAVAILABLE, is_ready=False, reason=error.code)
        has_datamap = self._context.data is not None
        return _told(HTTPStatus.OK, is_ready=True, has_datamap=has_datamap)

    def _measures(self) -> Answer:
        load = self._load()
        text = self._metrics.text(
            load.workload if load else None,
            is_paused=load is not None and load.is_paused,
            endpoints=load.endpoints if load else {},
            now=load.at if load else self._context.clock.now(),
        )
        return Answer(status=HTTPStatus.OK, body=text, content_type=CONTENT_TYPE)

    def _load(self) -> Load | None:
        try:
            with self._one_at_a_time():
                return measure(self._context)
        except Unavailable:
            return None  # which is told as a store that is not up

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        """Ask the store one question, so that one that hangs takes no second connection."""
        if not self._turn.acquire(timeout=TURN_SECONDS_MAX):
            raise StoreUnavailable(reason="it has not answered the question before this one")
        try:
            yield
        finally:
            self._turn.release()


def _told(status: HTTPStatus, **facts: object) -> Answer:
    return Answer(status=status, body=json.dumps(facts).encode() + b"\n")
