"""After an erasure: what comes late, and what is kept, through crashes, holds and pauses."""

import json

import pytest
import sqlalchemy as sa
from whenever import Instant

from offramp.engine import brake
from offramp.engine.dry_run import intend
from offramp.engine.kept import list_kept
from tests.simulation import shop
from tests.simulation.stories import LONG_AFTER, open_world

POLICY = "license-pool"
NEW_YEAR = LONG_AFTER[POLICY]
ERASED = Instant.parse_iso("2024-09-30T00:00:00Z")
LATER = Instant.parse_iso("2024-10-01T12:00:00Z")
TEN_YEARS_ON = Instant.parse_iso("2034-12-31T00:00:00Z")


@pytest.fixture
def world(app):
    return open_world(app, POLICY)


def kinds(world):
    with world.store.transaction() as transaction:
        return [entry.event.kind for entry in transaction.ledger()]


def alarms(world):
    with world.store.transaction() as transaction:
        return [event.kind for event in transaction.events(limit=1000)]


def write_late(app, *, is_back=False):
    """Let a worker of the vendor write, who has not heard that acme is gone."""
    with app.engine.begin() as connection:
        if is_back:
            connection.execute(shop.organizations.insert(), {"id": "acme", "name": "Acme"})
        person = {"id": "acme-late", "organization_id": "acme", "email": "late@acme.example"}
        connection.execute(shop.people.insert(), person)
        connection.execute(shop.notes.insert(), {"person_id": "acme-late", "body": "late"})


def supplements(world, name):
    return [
        json.loads(content)["certificate"]
        for file, content in world.vault.files.items()
        if f"/{name}-" in file
    ]


def test_what_comes_late_is_found_the_next_day_and_goes_again_L22(world, app):
    beta = app.dump("beta")
    world.run_until(ERASED)
    write_late(app)

    world.run_until(LATER)

    assert app.total("acme") == 0
    assert app.dump("beta") == beta
    assert "late-rows-erased" in kinds(world)
    assert "late-rows-erased" in alarms(world)
    (supplement,) = supplements(world, "late")
    assert supplement["found"] == {"app.people": 1, "app.notes": 1}
    assert supplement["tables"] == {"app.people": 1, "app.notes": 1}


def test_nobody_who_is_there_again_is_erased_and_a_person_is_told_L22_L24(world, app):
    world.run_until(ERASED)
    write_late(app, is_back=True)

    world.run_until(LATER)

    assert app.total("acme") == 3
    assert "late-watch-failed" in kinds(world)
    assert "late-watch-failed" in alarms(world)


def test_somebody_who_signs_up_between_two_chunks_is_left_alone_L18_L22(world, app):
    world.run_until(ERASED)
    write_late(app)

    def sign_up():
        with app.engine.begin() as connection:
            connection.execute(shop.organizations.insert(), {"id": "acme", "name": "New"})

    world.meanwhile("chunk recorded", sign_up)
    world.run_until(LATER)

    rows = app.rows("acme")
    assert (rows["organizations"], rows["people"]) == (1, 1)


def test_a_pause_holds_late_rows_and_its_end_lets_them_go_L22_L26(world, app):
    world.run_until(ERASED)
    write_late(app)
    brake.set_paused(world.context, is_paused=True)

    world.run_until(LATER)
    held = app.total("acme")
    brake.set_paused(world.context, is_paused=False)
    world.run_until(LATER.add(hours=1))

    assert held == 2
    assert app.total("acme") == 0


def test_the_watch_ends_and_leaves_nothing_due(world, app):
    world.run_until(NEW_YEAR)
    write_late(app)

    world.run_until(NEW_YEAR.add(hours=48))

    assert app.total("acme") == 2
    assert "late-rows-erased" not in kinds(world)


def test_a_dry_run_prints_exactly_the_statement_that_sweeps_A11_L27(world, app):
    world.run_until(Instant.parse_iso("2033-01-01T00:00:00Z"))
    (first, *_) = sorted(each.group.ends_at for each in list_kept(world.context))
    world.lie_still_until(first)
    ran = []
    engine = world.context.data.sources["app"].engine

    def note(_connection, _cursor, text, *_more):
        ran.append(text)

    (intended,) = intend(world.context)
    sa.event.listen(engine, "before_cursor_execute", note)
    world.work()
    sa.event.remove(engine, "before_cursor_execute", note)

    deleted = {f"{text};" for text in ran if text.startswith("DELETE")}
    assert intended.step == "retention"
    assert deleted == set(intended.lines)
    assert intend(world.context) == ()


def test_a_crash_at_any_point_of_what_comes_after_changes_nothing_A11_L22(app):
    """L32, L42: the end is that of an undisturbed life, and every kept row is listed once."""

    def live(death=None):
        world = open_world(app, POLICY)
        if death is not None:
            world.die_at(*death)
        world.run_until(ERASED)
        write_late(app)
        listed = sorted((str(e.group.ends_at), e.group.rows) for e in list_kept(world.context))
        world.run_until(TEN_YEARS_ON)
        return world, (listed, app.invoices(), app.total("acme"), list_kept(world.context))

    world, calm = live()
    first = next(n for n, points in enumerate(world.points) if "rows gone" in points)
    deaths = [
        (time, number)
        for time in range(first, len(world.points))
        for number, point in enumerate(world.points[time])
        if "chunk" in point or "kept" in point or "retention" in point
    ]

    assert len(deaths) >= 10
    assert [live(death)[1] for death in deaths[:40]] == [calm] * len(deaths[:40])


def test_an_organization_without_a_row_is_an_error_and_never_a_finished_deletion_L16(app):
    """L16: its id is no key there, or this is another database; nothing is certified."""
    world = open_world(app, POLICY)
    with app.engine.begin() as connection:
        for table in reversed(shop.metadata.sorted_tables):
            connection.execute(table.delete())

    world.run_until(LATER)

    with world.store.transaction() as transaction:
        (row,) = [r for r in transaction.offboardings("acme") if not r.subject.member]
        (step,) = [s for s in transaction.steps(row.id) if s.key == "erase"]
    assert step.reason == "NothingToErase"
    assert not [name for name in world.vault.files if name.endswith("certificate.json")]
    assert world.keys.has_key("acme")
