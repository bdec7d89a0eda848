"""What has to be true at every moment of every story, judged without the engine's own judgment.

Dates are counted here by hand from the published texts, not from the plan, so that an error in
the plan would be seen as well.
"""

import re
from collections import Counter
from datetime import date

from whenever import Instant

from offramp.core.event_kind import CATALOG, EventKind
from offramp.core.ledger import as_fields, verify_chain
from offramp.core.parcel import ATTEMPTS_MAX
from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.engine.delivery import message_id
from offramp.ports import DeliveryStatus
from tests.simulation.shop import ZONE, members


class Finding(BaseException):
    """A law was broken; no part of the engine may contain it."""


def require(holds, law):
    if not holds:
        raise Finding(law)


EVENT_ID = re.compile(r"[A-Za-z0-9:#_-]+")  # what may stand in a header, and parts nothing
# Days after the last day of access on which a message may first be seen.
FIRST_DAY = {
    "license-pool": {"expiring-soon": -14, "achievements": 1, "company-data": 23, "erase": 30},
    "edit-only-grace": {
        "now-expired": 1,
        "now-deactivated": 91,
        "now-marked-for-deletion": 366,
        "ending-soon": -7,
        "erase": 365,
    },
}
# By version: the second one of the stories gives a week more, the third takes it back.
ERASED_FROM = {
    "license-pool": {1: 30, 2: 37, 3: 30},
    "edit-only-grace": {1: 365, 2: 373, 3: 365},
}
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
    """Watches one world in which some organizations leave and beta stays.

    Attributes:
        ends_when_taken: the ends by which the messages that are going out were taken in hand; who
            extends while they do, stops those to come.
        second_mails_max: of so many messages somebody could not know whether they had gone out: of
            those that were in hand when a process died, or lost its store.
    """

    def __init__(self, world, app, policy, *, leaving=("acme",), endpoints=None):
        self.world, self.app, self.policy, self.leaving = world, app, policy, leaving
        self.endpoints = endpoints or {}
        self.beta = app.dump("beta")
        self.look_at_rows()
        self.entries = ()
        self.is_in_chunk = False
        self.ends_when_taken = {slug: [] for slug in leaving}
        self.told = {}
        self.second_mails_max = 0
        self.names = names_of([*leaving, "beta"])
        world.watch = self.watch

    def watch(self, point):
        if point == "chunk fenced":
            self.is_in_chunk = True
        elif self.is_in_chunk:
            # What a chunk took is not the next one's, also where nobody heard what became of it.
            self.is_in_chunk = False
            if point != "chunk committed":
                self.look_at_rows()
        if point == "sending":
            self.ends_when_taken = {
                slug: [row.ends for row, _ in self.started(slug)] for slug in self.leaving
            }
        if point == "mail accepted":
            self.no_mail_is_early()
        if point in ("chunk fenced", "chunk committed"):
            self.destruction_is_allowed()

    def after_each_deed(self):
        with self.world.store.transaction() as transaction:
            entries, head = transaction.ledger(), transaction.ledger_head()
            events = transaction.events(limit=100_000)
            rows = {
                row.id: (row.policy_version, bool(transaction.steps(row.id)))
                for row in transaction.offboardings()
            }
        verify_chain(entries, key=self.world.keys.ledger_key(), heads=[head])
        require(entries[: len(self.entries)] == self.entries, "L41 the ledger only grows")
        new = [as_fields(entry.event) for entry in entries[len(self.entries) :]]
        for event in events:
            self.event_is_in_the_catalogue(event)
        self.one_id_is_one_event()
        self.nobody_is_named(repr([*new, *events, *self.world.trace]))
        self.entries = entries
        for offboarding, version in self.told.items():
            require(rows[offboarding][0] == version, "S4 who was told keeps what was told")
        self.told = {each: version for each, (version, is_told) in rows.items() if is_told}
        ids = [sent.message.id for sent in self.world.mail.sent]
        repeated = len(ids) - len(set(ids))
        require(repeated <= self.second_mails_max, "L8 nobody is written to twice by one step")
        require(self.app.dump("beta") == self.beta, "L42 the sibling stays as it is")
        self.look_at_rows()

    def event_is_in_the_catalogue(self, event):
        shape = CATALOG[EventKind(event.kind)]
        common = ("product", "offboarding") if shape.is_about_subject else ()
        require(set(event.detail) == {*common, *shape.fields}, f"L35 {event.kind} is as described")
        require((event.organization is None) != shape.is_about_subject, "L35 and about somebody")
        require(EVENT_ID.fullmatch(event.id), f"L35 {event.id} may stand in a header")

    def one_id_is_one_event(self):
        for endpoint in self.endpoints.values():
            bodies = {}
            for each in endpoint.arrived:
                first = bodies.setdefault(each.id, each.body)
                require(each.body == first, "L35 one id is one event, however often it is sent")
                require(each.body["id"] == each.id, "L35 and says so inside as well")

    def every_event_arrived(self):
        """Judge the end of a story, when everything has been mended for long."""
        with self.world.store.transaction() as transaction:
            require(not transaction.has_new_events(), "L34 every event was handed over")
            loads = transaction.endpoint_loads(list(self.endpoints))
            events = transaction.events(limit=100_000)
        for name, endpoint in self.endpoints.items():
            require(not loads[name].waiting, "L34 no event waits for ever")
            wanted = {event.id for event in events if event.kind in endpoint.kinds}
            missing = wanted - set(endpoint.taken)
            require(len(missing) <= loads[name].failed, f"L34 events are lost: {missing}")
            for event in missing:
                tries = [each for each in endpoint.arrived if each.id == event]
                require(len(tries) >= ATTEMPTS_MAX, "L34 given up only after the last attempt")

    def nobody_is_named(self, text):
        """Search whatever was written down about the work for every name and address there is."""
        text = text.casefold()
        found = [name for name in self.names if name in text]
        require(not found, f"L41 a person is named: {found}")

    def no_mail_is_early(self):
        sent = self.world.mail.sent[-1]
        (slug,) = [each for each in self.leaving if sent.message.to.endswith(f"@{each}.example")]
        if self.was_asked_for_again(sent.message.id):
            return
        if sent.message.subject == "welcome-back":
            told = [each.message.to for each in self.world.mail.sent[:-1]]
            require(sent.message.to in told, "A6 somebody is welcomed who was told nothing")
            return
        first = FIRST_DAY[self.policy].get(sent.message.subject)
        if first is None:  # a warning that stands in for a lost one goes out at once, to admins
            by = ("owner@", "admin@")
            require(sent.message.to.startswith(by), "A6 a user is warned before the end")
            return
        ends = [row.ends for row, step in self.started(slug)] + self.ends_when_taken[slug]
        require(ends, "L32 a message goes out for a step that is not under way")
        late_enough = any(days_since(each, self.world.now) >= first for each in ends)
        require(late_enough, f"L1 {sent.message.subject} is early")
        if sent.message.subject == "erase":
            certified = [
                name for name in self.world.vault.files if name.endswith("certificate.json")
            ]
            going = {row.id for row, step in self.started(slug) if step.is_destructive}
            done = [name for name in certified if name.split("/")[1] in going]
            require(done, "D1 somebody is told of a deletion that is not certified")

    def was_asked_for_again(self, message):
        with self.world.store.transaction() as transaction:
            rows = [row for slug in self.leaving for row in transaction.offboardings(slug)]
            sent = [each for row in rows for each in transaction.deliveries(row.id)]
        return any(each.round > 1 and message_id(each) == message for each in sent)

    def destruction_is_allowed(self):
        for row in self.destroying():
            self.require_allowed(row)

    def destroying(self):
        """Tell whose rows are going: the only one whose deletion runs, or who has lost some."""
        running = [row for slug in self.leaving for row in self.begun_deletions(slug)]
        before = self.rows
        self.look_at_rows()
        changed = {slug for slug in self.leaving if self.rows[slug] != before[slug]}
        if len(running) < 2:
            return running
        return [row for row in running if row.subject.organization in changed]

    def look_at_rows(self):
        self.rows = self.app.dumps(self.leaving)

    def begun_deletions(self, slug):
        """List what is being deleted; of an episode that has ended only where no other one is."""
        rows = [row for row, step in self.started(slug) if step.is_destructive]
        return [row for row in rows if row.status is OffboardingStatus.OPEN] or rows

    def require_allowed(self, row):
        now, slug = self.world.now, row.subject.organization
        with self.world.store.transaction() as transaction:
            holds = transaction.holds(slug)
            pools = transaction.pools(slug)
            is_stopped = transaction.is_paused() or transaction.is_exempt(slug)
            notes = transaction.delivery_notes(row.id)
        require(row.status is OffboardingStatus.OPEN, "L18 only an open episode is carried out")
        require(not any(hold.is_active(now) for hold in holds), "L25 a hold stops destruction")
        require(not is_stopped, "L26 a pause or an exemption stops destruction")
        mine = [p.ends for p in pools if row.subject.product in (None, p.product)]
        if row.subject.member is not None:
            mine = [row.ends]
        ended = [ends is not None and days_since(ends, now) for ends in mine]
        enough = ERASED_FROM[self.policy][row.policy_version]
        require(all(d is not False and d >= enough for d in ended), "L1 deletion is early")
        for notice, wait in WAITS[self.policy].items():
            accepted = delivered([note for note in notes if note.step.startswith(notice)])
            require(accepted, f"L10 deleted without {notice}")
            stood = (civil(now) - civil(max(accepted))).days
            require(stood >= wait, f"D2 {notice} stood {stood} days only")

    def started(self, slug):
        with self.world.store.transaction() as transaction:
            rows = transaction.offboardings(slug)
            return [
                (row, step)
                for row in rows
                for step in transaction.steps(row.id)
                if step.status is StepStatus.STARTED and step.receipt is None
            ]


def delivered(notes):
    """Give when each person was given a notice that did not come back within the hour (N2).

    What was sent again counts only where the first round reached nobody.
    """
    first, again = {}, {}
    rounds = Counter()
    for note in notes:
        whom = note.step, note.member
        found = again if rounds[whom] else first
        if note.status is DeliveryStatus.QUEUED:
            rounds[whom] += 1
        elif note.status is DeliveryStatus.ACCEPTED:
            found[whom] = note.at
        elif note.status is DeliveryStatus.BOUNCED and note.at <= found[whom].add(hours=1):
            del found[whom]
    return [*(first or again).values()]


def names_of(slugs):
    """Collect every name and address that a story makes up, as they are searched for."""
    found = {f"{slug} ltd" for slug in slugs}
    for slug in slugs:
        found |= {text.casefold() for each in members(slug) for text in (each.email, each.name)}
    return sorted(found)
