"""What has to be true at every moment of every story, judged without the engine's own judgment.

Dates are counted here by hand from the published texts, not from the plan, so that an error in
the plan would be seen as well.
"""

from datetime import date

from whenever import Instant

from offramp.core.ledger import verify_chain
from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.ports import DeliveryStatus
from tests.simulation.shop import ZONE


class Finding(BaseException):
    """A law was broken; no part of the engine may contain it."""


def require(holds, law):
    if not holds:
        raise Finding(law)


# Days after the last day of access on which a message may first be seen.
FIRST_DAY = {
    "license-pool": {"expiring-soon": -14, "achievements": 1, "company-data": 23},
    "edit-only-grace": {
        "now-expired": 1,
        "now-deactivated": 91,
        "now-marked-for-deletion": 366,
        "ending-soon": -7,
    },
}
ERASED_FROM = {"license-pool": 30, "edit-only-grace": 365}
# Deletion waits so many days after these were delivered (or what stands in for them).
WAITS = {
    "license-pool": {"expiring-soon": 14, "company-data": 7},
    "edit-only-grace": {"now-marked-for-deletion": 30},
}


def civil(instant):
    day = instant.to_tz(ZONE).date()
    return date(day.year, day.month, day.day)


def days_since(ends, now):
    if isinstance(ends, Instant):  # no last day of access: the day itself is the first without
        return (civil(now) - civil(ends)).days + 1
    return (civil(now) - date(ends.year, ends.month, ends.day)).days


class Laws:
    """Watches one world in which acme leaves and beta stays."""

    def __init__(self, world, app, policy):
        self.world, self.app, self.policy = world, app, policy
        self.beta = app.dump("beta")
        self.entries = ()
        world.watch = self.watch

    def watch(self, point):
        if point == "mail accepted":
            self.no_mail_is_early()
        if point in ("chunk fenced", "chunk committed"):
            self.destruction_is_allowed()

    def after_each_deed(self):
        with self.world.store.transaction() as transaction:
            entries, head = transaction.ledger(), transaction.ledger_head()
        verify_chain(entries, key=self.world.keys.ledger_key(), heads=[head])
        require(entries[: len(self.entries)] == self.entries, "L41 the ledger only grows")
        self.entries = entries
        ids = [sent.message.id for sent in self.world.mail.sent]
        require(len(ids) == len(set(ids)), "L8 nobody is written to twice by one step")
        require(self.app.dump("beta") == self.beta, "L42 the sibling stays as it is")

    def no_mail_is_early(self):
        sent = self.world.mail.sent[-1]
        first = FIRST_DAY[self.policy].get(sent.message.subject)
        if first is None:  # a warning that stands in for a lost one goes out at once, to admins
            by = ("owner@", "admin@")
            require(sent.message.to.startswith(by), "A6 a user is warned before the end")
            return
        rows = [row for row, step in self.started()]
        late_enough = any(days_since(row.ends, self.world.now) >= first for row in rows)
        require(late_enough, f"L1 {sent.message.subject} is early")

    def destruction_is_allowed(self):
        now = self.world.now
        (row,) = [row for row, step in self.started() if step.is_destructive]
        with self.world.store.transaction() as transaction:
            holds = transaction.holds("acme")
            pools = transaction.pools("acme")
            is_paused = transaction.is_paused()
            deliveries = transaction.deliveries(row.id)
        require(row.status is OffboardingStatus.OPEN, "L18 only an open episode is carried out")
        require(not any(hold.is_active(now) for hold in holds), "L25 a hold stops destruction")
        require(not is_paused, "L26 a pause stops destruction")
        mine = [p.ends for p in pools if row.subject.product in (None, p.product)]
        if row.subject.member is not None:
            mine = [row.ends]
        ended = [ends is not None and days_since(ends, now) for ends in mine]
        enough = ERASED_FROM[self.policy]
        require(all(d is not False and d >= enough for d in ended), "L1 deletion is early")
        for notice, wait in WAITS[self.policy].items():
            accepted = [
                d.accepted_at
                for d in deliveries
                if d.status is DeliveryStatus.ACCEPTED and d.step.startswith(notice)
            ]
            require(accepted, f"L10 deleted without {notice}")
            stood = (civil(now) - civil(max(accepted))).days
            require(stood >= wait, f"D2 {notice} stood {stood} days only")

    def started(self):
        with self.world.store.transaction() as transaction:
            rows = transaction.offboardings("acme")
            return [
                (row, step)
                for row in rows
                for step in transaction.steps(row.id)
                if step.status is StepStatus.STARTED and step.receipt is None
            ]
