"""A machine that was off for forty days comes back and walks what was missed (T7; L2-L4, L10).

Both published policies, on both databases, with real mail; the second half is the command itself.
"""

from dataclasses import dataclass

import pytest
from whenever import Date, Instant

from examples.training_platform.companies import TINY
from examples.training_platform.database import open_engine
from examples.training_platform.generate import build as build_vendor
from examples.training_platform.roster import write_roster
from offramp.bootstrap import build
from offramp.config import load_settings
from offramp.engine.delivery import message_id
from offramp.engine.situation import timeline_of
from offramp.engine.sweep import run_until_quiet
from offramp.ports import Delivery
from offramp.testing.clock import VirtualClock
from offramp.testing.smtp import SmtpCatcher
from tests.acceptance.departure import NOTES, TRAINING, depart, enroll
from tests.acceptance.installation import DATAMAP, LEAVING, TODAY, Installation, in_days

ZONE = "Europe/Dublin"
FORTY_DAYS = 40 * 24  # hours


def day(instant):
    return str(instant.to_tz(ZONE).date())


@dataclass(frozen=True)
class Absence:
    """One absence: since when, who leaves meanwhile, and what was to happen in which order.

    Shape:
        walked: step, the day on which it was due, the day on which it was done, how it ended.
    """

    application: object
    customer: str
    off_at: str
    product: str | None
    has_own_end: bool
    walked: tuple

    @property
    def back_at(self):
        return Instant.parse_iso(self.off_at).add(hours=FORTY_DAYS)


WARNED = ("expiring-soon", "2024-08-16", "2024-08-16", "done")
ABSENCES = {
    # The warning was missed: it never goes out late, another stands in for it, and the deletion
    # waits fourteen days for that one.
    "license-pool, over the warning and the end": Absence(
        application=TRAINING,
        customer="2",
        off_at="2024-08-10T10:00:00Z",
        product=None,
        has_own_end=False,
        walked=(
            ("expiring-soon", "2024-08-16", "2024-09-19", "missed"),
            ("stage:expired", "2024-08-31", "2024-09-19", "done"),
            ("achievements", "2024-08-31", "2024-09-19", "done"),
            ("expiring-soon.instead", "2024-09-19", "2024-09-19", "done"),
            ("company-data", "2024-09-22", "2024-09-22", "done"),
            ("erase", "2024-09-29", "2024-10-03", "done"),
        ),
    ),
    # The day of the deletion itself was missed: the hand-over comes first, and its seven days.
    "license-pool, over the end and the deletion": Absence(
        application=TRAINING,
        customer="2",
        off_at="2024-08-25T10:00:00Z",
        product=None,
        has_own_end=False,
        walked=(
            WARNED,
            ("stage:expired", "2024-08-31", "2024-10-04", "done"),
            ("achievements", "2024-08-31", "2024-10-04", "done"),
            ("company-data", "2024-09-22", "2024-10-04", "done"),
            ("erase", "2024-09-29", "2024-10-11", "done"),
        ),
    ),
    "edit-only-grace, over the end": Absence(
        application=NOTES,
        customer="Liffey University",
        off_at="2024-08-25T10:00:00Z",
        product="notes",
        has_own_end=False,
        walked=(
            ("stage:expired", "2024-08-31", "2024-10-04", "done"),
            ("now-expired", "2024-08-31", "2024-10-04", "done"),
            ("stage:deactivated", "2024-11-29", "2024-11-29", "done"),
            ("now-deactivated", "2024-11-29", "2024-11-29", "done"),
            ("stage:marked-for-deletion", "2025-08-31", "2025-08-31", "done"),
            ("now-marked-for-deletion", "2025-08-31", "2025-08-31", "done"),
            ("erase", "2025-08-31", "2025-09-30", "done"),
        ),
    ),
    # The notice before the deletion was missed: its thirty days begin when it has gone out.
    "edit-only-grace, over the last notice": Absence(
        application=NOTES,
        customer="Liffey University",
        off_at="2025-08-20T10:00:00Z",
        product="notes",
        has_own_end=False,
        walked=(
            ("stage:expired", "2024-08-31", "2024-08-31", "done"),
            ("now-expired", "2024-08-31", "2024-08-31", "done"),
            ("stage:deactivated", "2024-11-29", "2024-11-29", "done"),
            ("now-deactivated", "2024-11-29", "2024-11-29", "done"),
            ("stage:marked-for-deletion", "2025-08-31", "2025-09-29", "done"),
            ("now-marked-for-deletion", "2025-08-31", "2025-09-29", "done"),
            ("erase", "2025-08-31", "2025-10-29", "done"),
        ),
    ),
    "edit-only-grace, over the warning of one person": Absence(
        application=NOTES,
        customer="Liffey University",
        off_at="2024-08-10T10:00:00Z",
        product="notes",
        has_own_end=True,
        walked=(
            ("ending-soon", "2024-08-13", "2024-09-19", "missed"),
            ("stage:expired", "2024-08-21", "2024-09-19", "done"),
            ("now-expired", "2024-08-21", "2024-09-19", "done"),
            ("stage:deactivated", "2024-11-19", "2024-11-19", "done"),
            ("now-deactivated", "2024-11-19", "2024-11-19", "done"),
            ("stage:marked-for-deletion", "2025-08-21", "2025-08-21", "done"),
            ("now-marked-for-deletion", "2025-08-21", "2025-08-21", "done"),
            ("erase", "2025-08-21", "2025-09-20", "done"),
        ),
    ),
}


@dataclass(frozen=True)
class Return:
    """What was found when everything was over, and at the moment of the return."""

    absence: Absence
    departure: object
    row: object
    planned: dict
    people: tuple
    mail_while_off: list
    alarms: list
    before: dict
    at_return: dict
    on_the_eve: dict
    at_the_end: dict


def row_of(departure, organization, absence):
    """Find the off-boarding that the story is about: the whole one, or that of one person."""
    with departure.context.store.transaction() as transaction:
        (row,) = [
            row
            for row in transaction.offboardings(organization)
            if row.subject.product == absence.product
            and (row.subject.member is not None) is absence.has_own_end
        ]
        timeline = timeline_of(transaction, row)
    return row, {planned.key: planned.due_at for planned in timeline.steps}


def live_through(departure, absence):
    """Work until the machine goes off, come back forty days later, and go on to the end."""
    store = departure.context.store
    with store.transaction() as transaction:
        (organization,) = [
            each.id
            for each in transaction.organizations()
            if absence.customer in (each.id, each.name)
        ]
    departure.run_until(absence.off_at)
    sent = len(departure.catcher.messages)
    before = departure.belongings(organization)
    row, planned = row_of(departure, organization, absence)
    people = departure.members(organization)
    departure.clock.advance_to(absence.back_at)
    mail_while_off = departure.catcher.messages[sent:]
    departure.run_until(str(absence.back_at))
    with store.transaction() as transaction:
        alarms = [
            event.detail["step"]
            for event in transaction.events(limit=1000)
            if event.kind == "step-missed"
            and (event.organization, event.id.partition(":")[0]) == (organization, row.id)
        ]
    at_return = departure.belongings(organization)
    *_, (_, _, erased_on, _) = absence.walked
    departure.run_until(f"{Date.parse_iso(erased_on).subtract(days=1)}T22:00:00Z")
    on_the_eve = departure.belongings(organization)
    departure.run_until(f"{Date.parse_iso(erased_on)}T12:00:00Z")
    return Return(
        absence=absence,
        departure=departure,
        row=row,
        planned=planned,
        people=people,
        mail_while_off=mail_while_off,
        alarms=alarms,
        before=before,
        at_return=at_return,
        on_the_eve=on_the_eve,
        at_the_end=departure.belongings(organization),
    )


def walked(returned):
    """Give what was done in the order of the ledger, with the days on the receipts."""
    with returned.departure.context.store.transaction() as transaction:
        entries = transaction.ledger()
        receipts = {step.key: step.receipt for step in transaction.steps(returned.row.id)}
    finished = [
        entry.event.step
        for entry in entries
        if entry.event.offboarding == returned.row.id
        and entry.event.kind in ("step-done", "step-missed", "step-unreached")
    ]
    return tuple(
        (key, day(receipts[key].due_at), day(receipts[key].done_at), receipts[key].outcome.value)
        for key in finished
    )


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((name, kind), id=f"{name}, {kind}")
        for name, absence in ABSENCES.items()
        for kind in ("sqlite", "postgresql")
        if kind == "sqlite" or "the warning" in name
    ],
)
def returned(request, tmp_path_factory):
    name, kind = request.param
    absence = ABSENCES[name]
    folder = tmp_path_factory.mktemp("absence")
    with depart(absence.application, kind, folder, request) as departure:
        yield live_through(departure, absence)


def test_every_missed_step_is_walked_in_due_order_with_both_of_its_dates(returned):
    """T7, L2, L3, L4: due on its own day, done on the day of the return; later ones on theirs."""
    receipts = walked(returned)

    assert receipts == returned.absence.walked
    stand_ins = {key for key, *_ in receipts if key.endswith(".instead")}
    with returned.departure.context.store.transaction() as transaction:
        due = {step.key: step.receipt.due_at for step in transaction.steps(returned.row.id)}
    assert {key: at for key, at in due.items() if key not in stand_ins} == returned.planned


def test_a_notice_whose_time_is_over_goes_to_nobody_and_an_alarm_says_so(returned):
    """T7, L10: its message would have the same id whenever it was sent."""
    missed = [key for key, _, _, outcome in returned.absence.walked if outcome == "missed"]
    ids = {
        message_id(Delivery(offboarding=returned.row.id, step=key, member=member.id))
        for key in missed
        for member in returned.people
    }

    told = {message["Message-ID"] for _, _, message in returned.departure.mail}

    assert returned.alarms == missed
    assert [text for text in told if any(each in text for each in ids)] == []
    assert returned.mail_while_off == []


def test_nothing_goes_on_the_return_nor_before_what_was_promised_has_been_given(returned):
    """L10, D2: everything is there on the eve of the day to which the deletion had to move.

    But for open sessions, which end with access (A2).
    """
    own = returned.row.subject.member
    subject = {
        member.id
        for member in returned.people
        if (own is None and member.ends is None) or member.id == own
    }

    assert subject
    assert repr(lasting(returned.at_return)) == repr(lasting(returned.before))
    assert subject <= people_in(returned.on_the_eve)
    assert not subject & people_in(returned.at_the_end)


def lasting(belongings):
    return {name: rows for name, rows in belongings.items() if name != "sign_in_sessions"}


def people_in(belongings):
    return {str(row["id"]) for row in belongings.get("users", ())}


def work_until_forty_days_ago(installation):
    """Take the roster over and carry out what was due then, as a process of that time."""
    folder = installation.folder
    context = build(
        load_settings(
            folder=folder / "offramp-data",
            datamap=DATAMAP,
            mail_host=installation.settings["OFFRAMP_MAIL_HOST"],
            mail_port=installation.settings["OFFRAMP_MAIL_PORT"],
            mail_security="none",
        ),
        clock=VirtualClock(Instant.now().subtract(hours=FORTY_DAYS)),
        report=lambda event, facts: None,
    )
    enroll(context, TRAINING.policy, folder / "roster")
    run_until_quiet(context)
    for source in context.data.sources.values():
        source.close()


class TestCommand:
    """The same by the command itself, on the clock of this machine."""

    @pytest.fixture
    def installation(self, tmp_path, smtp, monkeypatch):
        """Give an installation that worked until forty days ago, a week before an end."""
        ended_on = TODAY.subtract(days=33)
        url = f"sqlite:///{tmp_path / 'app.sqlite'}"
        build_vendor(url, seed=7, leaving_on=ended_on.to_stdlib(), members=TINY)
        engine = open_engine(url)
        write_roster(engine, tmp_path / "roster")
        engine.dispose()
        monkeypatch.setenv("TRAINING_DATABASE_URL", url)
        installation = Installation(tmp_path)
        installation.settings |= smtp
        installation.say("init", "--datamap", DATAMAP)
        work_until_forty_days_ago(installation)
        return installation

    @pytest.fixture
    def catcher(self):
        with SmtpCatcher() as catcher:
            yield catcher

    @pytest.fixture
    def smtp(self, catcher):
        return {
            "OFFRAMP_MAIL_HOST": catcher.host,
            "OFFRAMP_MAIL_PORT": str(catcher.port),
            "OFFRAMP_MAIL_SECURITY": "none",
        }

    def test_the_first_run_after_it_walks_what_was_missed(self, installation, catcher):
        before = len(catcher.messages)

        happened = installation.ask("run", "--until-quiet")["happened"]

        company = [each for each in happened if each["organization"] == LEAVING]
        assert [(each["step"], each["status"]) for each in company if not each["member"]] == [
            ("stage:expired", "done"),
            ("achievements", "done"),
            ("company-data", "done"),
        ]
        assert before > 0
        assert len(catcher.messages) > before
        steps = installation.leaving(LEAVING)["steps"]
        assert {step["key"]: (step["due_on"], step["status"]) for step in steps} == {
            "expiring-soon": (in_days(-47), "done"),
            "stage:expired": (in_days(-32), "done"),
            "achievements": (in_days(-32), "done"),
            "company-data": (in_days(-10), "done"),
            "erase": (in_days(-3), "held"),
        }

    def test_the_deletion_waits_its_seven_days_anew_and_says_so(self, installation):
        began = Instant.now()
        installation.say("run", "--until-quiet")

        (explained,) = installation.ask("why", LEAVING, "erase")["steps"]

        (stops,) = [guard for guard in explained["guards"] if not guard["passes"]]
        assert (stops["guard"], stops["about"]) == ("requirement", "company-data")
        handed_over_on = Instant.parse_iso(stops["until"]).to_tz(ZONE).date().subtract(days=7)
        assert day(began) <= str(handed_over_on) <= day(Instant.now())
        assert installation.ask("ledger", "verify")["entries"] > 0
