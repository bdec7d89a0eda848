"""What is late, missed, interrupted or in the way, and on which day it is done then."""

import pytest
from whenever import Date, Instant

from offramp.core.model import Outcome
from offramp.core.policy import Policy
from offramp.engine import brake
from offramp.engine import offboarding as deeds
from offramp.engine.offboarding import register
from offramp.engine.publication import publish
from offramp.ports import MailerUnavailable
from offramp.testing.world import PlainComposer
from tests.simulation import shop
from tests.simulation.laws import Laws
from tests.simulation.stories import POLICIES, open_world

POLICY = "license-pool"
NEW_YEAR = Instant.from_utc(2025, 1, 1)


@pytest.fixture
def world(app):
    world = open_world(app, POLICY)
    Laws(world, app, POLICY)
    return world


def at(text):
    return Instant.parse_iso(f"{text}Z")


def steps_of(world, organization="acme"):
    with world.store.transaction() as transaction:
        rows = [r for r in transaction.offboardings(organization) if r.subject.member is None]
        return {step.key: step for step in transaction.steps(rows[-1].id)}


def days_of(world, organization="acme"):
    """Give the Irish day on which each step was done."""
    return {
        key: step.receipt.done_at.to_tz("Europe/Dublin").date().format_iso()
        for key, step in steps_of(world, organization).items()
        if step.receipt is not None
    }


def order_of(world):
    told = [line.split() for line in world.trace if " step offboarding=id-0001 " in line]
    facts = [dict(word.split("=", 1) for word in words if "=" in word) for words in told]
    return [each["step"] for each in facts if each["status"] != "failed"]


def test_no_worker_for_weeks_loses_nothing_and_moves_no_later_stage(world):
    """L2, L3, L4: what was missed is done in due order, what comes later on its own day."""
    world.run_until(at("2024-08-25T00:00:00"))
    world.lie_still_until(at("2024-09-10T12:00:00"))

    world.run_until(NEW_YEAR)

    assert days_of(world) == {
        "expiring-soon": "2024-08-16",
        "stage:expired": "2024-09-10",
        "achievements": "2024-09-10",
        "company-data": "2024-09-22",
        "erase": "2024-09-29",
    }
    assert order_of(world) == list(days_of(world))
    due = {key: str(step.due_at)[:10] for key, step in steps_of(world).items()}
    assert due["stage:expired"] == "2024-08-30"
    assert due["achievements"] == "2024-08-31"


def test_a_notice_whose_use_has_passed_is_missed_on_record_and_replaced_before_deletion(world):
    """L2, L10, T7, D2: never sent late; a warning with the new date stands in for it."""
    world.lie_still_until(at("2024-09-10T12:00:00"))

    world.run_until(NEW_YEAR)

    assert steps_of(world)["expiring-soon"].receipt.outcome is Outcome.MISSED
    days = days_of(world)
    assert days["expiring-soon.instead"] == "2024-09-10"
    assert days["erase"] == "2024-09-29"
    subjects = [sent.message.subject for sent in world.mail.sent]
    assert "expiring-soon" not in subjects
    assert "deletion-warning" in subjects


def test_a_missed_notice_raises_an_alarm(world):
    """L10: somebody can still do something about it."""
    world.lie_still_until(at("2024-09-10T12:00:00"))

    world.work()

    with world.store.transaction() as transaction:
        events = transaction.events(limit=100)
    missed = [event.detail["step"] for event in events if event.kind == "step-missed"]
    assert missed == ["expiring-soon"]


def test_everything_missed_at_once_is_walked_one_at_a_time_in_due_order(world, app):
    """L4, D2: even after half a year the promised time passes between hand-over and deletion."""
    world.lie_still_until(at("2025-02-01T12:00:00"))

    world.run_until(at("2025-06-01T00:00:00"))

    assert order_of(world) == [
        *("expiring-soon", "stage:expired", "achievements", "company-data"),
        *("expiring-soon.instead", "erase"),
    ]
    days = days_of(world)
    assert days["company-data"] == "2025-02-01"
    assert days["erase"] == "2025-02-15"
    assert app.total("acme") == 0


def test_a_mail_server_that_is_down_for_two_days_slips_the_deletion_by_two_days(world):
    """D2, L10: the interval counts from the delivery, not from the day it was due."""
    world.run_until(at("2024-09-22T00:00:00"))
    world.mail.fail("admin@acme.example", MailerUnavailable(reason="down"))
    world.run_until(at("2024-09-24T06:00:00"))
    world.mail.recover("admin@acme.example")

    world.run_until(NEW_YEAR)

    assert days_of(world)["company-data"] == "2024-09-24"
    assert days_of(world)["erase"] == "2024-10-01"


def test_what_is_written_after_the_export_is_handed_over_again_before_it_goes(world, app):
    """D2, A9: the new document has the late row, and its promised seven days start again."""
    world.run_until(at("2024-09-25T00:00:00"))
    app.write("acme")

    world.run_until(NEW_YEAR)

    documents = [
        sent.message.attachments[0].content.decode()
        for sent in world.mail.sent
        if sent.message.subject == "company-data"
    ]
    assert ["late" in document for document in documents] == [False, True]
    assert days_of(world)["company-data"] == "2024-09-29"
    assert days_of(world)["erase"] == "2024-10-06"
    assert app.total("acme") == 0


def test_a_daily_cap_keeps_a_day_between_deletions(app):
    """D3, L26: the second organization waits until the first began a day ago."""
    world = open_world(app, POLICY)
    app.fill("acme", "beta", "coda")
    register(
        world.context,
        organizations=[shop.organization("coda")],
        pools=[shop.pool("coda")],
        members=shop.members("coda"),
    )
    with world.store.transaction() as transaction:
        transaction.set_daily_cap(1)

    world.run_until(NEW_YEAR)

    days = sorted(days_of(world, each)["erase"] for each in ("acme", "coda"))
    assert days == ["2024-09-29", "2024-09-30"]
    assert app.total("acme") == app.total("coda") == 0


def test_a_deletion_that_is_let_go_at_noon_begins_in_the_quiet_hours(app):
    """T4: where the policy says until when they last; and what has begun is not interrupted."""
    world = open_world(app, POLICY)
    quiet = POLICIES[POLICY].model_dump(mode="json", by_alias=True)
    quiet |= {"version": 2, "quiet_until": "02:01"}
    publish(world.context, Policy.model_validate(quiet))
    hold = brake.place_hold(world.context, "acme", owner="legal", reason="dispute")
    world.run_until(at("2024-10-05T12:00:00"))

    brake.release_hold(world.context, hold.id)
    world.run_until(at("2024-10-06T00:59:59"))
    left = app.total("acme")
    world.run_until(at("2024-10-06T01:00:00"))

    assert left > 0
    assert app.total("acme") == 0


def test_whose_end_is_the_same_day_is_deleted_each_in_their_own_turn(app):
    """T5: on the day that was announced, and long before the window closes."""
    world = open_world(app, POLICY)
    spread = POLICIES[POLICY].model_dump(mode="json", by_alias=True) | {"version": 2}
    (step,) = (step for step in spread["steps"] if step["id"] == "erase")
    step |= {"no_later_than": "expiry + P120D", "spread_over": "P60D"}
    publish(world.context, Policy.model_validate(spread))
    app.fill("acme", "beta", "coda")
    register(
        world.context,
        organizations=[shop.organization("coda")],
        pools=[shop.pool("coda")],
        members=shop.members("coda"),
    )

    world.run_until(NEW_YEAR)

    days = {each: days_of(world, each)["erase"] for each in ("acme", "coda")}
    due = {each: steps_of(world, each)["erase"].due_at for each in ("acme", "coda")}
    assert days["acme"] != days["coda"]
    assert days == {each: at.to_tz("Europe/Dublin").date().format_iso() for each, at in due.items()}
    assert all("2024-09-29" <= day < "2024-11-29" for day in days.values())


def test_a_new_version_that_warns_sooner_does_so_on_its_own_day(app):
    """S4: nothing was announced yet, so the new version counts, from the day it is published."""
    world = open_world(app, POLICY)
    sooner = POLICIES[POLICY].model_dump(mode="json", by_alias=True) | {"version": 2}
    (step,) = (step for step in sooner["steps"] if step["id"] == "expiring-soon")
    step["at"] = "expiry - P25D"

    publish(world.context, Policy.model_validate(sooner))
    world.run_until(NEW_YEAR)

    assert days_of(world)["expiring-soon"] == "2024-08-05"


@pytest.mark.parametrize("point", ["claimed", "started", "tombstone taken"])
def test_an_organization_that_is_renewed_at_the_last_moment_is_never_touched(world, app, point):
    """L18, L9: the deletion is claimed, even begun, and no row goes; the next term warns again."""
    world.run_until(at("2024-09-29T00:59:00"))
    before = app.dump("acme")
    world.meanwhile(
        point,
        lambda: deeds.renew(world.context, "acme", until=Date(2025, 3, 31), pool="acme-notes"),
    )

    world.run_until(at("2025-03-31T12:00:00"))

    assert app.dump("acme") == before
    warned = [
        sent.at.to_tz("Europe/Dublin").date().format_iso()
        for sent in world.mail.sent
        if sent.message.subject == "expiring-soon"
    ]
    assert warned == ["2024-08-16", "2025-03-17"]


def test_a_subject_with_another_live_pool_is_not_warned(world):
    """L11: a second pool that lasts longer is the one that counts."""
    register(world.context, pools=[shop.pool("acme", name="more", ends=Date(2026, 1, 1))])

    world.run_until(at("2024-12-01T00:00:00"))

    assert "expiring-soon" not in {sent.message.subject for sent in world.mail.sent}


@pytest.mark.parametrize("chunk", range(1, 8))
def test_a_row_that_is_written_while_the_deletion_runs_goes_as_well(world, app, chunk):
    """L22: a late writer neither stops the deletion nor leaves anything behind."""

    world.meanwhile("chunk recorded", lambda: app.write("acme"), occurrence=chunk)

    world.run_until(NEW_YEAR)

    assert app.total("acme") == 0
    assert days_of(world)["erase"] == "2024-09-29"


def test_rows_that_keep_coming_stop_the_deletion_loudly_until_somebody_puts_it_back(world, app):
    """L22, L33: no certificate is given, the evidence stays, and the rest can be done later."""
    fed = []

    def feed(point):
        if point == "chunk fenced" and app.write("acme"):
            fed.append(point)

    world.watch = feed
    world.run_until(at("2024-09-29T12:00:00"))
    is_done = "erase" in days_of(world)
    left = app.total("acme")
    world.watch = lambda point: None
    deeds.retry(world.context, "acme")
    world.run_until(NEW_YEAR)

    assert fed
    assert not is_done
    assert left > 0
    assert app.total("acme") == 0


class StumblingComposer(PlainComposer):
    """Fails on one organization in a way that nobody has foreseen."""

    def compose(self, facts, *, organization, **given):
        if organization.id == "acme":
            raise ZeroDivisionError
        return super().compose(facts, organization=organization, **given)


def test_one_organization_that_goes_wrong_stops_no_other(app):
    """L33: the others are carried through, and it is told how often this one failed."""
    world = open_world(app, POLICY, composer=StumblingComposer())
    app.fill("acme", "beta", "coda")
    register(
        world.context,
        organizations=[shop.organization("coda")],
        pools=[shop.pool("coda")],
        members=shop.members("coda"),
    )

    world.run_until(at("2024-10-01T00:00:00"))

    assert app.total("coda") == 0
    assert app.total("acme") > 0
    assert any("unexpected" in line and "ZeroDivisionError" in line for line in world.trace)
    assert {sent.message.to.partition("@")[2] for sent in world.mail.sent} == {"coda.example"}
