"""What happens, counted for Prometheus; and what there is to do, as the store has it when asked.

Every metric and every label is in this file. A label takes its values from a closed set: a state,
an action, an endpoint of the configuration, the name of a class. Never an id, a name or an address
of anybody: whoever collects metrics keeps them for longer than we keep people.

Source: docs/decisions/021-what-an-operator-sees.md; Prometheus, "Metric and label naming".
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    Metric,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from whenever import Instant

from offramp.core.due import Reason
from offramp.core.policy import Action
from offramp.core.transitions import StepStatus
from offramp.ports import EndpointLoad, Happening, Workload

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200)
_ENDS = (
    *(StepStatus.DONE, StepStatus.MISSED, StepStatus.UNREACHED),
    *(StepStatus.FAILED, StepStatus.HELD, StepStatus.ABANDONED),
)
_TROUBLES = frozenset({StepStatus.FAILED, StepStatus.HELD, StepStatus.ABANDONED})
_STATES: Mapping[str, str] = {
    "due": "Off-boardings whose date has come and that nobody works on.",
    "lost": "Of the due ones, those that a worker took and did not give back in time.",
    "running": "Off-boardings that a worker has.",
    "coming": "Off-boardings whose date comes within 24 hours.",
    "stopped": "Off-boardings that wait for a person because an invariant failed.",
}
_OTHER = "other"
NO_ENDPOINTS: Mapping[str, EndpointLoad] = {}


class PrometheusReport:
    """Hears of everything that happens and counts it; safe to use from several threads."""

    def __init__(self, *, version: str) -> None:
        """Begin with nothing counted, apart from every other registry of the process."""
        # The time at which each series began is one more series, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        Info("offramp_build", "The program.", registry=registry).info({"version": version})
        self._sweeps = Histogram(
            "offramp_sweep_seconds",
            "How long a sweep took, with the work it did.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._steps = Histogram(
            "offramp_step_seconds",
            "How long an attempt at a step took.",
            ["action"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._claims = self._counter("claims", "Claims on which work began.")
        self._ended = self._counter(
            "steps", "Attempts at steps, by what became of the step.", "action", "status"
        )
        self._troubles = self._counter(
            "step_troubles", "Attempts that did not end a step, by why.", "action", "reason"
        )
        self._overtaken = self._counter(
            "claims_overtaken", "Claims that another worker took over from this one."
        )
        self._postponed = self._counter(
            "claims_postponed", "Claims put off because something is down or in the way.", "error"
        )
        self._stops = self._counter(
            "stops", "Off-boardings that were stopped because an invariant failed.", "reason"
        )
        self._unexpected = self._counter(
            "unexpected_errors", "Mistakes of ours, by the class of the error.", "error"
        )
        self._outages = self._counter(
            "outages", "Sweeps that ended because something is down.", "error"
        )
        self._parcels = self._counter(
            "events_sent", "Attempts to bring an event, by what became of it.", "endpoint", "status"
        )
        for action in Action:
            self._steps.labels(action)
            for status in _ENDS:  # so that the first failure is an increase, and no new series
                self._ended.labels(action, status)

    def __call__(self, event: str, facts: Mapping[str, object], /) -> None:
        """Count one thing that happened."""
        match event:
            case Happening.SWEEP:
                self._sweeps.observe(_number(facts["seconds"]))
            case Happening.CLAIM:
                self._claims.inc()
            case Happening.STEP:
                self._count_step(facts)
            case Happening.OVERTAKEN:
                self._overtaken.inc()
            case Happening.POSTPONED:
                self._postponed.labels(_class_name(facts["error"])).inc()
            case Happening.STOPPED:
                self._stops.labels(_class_name(facts["reason"])).inc()
            case Happening.PARCEL:
                self._parcels.labels(facts["endpoint"], facts["status"]).inc()
            case Happening.UNEXPECTED:
                self._unexpected.labels(_class_name(facts["error"])).inc()
            case Happening.UNAVAILABLE:
                self._outages.labels(_class_name(facts["error"])).inc()

    def text(
        self,
        load: Workload | None,
        *,
        is_paused: bool,
        now: Instant,
        endpoints: Mapping[str, EndpointLoad] = NO_ENDPOINTS,
    ) -> bytes:
        """Write everything as Prometheus reads it; without a workload the store is down."""
        stored = (*_gauges(load, is_paused=is_paused, now=now), *_events(endpoints))
        return generate_latest(_Families(metrics=(*self._registry.collect(), *stored)))

    def _count_step(self, facts: Mapping[str, object]) -> None:
        action, status = str(facts["action"]), StepStatus(str(facts["status"]))
        self._ended.labels(action, status).inc()
        self._steps.labels(action).observe(_number(facts["seconds"]))
        if status in _TROUBLES:
            self._troubles.labels(action, _reason(facts["reason"])).inc()

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"offramp_{name}", meaning, labels, registry=self._registry)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Families:
    """Metrics that were collected already."""

    metrics: tuple[Metric, ...]

    def collect(self) -> Iterable[Metric]:
        """Give them to whoever writes them."""
        return self.metrics


def _gauges(load: Workload | None, *, is_paused: bool, now: Instant) -> Iterator[Metric]:
    """Show the store as it is; what is not known is left out, for 0 would be a good answer."""
    yield _gauge("store_up", "Whether the store answered just now.", float(load is not None))
    if load is None:
        return
    waited = now - load.oldest_due_at if load.oldest_due_at else None
    yield _gauge(
        "lag_seconds",
        "How long the oldest off-boarding that is due has been waiting; 0 when none is.",
        max(0.0, waited.total("seconds")) if waited else 0.0,
    )
    yield _gauge("paused", "Whether everything destructive is paused.", float(is_paused))
    for state, meaning in _STATES.items():
        yield _gauge(f"offboardings_{state}", meaning, getattr(load, state))
    steps = GaugeMetricFamily(
        "offramp_steps_in_trouble",
        "Steps of open off-boardings that will be tried again, may not run, or are given up.",
        labels=["status"],
    )
    for status, number in (
        (StepStatus.FAILED, load.failed),
        (StepStatus.HELD, load.held),
        (StepStatus.ABANDONED, load.abandoned),
    ):
        steps.add_metric([status], number)
    yield steps


def _events(endpoints: Mapping[str, EndpointLoad]) -> Iterator[Metric]:
    """Show what there is to bring to each endpoint of the configuration."""
    waiting = GaugeMetricFamily(
        "offramp_events_waiting", "Events that an endpoint has not taken yet.", labels=["endpoint"]
    )
    retried = GaugeMetricFamily(
        "offramp_events_retried",
        "Of the waiting ones, those that it did not take at least once.",
        labels=["endpoint"],
    )
    failed = GaugeMetricFamily(
        "offramp_events_failed", "Events that were given up.", labels=["endpoint"]
    )
    disabled = GaugeMetricFamily(
        "offramp_endpoint_disabled",
        "Whether an endpoint answered 410 and is sent nothing.",
        labels=["endpoint"],
    )
    for name, load in endpoints.items():
        waiting.add_metric([name], load.waiting)
        retried.add_metric([name], load.retried)
        failed.add_metric([name], load.failed)
        disabled.add_metric([name], float(load.disabled_at is not None))
    if endpoints:
        yield from (waiting, retried, failed, disabled)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"offramp_{name}", meaning, value=value)


def _reason(told: object) -> str:
    """Name the reason of the core (`hold`, `cap`), or the class of the error.

    A reason of the core may go on with what is held, which stays out of the label.
    """
    sentence = str(told).partition(": ")[0]
    known = {reason.value: reason.name.lower() for reason in Reason}
    return known.get(sentence) or _class_name(told)


def _class_name(told: object) -> str:
    return told if isinstance(told, str) and told.isidentifier() else _OTHER


def _number(told: object) -> float:
    assert isinstance(told, int | float), "what is reported is a number"
    return float(told)
