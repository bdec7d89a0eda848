"""Rounds to every endpoint, each for itself, beside the work on off-boardings and not in its way.

One thread for each endpoint, so that one that is slow or dead holds up nothing but its own events;
one that makes parcels of what is new, even for nobody, so that an endpoint that is declared
later begins with what happens later; one that looks for mail that came back; one that looks whose
the addresses are that asked for their messages, and one for those that asked for a way into the
portal; one that writes the copies that people asked for; one that mails what support says about a
case, and one that takes in letters about cases; one that does what was approved for many
organizations; one that forgets answers and such acts after their time; and one that settles what a
billing system said before its pool was known. A round that fails is told, and the next one begins
after a while. Any number of processes may do this at once: a parcel is sent by whoever claimed it,
and what came back counts once, as a letter does.

Source: docs/webhooks.md; lessons L31, L33, L35.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Thread

from offramp.core.case import Letter
from offramp.core.errors import Unavailable
from offramp.engine.billing import settle_kept
from offramp.engine.bulk_work import carry_out_acts, tidy_acts
from offramp.engine.case_mail import send_answers
from offramp.engine.context import Context
from offramp.engine.copying import tend_copies
from offramp.engine.intake import collect, fetch
from offramp.engine.portal_entry import send_entrances
from offramp.engine.repetition import tidy_answers
from offramp.engine.reporting import report_unavailable, report_unexpected
from offramp.engine.request import answer_requests
from offramp.engine.webhook import hand_over, send_round
from offramp.ports import Mailbox, Returned

REST_SECONDS = 1.0  # between two rounds when there was nothing
TROUBLE_SECONDS = 10.0  # after a round that failed
LOOK_SECONDS = 0.1  # between two looks whether a round has ended
SETTLE_SECONDS = 60.0  # between two looks at subscriptions without a pool
TIDY_SECONDS = 600.0  # between two rounds that forget
ONCE_SECONDS = 30.0  # for all rounds of a command that does not go on
# No endpoint can have such a name.
_HANDING_OVER, _FETCHING, _ANSWERING = "", "@", "@@"
_TIDYING, _SETTLING = "@tidy", "@settle"
_LETTING_IN, _COPYING, _REPLYING, _SWEEPING = "@in", "@copy", "@case", "@sweep"
_ACTING, _COLLECTING = "@many", "@letters"


@dataclass(slots=True, kw_only=True)
class Courier:
    """The rounds of one process.

    Attributes:
        rounds: what is done again and again, each for itself; says how much there was to do.
        rests: the round -> the seconds after it, where they are its own.
        resting: the round -> when the next one may begin, on the context's forward clock.
    """

    context: Context
    rounds: Mapping[str, Callable[[], int]]
    pool: ThreadPoolExecutor
    rests: Mapping[str, float] = field(default_factory=dict)
    running: dict[str, Future[int]] = field(default_factory=dict)
    resting: dict[str, float] = field(default_factory=dict)

    def tend(self) -> None:
        """Take note of the rounds that have ended, and begin those whose rest is over."""
        now = self.context.elapsed()
        for name, future in list(self.running.items()):
            if future.done():
                del self.running[name]
                self.resting[name] = now + self._rest_after(name, future)
        for name, act in self.rounds.items():
            if name not in self.running and self.resting.get(name, now) <= now:
                self.running[name] = self.pool.submit(act)

    @property
    def is_idle(self) -> bool:
        """Whether every round has found nothing to do, or cannot go on now."""
        return not self.running and self.resting.keys() == self.rounds.keys()

    def _rest_after(self, name: str, future: Future[int]) -> float:
        error = future.exception()
        if error is None:
            return self.rests.get(name, 0.0 if future.result() else REST_SECONDS)
        if isinstance(error, Unavailable):
            report_unavailable(self.context, error)
        else:
            report_unexpected(self.context, error)
        return self.rests.get(name, TROUBLE_SECONDS)


@contextmanager
def carrying(context: Context, *, sweep: Callable[[], int] | None = None) -> Iterator[None]:
    """Bring events to the endpoints for as long as the block runs, and end what is in hand.

    Args:
        sweep: what a process without a worker of its own does besides; says how much it did.
    """
    closing = Event()

    def is_stopping() -> bool:
        return closing.is_set() or context.is_stopping()

    with _courier(context, is_stopping=is_stopping, sweep=sweep) as courier:

        def go_on() -> None:
            while not closing.wait(LOOK_SECONDS):
                if not is_stopping():  # rounds end while the last steps in hand do
                    courier.tend()

        thread = Thread(target=go_on, name="courier", daemon=True)
        thread.start()
        try:
            yield
        finally:
            closing.set()
            thread.join()


def carry_once(context: Context) -> None:
    """Bring to the endpoints what is due now, as far as that is soon done."""
    until = context.elapsed() + ONCE_SECONDS
    while hand_over(context):
        pass

    def is_stopping() -> bool:
        return context.is_stopping() or context.elapsed() >= until

    with _courier(context, is_stopping=is_stopping) as courier:
        courier.tend()
        while not courier.is_idle and not is_stopping():
            context.pause(LOOK_SECONDS)
            courier.tend()


@contextmanager
def _courier(
    context: Context,
    *,
    is_stopping: Callable[[], bool],
    sweep: Callable[[], int] | None = None,
) -> Iterator[Courier]:
    rounds: dict[str, Callable[[], int]] = {
        _HANDING_OVER: partial(hand_over, context),
        _ANSWERING: partial(answer_requests, context),
        _LETTING_IN: partial(send_entrances, context),
        _COPYING: partial(tend_copies, context, is_stopping=is_stopping),
        _REPLYING: partial(send_answers, context, is_stopping=is_stopping),
        _ACTING: partial(carry_out_acts, context, is_stopping=is_stopping),
        _TIDYING: partial(_tidy, context),
        _SETTLING: partial(settle_kept, context),
    }
    for name in context.endpoints:
        rounds[name] = partial(send_round, context, name, is_stopping=is_stopping)
    if context.returns is not None:
        rounds[_FETCHING] = partial(_fetch, context, context.returns, is_stopping=is_stopping)
    if context.letters is not None:
        rounds[_COLLECTING] = partial(_collect, context, context.letters, is_stopping=is_stopping)
    rests = {
        _FETCHING: context.limits.returns_seconds,
        _COLLECTING: context.limits.letters_seconds,
        _TIDYING: TIDY_SECONDS,
        _SETTLING: SETTLE_SECONDS,
    }
    if sweep is not None:
        rounds[_SWEEPING] = sweep
    try:
        with ThreadPoolExecutor(max_workers=len(rounds), thread_name_prefix="endpoint") as pool:
            yield Courier(context=context, rounds=rounds, rests=rests, pool=pool)
    finally:
        for endpoint in context.endpoints.values():
            endpoint.close()


def _tidy(context: Context) -> int:
    return tidy_answers(context) + tidy_acts(context)


def _fetch(context: Context, mailbox: Mailbox[Returned], *, is_stopping: Callable[[], bool]) -> int:
    return fetch(context, mailbox, is_stopping=is_stopping).noted


def _collect(context: Context, mailbox: Mailbox[Letter], *, is_stopping: Callable[[], bool]) -> int:
    return collect(context, mailbox, is_stopping=is_stopping).total()
