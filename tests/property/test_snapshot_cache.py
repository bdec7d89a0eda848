"""A2, L7: a server's memory never answers otherwise than its store, whatever was written before."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st
from whenever import Date, Instant

from offramp.core.access import UNKNOWN, Place
from offramp.core.model import Member, Organization, Pool, Role, Unlock
from offramp.core.policy import Capability
from offramp.core.transitions import OffboardingStatus
from offramp.documents.policy import find_policy
from offramp.engine.access import find_reader
from offramp.engine.offboarding import register
from offramp.engine.publication import publish
from offramp.engine.snapshot_cache import SnapshotCache
from offramp.testing.world import World
from tests.property.test_snapshot import erase

START = Instant.from_utc(2024, 8, 1)
NAMES = ("anna", "ben")
CUSTOMERS = ("acme", "sibling")
ENDS = (None, Date(2024, 7, 31), Date(2024, 8, 30), Date(2025, 8, 30))
PROBES = (START, START.add(hours=24 * 31), START.add(hours=24 * 150))
ASKED = (Capability.SIGN_IN, Capability.CREATE, Capability.READ)
customers, names = st.sampled_from(CUSTOMERS), st.sampled_from(NAMES)
whom, ends = st.none() | names, st.sampled_from(ENDS)
clocks = st.sampled_from(("organization", "product"))
PRESET = find_policy("edit-only-grace")


def put_customer(world, organization, zone):
    customer = Organization(
        id=organization, name="Acme", zone=zone, locale="en", policy=PRESET.policy
    )
    return register(world.context, organizations=[customer])


def put_pool(world, organization, ends):
    pool = Pool(
        id="pool", organization=organization, product="notes", kind="seat", seats=5, ends=ends
    )
    return register(world.context, pools=[pool])


def put_member(world, organization, name, role, ends):
    member = Member(
        id=name,
        organization=organization,
        email=f"{name}@acme.example",
        name=name.title(),
        roles=frozenset({role}),
        locale="en",
        zone="",
        pools=frozenset({"pool"}),
        ends=ends,
    )
    return register(world.context, members=[member])


def set_block(world, organization, member, is_blocked):
    with world.store.transaction() as transaction:
        transaction.set_block(organization, member=member, is_blocked=is_blocked)


def unlock(world, organization, member):
    given_back = Unlock(
        organization=organization,
        member=member,
        owner="olga",
        reason="a ticket",
        starts_at=START,
        ends_at=START.add(hours=24 * 40),
    )
    with world.store.transaction() as transaction:
        transaction.grant_unlock(given_back)


def erase_one(world, organization, is_over):
    with world.store.transaction() as transaction:
        for row in transaction.offboardings(organization, status=OffboardingStatus.OPEN)[:1]:
            if not transaction.steps(row.id):
                erase(transaction, row, at=START, is_over=is_over)


def forget(world, organization, member):
    with world.store.transaction() as transaction:
        if member is not None and transaction.organization(organization) is not None:
            transaction.forget(organization, member=member, at=START)


def publish_next(world, clock):
    with world.store.transaction() as transaction:
        version = transaction.policy(PRESET.policy).version + 1
        changed = PRESET.model_copy(update={"version": version, "clock": clock})
        transaction.put_policy(changed, at=START)


writes = st.one_of(
    st.tuples(st.just(put_customer), customers, st.sampled_from(("UTC", "Pacific/Apia"))),
    st.tuples(st.just(put_pool), customers, ends),
    st.tuples(st.just(put_member), customers, names, st.sampled_from(list(Role)), ends),
    st.tuples(st.just(set_block), customers, whom, st.booleans()),
    st.tuples(st.just(unlock), customers, whom),
    st.tuples(st.just(erase_one), customers, st.booleans()),
    st.tuples(st.just(forget), customers, whom),
    st.tuples(st.just(publish_next), clocks),
)
caches = st.sampled_from(({}, {"organizations_max": 1}, {"members_max": 1}))


@given(written=st.lists(writes, max_size=8), bounds=caches, is_whole=st.booleans())
def test_the_answer_in_memory_is_the_decision_of_the_store_after_any_writes_A2_L7(
    written, bounds, is_whole
):
    world = World(START)
    publish(world.context, PRESET)
    for customer in CUSTOMERS:
        put_customer(world, customer, "Europe/Dublin")
        put_pool(world, customer, Date(2024, 8, 30))
        put_member(world, customer, "anna", Role.ADMIN, None)
    cache = SnapshotCache(world.context, **bounds)

    for write, *given_to_it in ((lambda world: None,), *written):
        write(world, *given_to_it)

        for customer, name in product(CUSTOMERS, NAMES):
            taken = cache.take(customer, member=None if is_whole else name)
            place = Place(organization=customer, member=name, surface="app", product="notes")
            with world.store.reading() as transaction:
                reader = find_reader(transaction, place)
            for now, capability in product(PROBES, ASKED):
                asked = {"now": now, "surface": "app", "product": "notes"}
                expected = UNKNOWN if reader is None else reader.decide(capability, now=now)
                found = UNKNOWN if taken is None else taken.decide(name, capability, **asked)
                assert found == expected, (write.__name__, customer, name, capability, now)


def test_whoever_was_erased_is_unknown_at_once():
    world = World(START)
    publish(world.context, PRESET)
    put_customer(world, "acme", "UTC")
    put_member(world, "acme", "anna", Role.MEMBER, None)
    cache = SnapshotCache(world.context)
    assert cache.take("acme", member="anna") is not None

    with world.store.transaction() as transaction:
        transaction.forget("acme", member=None, at=START)

    assert cache.take("acme", member="anna") is None
    assert cache.take("nobody", member="anna") is None


def test_those_asked_about_last_are_held_and_no_more_than_fit():
    world = World(START)
    publish(world.context, PRESET)
    for number in range(6):
        put_customer(world, f"c{number}", "UTC")
        put_member(world, f"c{number}", "anna", Role.MEMBER, None)
        put_member(world, f"c{number}", "ben", Role.MEMBER, None)
    few, small = (
        SnapshotCache(world.context, organizations_max=3),
        SnapshotCache(world.context, members_max=5),
    )

    for number, cache in product(range(6), (few, small)):
        assert len(cache.take(f"c{number}", member=None).members) == 2

    assert (len(few), len(small)) == (3, 2)


def test_members_who_are_alike_share_one_entry():
    world = World(START)
    publish(world.context, PRESET)
    put_customer(world, "acme", "UTC")
    for name in NAMES:
        put_member(world, "acme", name, Role.MEMBER, None)
    cache = SnapshotCache(world.context)

    for name in NAMES:
        held = cache.take("acme", member=name).members

    assert held["anna"] is held["ben"]
