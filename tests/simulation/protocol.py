"""A model of one subject that leaves: a notice, a deletion of two rows, two workers, and people.

Small enough that all of it is visited: every order in which workers, people, deaths and lost leases
can follow one another. Each line of a worker is one transaction or one effect, as in the engine;
between two of them everybody else may do anything, which is what a frozen worker is. Statuses
change only as the core's own tables allow.

Source: docs/decisions/004-step-protocol.md, docs/decisions/005-the-fence.md; lesson L43.
"""

from dataclasses import dataclass
from typing import NamedTuple

from offramp.core.transitions import OFFBOARDING, STEP, OffboardingStatus, StepStatus, move

WORKERS = (0, 1)
NOTICE_DAY, ERASE_DAY, LAST_DAY = 1, 2, 3
OPEN, COMPLETED = OffboardingStatus.OPEN, OffboardingStatus.COMPLETED
PENDING, STARTED, HELD, DONE = (
    StepStatus.PENDING,
    StepStatus.STARTED,
    StepStatus.HELD,
    StepStatus.DONE,
)


class Worker(NamedTuple):
    """What one worker is about to do, and the claim that it does it with."""

    next: str = "claim"
    episode: int = 0
    attempt: int = 0


class State(NamedTuple):
    """The store, the mail that went out, the vendor's rows, who is at work, and what may happen."""

    day: int = 0
    episode: int = 1
    status: OffboardingStatus = OPEN
    attempt: int = 0
    is_leased: bool = False
    is_held: bool = False
    notice: StepStatus = PENDING
    erase: StepStatus = PENDING
    sent: tuple[int, int] = (0, 0)  # by episode
    rows: int = 2
    in_fence: frozenset[int] = frozenset()
    workers: tuple[Worker, Worker] = (Worker(), Worker())
    deaths: int = 0
    lost_leases: int = 0
    holds_left: int = 1
    renewals_left: int = 1

    @property
    def sent_now(self):
        """How often the notice of this episode went out."""
        return self.sent[self.episode - 1]


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How the work is done; each of the five can be left out, as others have done."""

    fence_is_held: bool = True  # while the rows of a chunk go, not only before
    effect_comes_first: bool = True  # and then its receipt
    claims_are_checked: bool = True  # by everything that a worker writes
    notices_are_per_episode: bool = True
    due_is_a_range: bool = True  # a day that was missed is made up for
    deaths_max: int = 1
    lost_leases_max: int = 1

    def moves(self, state):
        """Give everything that may happen next."""
        for number in WORKERS:
            yield from self._of_worker(state, number)
        yield from self._of_people(state)
        yield from self._of_the_world(state)

    # --- workers ---------------------------------------------------------------------------

    def _of_worker(self, state, number):
        worker = state.workers[number]
        do = getattr(self, "_" + worker.next.replace(" ", "_"))
        after = do(state, number, worker)
        if after is not None:
            yield f"worker {number}: {worker.next}", after
        if worker.next != "claim" and state.deaths < self.deaths_max:
            dead = _without_fence(_then(state, number, Worker()), number)
            yield f"worker {number} dies", dead._replace(deaths=state.deaths + 1)

    def _claim(self, state, number, _worker):
        if state.status is not OPEN or state.is_leased or not self._is_anything_due(state):
            return None
        attempt = state.attempt + 1
        claimed = state._replace(attempt=attempt, is_leased=True)
        return _then(claimed, number, Worker("look", state.episode, attempt))

    def _look(self, state, number, worker):
        if not self._may_write(state, worker):
            return _then(state, number, Worker())
        if state.notice is not DONE and self._is_due(state, NOTICE_DAY):
            return _then(state, number, worker._replace(next="start notice"))
        if self._is_due(state, ERASE_DAY) and state.notice is DONE and not state.is_held:
            return _then(state, number, worker._replace(next="start erase"))
        return _then(state._replace(is_leased=False), number, Worker())

    def _start_notice(self, state, number, worker):
        if not self._may_write(state, worker):
            return _then(state, number, Worker())
        started = state._replace(notice=move(STEP, state.notice, STARTED))
        following = "send" if self.effect_comes_first else "note notice"
        return _then(started, number, worker._replace(next=following))

    def _send(self, state, number, worker):
        sent = list(state.sent)
        sent[worker.episode - 1] += 1
        following = "note notice" if self.effect_comes_first else "look"
        return _then(state._replace(sent=tuple(sent)), number, worker._replace(next=following))

    def _note_notice(self, state, number, worker):
        if not self._may_write(state, worker) or state.notice is not STARTED:
            return _then(state, number, Worker())
        noted = state._replace(notice=move(STEP, STARTED, DONE))
        following = "look" if self.effect_comes_first else "send"
        return _then(noted, number, worker._replace(next=following))

    def _start_erase(self, state, number, worker):
        if not self._may_write(state, worker):
            return _then(state, number, Worker())
        started = state._replace(erase=move(STEP, state.erase, STARTED))
        return _then(started, number, worker._replace(next="judge chunk"))

    def _judge_chunk(self, state, number, worker):
        if not self._may_write(state, worker):
            return _then(state, number, Worker())
        if not state.rows:
            return _then(state, number, worker._replace(next="note erase"))
        if state.is_held:
            held = state._replace(erase=move(STEP, state.erase, HELD), is_leased=False)
            return _then(held, number, Worker())
        if self.fence_is_held:
            state = state._replace(in_fence=state.in_fence | {number})
        return _then(state, number, worker._replace(next="delete row"))

    def _delete_row(self, state, number, worker):
        rows = max(0, state.rows - 1)
        return _then(state._replace(rows=rows), number, worker._replace(next="leave fence"))

    def _leave_fence(self, state, number, worker):
        outside = _without_fence(state, number)
        return _then(outside, number, worker._replace(next="judge chunk"))

    def _note_erase(self, state, number, worker):
        if not self._may_write(state, worker) or state.erase is not STARTED:
            return _then(state, number, Worker())
        noted = state._replace(
            erase=move(STEP, STARTED, DONE),
            status=move(OFFBOARDING, state.status, COMPLETED),
            is_leased=False,
        )
        return _then(noted, number, Worker())

    def _may_write(self, state, worker):
        """Say whether the claim of a worker is the present one of what it has claimed."""
        if not self.claims_are_checked:
            return state.status is OPEN
        is_current = (worker.episode, worker.attempt) == (state.episode, state.attempt)
        return state.status is OPEN and is_current

    def _is_anything_due(self, state):
        is_notice_due = state.notice is not DONE and self._is_due(state, NOTICE_DAY)
        may_erase = state.notice is DONE and not state.is_held
        return is_notice_due or (may_erase and self._is_due(state, ERASE_DAY))

    def _is_due(self, state, day):
        return state.day >= day if self.due_is_a_range else state.day == day

    # --- people, who wait for a chunk in flight, and the world -----------------------------

    def _of_people(self, state):
        if state.in_fence or state.status is not OPEN:
            return
        if state.is_held:
            yield "the hold is released", state._replace(is_held=False)
        elif state.holds_left:
            held = state._replace(is_held=True, holds_left=state.holds_left - 1)
            yield "somebody holds it", held
        if state.renewals_left:
            yield "the licence is renewed and will end again", self._renewed(state)

    def _renewed(self, state):
        notice = PENDING if self.notices_are_per_episode else state.notice
        return state._replace(
            day=0,
            episode=state.episode + 1,
            attempt=0,
            is_leased=False,
            notice=notice,
            erase=PENDING,
            renewals_left=state.renewals_left - 1,
        )

    def _of_the_world(self, state):
        if state.day < LAST_DAY:
            yield "a day passes", state._replace(day=state.day + 1)
        if state.is_leased and not _is_held_by_the_living(state):
            yield "the lease of a dead worker runs out", state._replace(is_leased=False)
        elif state.is_leased and state.lost_leases < self.lost_leases_max:
            lost = state._replace(is_leased=False, lost_leases=state.lost_leases + 1)
            yield "the lease of a slow worker runs out", lost


def _is_held_by_the_living(state):
    claim = (state.episode, state.attempt)
    return any((worker.episode, worker.attempt) == claim for worker in state.workers)


def _then(state, number, worker):
    workers = list(state.workers)
    workers[number] = worker
    return state._replace(workers=tuple(workers))


def _without_fence(state, number):
    return state._replace(in_fence=state.in_fence - {number})
