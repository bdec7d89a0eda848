"""What a worker answers to whoever watches it, without a server around it."""

import json
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from threading import Event, Thread

import pytest
from whenever import Instant

from offramp.adapters.report_prometheus import CONTENT_TYPE, PrometheusReport
from offramp.engine.context import Limits
from offramp.engine.watch import Pulse
from offramp.ports import StoreUnavailable, StoreVersionDiffers
from offramp.testing.memory_store import MemoryStore
from offramp.testing.world import World
from offramp.web import monitor as module
from offramp.web.monitor import Monitor

NOW = Instant.from_utc(2024, 8, 31)
LEASE_SECONDS = 60


class Stopwatch:
    """A forward clock that is moved by hand."""

    def __init__(self):
        self.seconds = 100.0

    def __call__(self):
        return self.seconds


class LostStore(MemoryStore):
    """Cannot be read any more."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def reading(self):
        raise self.error


class SilentStore(MemoryStore):
    """Begins to answer, and does not end before it may."""

    def __init__(self):
        super().__init__()
        self.asked, self.may_end = Event(), Event()

    @contextmanager
    def reading(self):
        self.asked.set()
        self.may_end.wait()
        with super().reading() as transaction:
            yield transaction


def watch(store=None):
    """Give a monitor of a worker, and the clock and pulse of the worker."""
    elapsed = Stopwatch()
    world = World(NOW, store=store, limits=Limits(lease_seconds=LEASE_SECONDS))
    pulse = Pulse(elapsed=elapsed)
    metrics = PrometheusReport(version="1.2.3")
    return Monitor(replace(world.context, elapsed=elapsed), metrics=metrics, pulse=pulse), elapsed


def data(answer):
    return json.loads(answer.body)


@pytest.mark.parametrize(
    ("silent_seconds", "status"),
    [(0, 200), (LEASE_SECONDS - 1, 200), (LEASE_SECONDS, 503), (10 * LEASE_SECONDS, 503)],
)
def test_a_worker_lives_until_it_is_silent_for_as_long_as_its_lease(silent_seconds, status):
    monitor, elapsed = watch()
    elapsed.seconds += silent_seconds

    answer = monitor.answer("GET", "/healthz")

    assert answer.status == status
    assert data(answer) == {"is_alive": status == 200, "silent_seconds": silent_seconds}


@pytest.mark.parametrize("event", ["sweep", "erase", "export", "step"])
def test_whatever_a_worker_tells_is_a_sign_of_life(event):
    elapsed = Stopwatch()
    pulse = Pulse(elapsed=elapsed)
    elapsed.seconds += 1000

    pulse(event, {})

    assert pulse.silent_seconds() == 0


def test_what_goes_to_an_endpoint_is_no_sign_of_life_of_the_worker():
    elapsed = Stopwatch()
    pulse = Pulse(elapsed=elapsed)
    elapsed.seconds += 1000

    pulse("parcel", {})

    assert pulse.silent_seconds() == 1000


def test_a_worker_whose_store_answers_is_ready():
    monitor, _ = watch()

    answer = monitor.answer("GET", "/readyz")

    assert (answer.status, data(answer)) == (200, {"is_ready": True, "has_datamap": False})


@pytest.mark.parametrize(
    "error",
    [
        StoreUnavailable(reason="connection to db.acme.example refused"),
        StoreVersionDiffers(found="9999", expected="0003"),
    ],
    ids=lambda error: error.code,
)
def test_a_worker_whose_store_does_not_answer_as_it_should_lives_and_is_not_ready(error):
    monitor, _ = watch(LostStore(error))

    ready, health = monitor.answer("GET", "/readyz"), monitor.answer("GET", "/healthz")

    assert (ready.status, health.status) == (503, 200)
    assert data(ready) == {"is_ready": False, "reason": error.code}
    assert b"acme" not in ready.body


def test_metrics_are_given_whether_the_store_answers_or_not():
    up, _ = watch()
    down, _ = watch(LostStore(StoreUnavailable(reason="it is down")))

    answers = [each.answer("GET", "/metrics") for each in (up, down)]

    assert [answer.status for answer in answers] == [200, 200]
    assert [answer.content_type for answer in answers] == [CONTENT_TYPE] * 2
    assert b"\nofframp_store_up 1.0\n" in answers[0].body
    assert b"\nofframp_store_up 0.0\n" in answers[1].body


def test_a_question_that_hangs_takes_no_second_connection(monkeypatch):
    monkeypatch.setattr(module, "TURN_SECONDS_MAX", 0.01)
    store = SilentStore()
    monitor, _ = watch(store)
    hanging = Thread(target=monitor.answer, args=("GET", "/readyz"))
    hanging.start()
    store.asked.wait()

    answers = [monitor.answer("GET", page) for page in ("/readyz", "/metrics", "/healthz")]
    store.may_end.set()
    hanging.join()
    after = monitor.answer("GET", "/readyz")

    assert [answer.status for answer in answers] == [503, 200, 200]
    assert b"offramp_store_up 0.0" in answers[1].body
    assert after.status == HTTPStatus.OK


@pytest.mark.parametrize("path", ["/", "/metrics/", "/healthz/x", "", "//metrics", "*"])
def test_there_are_no_other_pages(path):
    monitor, _ = watch()

    assert monitor.answer("GET", path).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_done_but_ask(method):
    monitor, _ = watch()

    answer = monitor.answer(method, "/healthz")

    assert (answer.status, answer.headers) == (405, {"Allow": "GET, HEAD"})


def test_what_follows_a_question_mark_changes_nothing():
    monitor, _ = watch()

    assert monitor.answer("GET", "/healthz?verbose").status == 200
