"""Several products, one clock each: what ends, comes back or is bought again spares the rest."""

import pytest
from whenever import Date, Instant

from offramp.core.policy import Capability
from offramp.engine import offboarding as deeds
from offramp.engine.access import may
from offramp.engine.offboarding import register
from offramp.engine.people import Person, end_members, reactivate_members
from offramp.engine.publication import publish
from offramp.testing.world import World
from tests.simulation import shop
from tests.simulation.stories import POLICIES, START

POLICY = "edit-only-grace"


@pytest.fixture
def world(app):
    """Give a world in which acme has notes until 2024-08-30, and recordings for years."""
    app.fill("acme")
    world = World(START, data=app.data)
    publish(world.context, POLICIES[POLICY])
    register(
        world.context,
        organizations=[shop.organization("acme", policy=POLICY)],
        pools=[
            shop.pool("acme", product="notes"),
            shop.pool("acme", product="recordings", ends=Date(2027, 1, 31)),
        ],
        members=shop.members("acme", "acme-notes", "acme-recordings"),
    )
    return world


def at(text):
    return Instant.parse_iso(f"{text}T12:00:00Z")


def ends_of(world):
    with world.store.transaction() as transaction:
        return {pool.id: str(pool.ends) for pool in transaction.pools("acme")}


def is_allowed(world, product, member="acme-user"):
    answer = may(
        world.store,
        "acme",
        member,
        Capability.CREATE,
        surface="app",
        now=world.now,
        product=product,
    )
    return answer.is_allowed


@pytest.mark.parametrize("deed", [deeds.renew, deeds.extend, deeds.reactivate])
def test_no_deed_shortens_the_longer_term_of_another_product(world, deed):
    """B1: whoever renews until next year does not end what was paid for until 2027."""
    world.run_until(at("2024-09-15"))

    deed(world.context, "acme", until=Date(2025, 6, 30))

    assert ends_of(world) == {"acme-notes": "2025-06-30", "acme-recordings": "2027-01-31"}
    assert is_allowed(world, "notes")


def test_reactivating_one_product_ends_no_episode_of_another(world):
    """B1, B4."""
    world.run_until(at("2024-09-15"))

    deeds.reactivate(world.context, "acme", until=Date(2025, 6, 30))

    with world.store.transaction() as transaction:
        episodes = {
            (row.subject.product, row.episode, row.status.value)
            for row in transaction.offboardings("acme")
        }
    assert episodes == {
        ("notes", 1, "canceled"),
        ("notes", 2, "open"),
        ("recordings", 1, "open"),
    }


def test_nothing_is_reactivated_before_its_end(world):
    """R1: what has not ended is renewed or extended."""
    with pytest.raises(deeds.NothingToReactivate):
        deeds.reactivate(world.context, "acme", until=Date(2025, 6, 30))

    assert ends_of(world)["acme-notes"] == "2024-08-30"


def test_a_product_that_was_erased_is_not_brought_back_by_renewing_the_rest(world):
    """B6: afterwards only a new one from scratch."""
    world.run_until(at("2026-01-15"))

    deeds.renew(world.context, "acme", until=Date(2028, 1, 31))

    assert ends_of(world) == {"acme-notes": "2024-08-30", "acme-recordings": "2028-01-31"}


@pytest.mark.parametrize("ends", [None, Date(2035, 1, 1)])
def test_a_product_that_is_bought_again_after_its_deletion_lives_on_when_the_other_goes(
    world, app, ends
):
    """B1, B6: what is new is neither shut nor swept away with the last of what is old."""
    world.run_until(at("2026-01-15"))
    gone = app.rows("acme")["notes"]
    register(world.context, pools=[shop.pool("acme", product="notes", name="new", ends=ends)])
    register(world.context, members=shop.members("acme", "acme-notes", "acme-recordings", "new"))
    app.write("acme")
    is_open = is_allowed(world, "notes")

    world.run_until(at("2029-01-15"))

    assert gone == 0
    assert is_open
    assert is_allowed(world, "notes")
    assert app.rows("acme") == {
        "organizations": 1,
        "people": 4,
        "notes": 1,
        "recordings": 0,
        "badges": 1,
    }


def test_a_member_whose_one_product_ends_keeps_the_other(world, app):
    """B1, B11: nobody is forgotten while they still have a seat somewhere."""
    (guest,) = [m for m in shop.members("acme", "acme-recordings") if m.id == "acme-guest"]
    early = shop.pool("acme", product="notes", name="early", ends=Date(2024, 8, 10))
    register(world.context, pools=[early])
    seats = frozenset({"early", "acme-recordings"})
    register(world.context, members=[shop.with_seats(guest, seats)])

    world.run_until(at("2025-10-15"))

    assert app.rows("acme")["people"] == 4
    assert is_allowed(world, "recordings", member="acme-guest")
    assert not is_allowed(world, "notes", member="acme-guest")


def test_a_member_who_left_and_is_given_a_seat_again_is_let_in_again(world, app):
    """B11, L9: an episode that is over does not stand in the way of the next."""
    end_members(world.context, "acme", [Person(member="acme-user", ends=Date(2024, 8, 10))])
    world.run_until(at("2024-08-20"))
    shut = is_allowed(world, "notes")

    reactivate_members(world.context, "acme", [Person(member="acme-user")])

    assert not shut
    assert is_allowed(world, "notes")
    world.run_until(at("2025-08-15"))
    assert app.rows("acme")["people"] == 4
