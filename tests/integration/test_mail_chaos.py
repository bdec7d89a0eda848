"""Mails with attachments, a bad mail server and workers that die: everybody gets exactly one mail.

The server puts one in ten off, refuses two in a hundred, and breaks conversations off before and
after it has taken a message; the workers are killed while they send. A few mails run with all other
tests; ``MAILS=100000 KILLS=50 SEED=17`` in the environment sends as many as one likes.
"""

import os
import random
import sys
import time
from collections import Counter

import pytest
from whenever import Instant

from offramp.bootstrap import build
from offramp.core.model import Member
from offramp.core.transitions import StepStatus
from offramp.engine.context import Limits
from offramp.engine.offboarding import register
from offramp.engine.publication import publish
from offramp.ports import DeliveryStatus
from offramp.testing.builders import make_policy
from offramp.testing.post_office import Faults, PostOffice
from offramp.testing.postgres import fresh_database
from tests.integration.crew import STEPS, Crew, Place
from tests.simulation import shop

SEED = int(os.environ.get("SEED", "17"))
KILLS = int(os.environ.get("KILLS", "5"))
MAILS = int(os.environ.get("MAILS", "800"))
WORKERS = 2
LEASE_SECONDS = 4 if MAILS < 10_000 else 15
ORGANIZATIONS = max(WORKERS * 2, MAILS // 5000)
SECONDS_MAX = 60 + MAILS / 10 + KILLS * 10
FAULTS = Faults(
    put_off=0.10, refused=0.02, unheard=0.005, unanswered=0.005, hung_up=0.005, seed=SEED
)
FAREWELL = make_policy(
    {"id": "achievements", "at": "expiry + P1D", "notify": "members", "attach": "achievements"}
)
START, DUE = Instant.from_utc(2024, 8, 1), Instant.from_utc(2024, 9, 1, 12)
LINE_BYTES = 60  # of the post office's book, at least
SLUGS = [f"slug{number}" for number in range(ORGANIZATIONS)]


def people_of(slug):
    return [
        Member(
            id=f"{slug}-{number:05}",
            organization=slug,
            email=f"{number:05}@{slug}.example",
            name=f"Anna Nowak-{number}",
            roles=frozenset(),
            locale=("en", "de", "fr", "pl", "es")[number % 5],
            zone=("Europe/Dublin", "America/New_York")[number % 2],
            pools=frozenset({f"{slug}-notes"}),
        )
        for number in range(MAILS // ORGANIZATIONS)
    ]


PEOPLE = {person.id: person for slug in SLUGS for person in people_of(slug)}


@pytest.fixture
def office(tmp_path, certificate, monkeypatch):
    (tmp_path / "book").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # the workers trust it
    with PostOffice(tmp_path / "book", faults=FAULTS, certificate=certificate) as office:
        yield office


@pytest.fixture
def crew(postgres_server, tmp_path, office):
    with fresh_database(postgres_server) as store_url, fresh_database(postgres_server) as app_url:
        place = Place(
            folder=str(tmp_path),
            store_url=store_url,
            app_url=app_url,
            port=office.port,
            mail_host=office.host,
            mail_security="tls",
            lease_seconds=LEASE_SECONDS,
        )
        with Crew(place, program="tests.integration.postmen") as crew:
            crew.clock.set_to(START)
            enroll(crew)
            yield crew


def enroll(crew):
    """Let everybody have earned something, and their organizations leave on the same day."""
    app = shop.open_shop_at(crew.place.app_url)
    with app.engine.begin() as connection:
        rows = [{"id": slug, "name": slug} for slug in SLUGS]
        connection.execute(shop.organizations.insert(), rows)
        rows = [
            {"id": each.id, "organization_id": each.organization, "email": each.email}
            for each in PEOPLE.values()
        ]
        connection.execute(shop.people.insert(), rows)
        rows = [{"person_id": each, "title": "Safety", "at": "2024-01-05"} for each in PEOPLE]
        connection.execute(shop.badges.insert(), rows)
    app.engine.dispose()
    app.data.sources["app"].close()
    context = build(crew.place.settings, store=crew.store, clock=crew.clock, report=lambda *_: None)
    publish(context, FAREWELL)
    register(
        context,
        organizations=[shop.organization(slug, policy=FAREWELL.policy) for slug in SLUGS],
        pools=[shop.pool(slug) for slug in SLUGS],
        members=list(PEOPLE.values()),
    )


class Killer:
    """Kills a worker now and then, all along the way, and hires another one."""

    def __init__(self, crew, book):
        self._crew, self._book = crew, book
        self._chance = random.Random(SEED)
        self.kills = 0

    def __call__(self):
        time.sleep(self._chance.uniform(0.02, 0.2))
        if self.kills < KILLS and self._share() > self.kills / KILLS:
            self.kills += 1
            self._crew.kill(self._chance.choice(self._crew.pids))
            self._crew.hire()

    def _share(self):
        """Tell how much has been sent, about."""
        return self._book.stat().st_size / (LINE_BYTES * MAILS)


def let_happen(crew, meanwhile):
    """Let the clock jump from one due date to the next, until nothing more is due."""
    until = time.monotonic() + SECONDS_MAX
    crew.clock.set_to(DUE)
    while True:
        while not crew.is_quiet():
            assert time.monotonic() < until, crew.workload()
            meanwhile()
        due_at = crew.ask(lambda t: t.next_due_at())
        if due_at is None:
            return
        crew.clock.set_to(max(due_at, crew.clock.now()))


class Outcome:
    """What Offramp has noted beside what the mail server has taken, person by person."""

    def __init__(self, crew, office):
        rows = crew.ask(lambda t: t.offboardings())
        noted = [crew.ask(lambda t, row=row: t.deliveries(row.id)) for row in rows]
        self.deliveries = {each.member: each for found in noted for each in found}
        self.steps = [each for row in rows for each in crew.ask(lambda t, row=row: t.steps(row.id))]
        people = {person.email: person.id for person in PEOPLE.values()}
        taken = [(name, people[address]) for name, address in office.taken()]
        self.copies = Counter(member for _, member in taken)
        self.names = Counter(name for name, _ in set(taken))
        self.refused = {people[address] for address in office.refused()}
        self.uncertain = sum(each.repeats for each in self.deliveries.values())
        self.repeated = self.copies.total() - len(self.copies)

    def is_so(self, member):
        """Whether what was noted of a person's mail is what happened."""
        delivery, copies = self.deliveries[member], self.copies[member]
        if delivery.status is DeliveryStatus.ACCEPTED:
            return 1 <= copies <= 1 + delivery.repeats
        told = (delivery.status, delivery.reason) == (DeliveryStatus.REFUSED, "550")
        return told and member in self.refused and copies <= delivery.repeats


def test_everybody_gets_exactly_one_mail_whatever_breaks(crew, office, tmp_path):
    """L8, L32, L37: what arrived twice has one Message-ID, and was counted as uncertain."""
    for _ in range(WORKERS):
        crew.hire()
    killer, began = Killer(crew, tmp_path / "book"), time.monotonic()

    let_happen(crew, killer)

    seconds, outcome = time.monotonic() - began, Outcome(crew, office)
    sys.stderr.write(
        f"{len(outcome.copies)} of {len(PEOPLE)} got their mail, {len(outcome.refused)} were "
        f"refused; {outcome.repeated} repeats arrived, {outcome.uncertain} mails were uncertain; "
        f"{killer.kills} kills, {seconds:.0f} s\n"
    )
    assert killer.kills == KILLS
    assert {each.status for each in outcome.steps} == {StepStatus.DONE}
    assert set(outcome.deliveries) == set(PEOPLE) == set(outcome.copies) | outcome.refused
    assert [member for member in PEOPLE if not outcome.is_so(member)] == []
    assert set(outcome.names.values()) == {1}
    assert len(outcome.names) == len(outcome.copies)
    proofs = [each.receipt.proof for each in outcome.steps if each.key == "achievements"]
    assert sum(proof["repeats"] for proof in proofs) == outcome.uncertain
    broken_off = MAILS * (FAULTS.unheard + FAULTS.unanswered) * 1.5 + 20
    in_hand = KILLS * STEPS * Limits().mails_per_batch
    assert outcome.repeated <= outcome.uncertain <= broken_off + in_hand
