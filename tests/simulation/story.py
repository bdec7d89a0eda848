"""One seed is one story: what people, machines and networks do to some organizations that leave.

Deeds happen between two sweeps, or in the middle of whatever is being done: at a random one of the
points that the engine passes next.
"""

from dataclasses import replace
from functools import partial
from random import Random

from whenever import Instant

from offramp.core.errors import Missing, Refused, Unavailable
from offramp.core.parcel import Reply
from offramp.core.policy import Policy
from offramp.engine import brake, webhook
from offramp.engine import offboarding as deeds
from offramp.engine.bounces import take_back
from offramp.engine.people import (
    Person,
    end_members,
    expire_members,
    reactivate_members,
    remove_members,
)
from offramp.engine.publication import publish
from offramp.engine.resending import ask_again
from offramp.engine.unlock import grant_unlock
from offramp.ports import (
    MailerUnavailable,
    MessageRefused,
    Return,
    Returned,
    SendOutcomeUnknown,
)
from offramp.testing.endpoint import YES, MemoryEndpoint
from offramp.testing.world import SMALL_CHUNKS
from tests.simulation.laws import ZONE, Laws
from tests.simulation.shop import KnownSource
from tests.simulation.stories import POLICIES, START, open_world
from tests.simulation.trouble import FailingStore

SPAN_DAYS = {"license-pool": 75, "edit-only-grace": 600}
PEOPLE = ("owner", "admin", "user", "guest")  # the owner is never refused: a person would decide
DEEDS = 14  # in the span of a policy, for one organization
POINTS_MAX = 60  # so far ahead lies the point at which something happens
CHUNKS_MAX = 12  # of the small organizations of a story
STALL_HOURS_MAX = 40
TROUBLES_MAX = 6  # so many transactions in a row meet an outage
VERSIONS = (2, 3)
SETTLED = Instant.from_utc(2034, 1, 1)
STOPPING = ("hold", "pause", "exempt", "renew", "extend", "reactivate")
MENDED = ("mend", "resume", "uncap", "release", "readmit", "retry", "resend")
LATEST = 5  # so many of the latest messages may come back
AUDITED = ("stage-changed", "erased")
REPLIES = (
    YES,
    Reply(status=None, reason="ReadTimeout"),
    Reply(status=503, reason="503", retry_after_seconds=7200),
    Reply(status=302, reason="302"),
    Reply(status=410, reason="410"),
)


def version_of(policy, number):
    """Give the next versions of a policy: a week more before the deletion, and back again."""
    document = POLICIES[policy].model_dump(mode="json", by_alias=True)
    document["version"] = number
    if number == 2:
        (erase,) = [step for step in document["steps"] if step["id"] == "erase"]
        later = {"license-pool": "expiry + P37D", "edit-only-grace": "expiry + P373D"}[policy]
        erase["at"] = {"*": [later]}
        erase["no_later_than"] = "expiry + P19M"
    return Policy.model_validate(document)


class Story:
    """Everything that happens in one world, drawn from one seed."""

    def __init__(self, app, seed, *, days=None, organizations=1, store=None, seen=FailingStore):
        self.chance = Random(seed)
        self.app = app
        self.policy = self.chance.choice(tuple(SPAN_DAYS))
        self.days = days or SPAN_DAYS[self.policy]
        self.leaving = ("acme", *(f"firm{number}" for number in range(1, organizations)))
        self.endpoints = {"crm": MemoryEndpoint(), "audit": MemoryEndpoint(AUDITED)}
        self.world = open_world(
            app, self.policy, leaving=self.leaving, store=store, endpoints=self.endpoints
        )
        self.world.mail.can_tell = self.chance.random() < 0.5
        self.store = seen(self.world.store)
        self.world.store_as_seen = self.store
        self.world.context = replace(self.world.context, store=self.store)
        self.laws = Laws(
            self.world, app, self.policy, leaving=self.leaving, endpoints=self.endpoints
        )
        self.is_over = False
        self.versions = iter(VERSIONS)
        self.deeds = {
            "crash": (4, self.crash),
            "freeze": (3, self.freeze),
            "lie still": (1, self.lie_still),
            "outage": (2, self.outage),
            "store fails": (2, self.store_fails),
            "source fails": (2, self.source_fails),
            "endpoint fails": (2, self.endpoint_fails),
            "mend": (2, self.mend),
            "refuse": (1, self.refuse),
            "lose": (2, self.lose),
            "renew": (1, lambda: self.change(deeds.renew)),
            "extend": (1, lambda: self.change(deeds.extend)),
            "reactivate": (1, lambda: self.change(deeds.reactivate)),
            "hold": (2, self.hold),
            "release": (2, self.release),
            "pause": (1, lambda: brake.set_paused(self.context, is_paused=True)),
            "resume": (2, lambda: brake.set_paused(self.context, is_paused=False)),
            "cap": (1, lambda: brake.set_daily_cap(self.context, self.chance.randrange(2))),
            "uncap": (1, lambda: brake.set_daily_cap(self.context, None)),
            "exempt": (1, lambda: self.exempt(self.pick(), is_exempt=True)),
            "readmit": (1, self.readmit),
            "unlock": (1, self.unlock),
            "publish": (1, self.publish),
            "write": (2, lambda: self.app.write(self.pick())),
            "end a member": (1, lambda: self.change_user(end_members, ends=self.in_days(1, 60))),
            "take the end away": (1, lambda: self.change_user(end_members)),
            "expire a member": (1, lambda: self.change_user(expire_members)),
            "remove a member": (1, lambda: self.change_user(remove_members)),
            "take it back": (1, lambda: self.change_user(reactivate_members)),
            "resend": (1, lambda: self.for_each(lambda slug: ask_again(self.context, slug))),
            "come back": (3, self.come_back),
            "retry": (1, lambda: self.for_each(lambda slug: deeds.retry(self.context, slug))),
        }

    @property
    def context(self):
        return self.world.context

    def tell(self):
        """Let time and chance pass, then mend everything and wait until all is over."""
        names = list(self.deeds)
        weights = [weight for weight, _ in self.deeds.values()]
        end = START.add(hours=24 * self.days)
        hours = max(1, SPAN_DAYS[self.policy] * 24 * 2 // (DEEDS * len(self.leaving)))
        while self.world.now < end:
            self.world.run_until(self.world.now.add(hours=1 + self.chance.randrange(hours)))
            self.laws.after_each_deed()
            self.happen(self.chance.choices(names, weights)[0])
        self.is_over = True
        for name in MENDED:
            self.do(name)
        self.world.run_until(max(SETTLED, self.world.now))
        self.laws.after_each_deed()
        return self

    def happen(self, name):
        """Do something now, while something else is done, or stop a deletion in its midst."""
        when = self.chance.choice(("now", "meanwhile", "in a chunk"))
        if when == "now":
            self.do(name)
        elif when == "meanwhile":
            self.interrupt(lambda: self.do(name))
        else:
            stop = self.chance.choice(STOPPING)
            occurrence = 1 + self.chance.randrange(CHUNKS_MAX)
            act = self.unless_over(lambda: self.do(stop))
            self.world.meanwhile("chunk fenced", act, occurrence=occurrence)

    def interrupt(self, act):
        """Let something happen at a point to come, unless the story is over by then."""
        self.world.interrupt(self.unless_over(act), after=1 + self.chance.randrange(POINTS_MAX))

    def unless_over(self, act):
        return lambda: None if self.is_over else act()

    def do(self, name):
        _, deed = self.deeds[name]
        self.world.note("deed", name)
        self.try_to(deed)

    def try_to(self, act):
        try:
            act()
        except (Refused, Missing, Unavailable) as error:
            self.world.note("refused", error.code)

    def for_each(self, act):
        """Do something for everybody who leaves; who is gone already is passed over."""
        for slug in self.leaving:
            self.try_to(partial(act, slug))

    def pick(self):
        return self.chance.choice(self.leaving)

    def crash(self):
        self.laws.second_mails_max += SMALL_CHUNKS.mails_per_batch
        self.world.die_at(len(self.world.points), self.chance.randrange(POINTS_MAX))

    def freeze(self):
        """Let a worker stand still past its lease, and another one go on in its place."""
        self.laws.second_mails_max += SMALL_CHUNKS.mails_per_batch
        seconds = self.chance.randrange(3600 * STALL_HOURS_MAX)
        self.interrupt(lambda: self.wake_up_late(seconds))

    def wake_up_late(self, seconds):
        self.world.stall(seconds=seconds)
        if self.chance.random() < 0.7:
            self.world.work_elsewhere()

    def lie_still(self):
        hours = self.chance.randrange(24 * 40)
        self.world.lie_still_until(self.world.now.add(hours=hours))

    def outage(self):
        for slug in self.leaving:
            for name in PEOPLE:
                self.world.mail.fail(f"{name}@{slug}.example", MailerUnavailable(reason="down"))

    def mend(self):
        self.store.trouble.clear()
        KnownSource.trouble.clear()
        self.world.mail.recover_wholly()
        for name, endpoint in self.endpoints.items():
            endpoint.recover()
            webhook.enable(self.context, name)

    def store_fails(self):
        self.laws.second_mails_max += TROUBLES_MAX * SMALL_CHUNKS.mails_per_batch
        self.store.trouble.extend(self.troubles())

    def source_fails(self):
        KnownSource.trouble.extend(self.troubles())

    def endpoint_fails(self):
        """Let an endpoint say no, lose its answer after it took an event, or want no more."""
        number = 1 + self.chance.randrange(TROUBLES_MAX)
        replies = [self.chance.choice(REPLIES) for _ in range(number)]
        self.endpoints[self.chance.choice(sorted(self.endpoints))].then(*replies)

    def troubles(self):
        """Draw what becomes of the transactions to come."""
        number = 1 + self.chance.randrange(TROUBLES_MAX)
        return [self.chance.choice(("", "down", "lost")) for _ in range(number)]

    def refuse(self):
        address = f"{self.chance.choice(PEOPLE[1:])}@{self.pick()}.example"
        self.world.mail.fail(address, MessageRefused(reply="550"))

    def lose(self):
        """Lose the answer of the mail server: it took the message, or it did not."""
        self.laws.second_mails_max += 1
        if self.chance.random() < 0.5:
            self.world.mail.lose_next_answer()
        else:
            self.world.mail.then(SendOutcomeUnknown())

    def come_back(self):
        """Send one of the latest messages back, or let its reader complain."""
        latest = self.world.mail.sent[-LATEST:]
        if latest:
            sent, why = self.chance.choice(latest), self.chance.choice(tuple(Return))
            take_back(self.context, Returned(message=sent.message.id, why=why))

    def change(self, deed):
        deed(self.context, self.pick(), until=self.in_days(1, 60))

    def change_user(self, deed, **how):
        slug = self.pick()
        deed(self.context, slug, [Person(member=f"{slug}-user", **how)])

    def in_days(self, least, most):
        days = self.chance.randrange(least, most)
        return self.world.now.add(hours=24 * days).to_tz(ZONE).date()

    def hold(self):
        hours = self.chance.choice((None, self.chance.randrange(1, 2000)))
        ends_at = None if hours is None else self.world.now.add(hours=hours)
        slug = self.pick()
        owner, reason = f"owner@{slug}.example", f"a dispute with {slug} Owner"
        brake.place_hold(self.context, slug, owner=owner, reason=reason, ends_at=ends_at)

    def release(self):
        """Release what is in force, also where the answer to the one who placed it was lost."""
        with self.world.store.transaction() as transaction:
            holds = [hold for slug in self.leaving for hold in transaction.holds(slug)]
        for hold in holds:
            self.try_to(partial(brake.release_hold, self.context, hold.id))

    def exempt(self, slug, *, is_exempt):
        brake.set_exempt(self.context, slug, is_exempt=is_exempt)

    def readmit(self):
        self.for_each(lambda slug: self.exempt(slug, is_exempt=False))

    def unlock(self):
        slug = self.pick()
        owner, reason = f"admin@{slug}.example", f"a last look for {slug} Admin"
        grant_unlock(self.context, slug, owner=owner, reason=reason, hours=24)

    def publish(self):
        number = next(self.versions, None)
        if number is not None:
            publish(self.context, version_of(self.policy, number))
