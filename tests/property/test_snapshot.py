"""A1, A2, B1, B3, B11, L7: a snapshot answers as the store would, whatever the organization."""

from dataclasses import replace
from itertools import product

from hypothesis import given
from hypothesis import strategies as st
from whenever import Date, Instant

from offramp.core.access import UNKNOWN, Place
from offramp.core.dates import effect
from offramp.core.model import Member, Organization, Outcome, Pool, Receipt, Role, Unlock
from offramp.core.policy import ANY, Capability
from offramp.core.snapshot_form import read_snapshot, write_snapshot
from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.documents.policy import find_policy
from offramp.engine.access import find_reader
from offramp.engine.offboarding import register
from offramp.engine.publication import publish
from offramp.engine.snapshot import snapshot_of
from offramp.ports import StepRow
from offramp.testing.world import World
from tests.property.strategies import boundaries, instants, policies, zones

START = Instant.from_utc(2000, 1, 1)
SECOND = {"seconds": 1}
PRODUCTS = ("notes", "maps")
NAMES = ("anna", "ben", "cara")
SURFACES = (ANY, "app", "console")
FIVE_ZONES = (
    *("Pacific/Apia", "Asia/Kathmandu", "America/Havana", "Europe/Dublin"),
    "America/Los_Angeles",
)
roles = st.frozensets(st.sampled_from(list(Role)))
clocks = st.sampled_from(("organization", "product"))
places = st.builds(
    Place,
    organization=st.just("acme"),
    member=st.sampled_from(NAMES),
    surface=st.sampled_from(SURFACES),
    product=st.sampled_from((None, "other", *PRODUCTS)),
)


@st.composite
def pools(draw, ends):
    return [
        Pool(
            id=f"pool-{number}",
            organization="acme",
            product=draw(st.sampled_from(PRODUCTS)),
            kind="seat",
            seats=5,
            ends=draw(st.none() | ends),
        )
        for number in range(draw(st.integers(1, 3)))
    ]


@st.composite
def people(draw, bought, ends):
    ids = st.frozensets(st.sampled_from([pool.id for pool in bought]))
    return [
        Member(
            id=name,
            organization="acme",
            email=f"{name}@acme.example",
            name=name.title(),
            roles=draw(roles),
            locale="en",
            zone="",
            pools=draw(ids),
            ends=draw(st.none() | ends),
            removed_at=draw(st.none() | st.none() | instants),
            product_ends=draw(st.dictionaries(st.sampled_from(PRODUCTS), ends, max_size=1)),
        )
        for name in NAMES[: draw(st.integers(1, 3))]
    ]


@st.composite
def unlocks(draw):
    starts_at = draw(instants)
    return Unlock(
        organization="acme",
        member=draw(st.sampled_from((None, *NAMES))),
        owner="olga",
        reason="a ticket",
        starts_at=starts_at,
        ends_at=starts_at.add(hours=draw(st.integers(1, 48))),
    )


def told(policy, zone, bought, members):
    """Give a world that knows of one organization."""
    world = World(START)
    publish(world.context, policy)
    organization = Organization(
        id="acme", name="Acme", zone=zone, locale="en", policy=policy.policy
    )
    register(world.context, organizations=[organization], pools=bought, members=members)
    return world


def erase(transaction, row, *, at, is_over):
    """Let a deletion have been carried out, as far as the store can tell."""
    started = StepRow(
        offboarding=row.id,
        key="erase",
        status=StepStatus.STARTED,
        due_at=at,
        is_destructive=True,
    )
    receipt = Receipt(step="erase", outcome=Outcome.DONE, due_at=at, done_at=at)
    done = replace(started, status=StepStatus.DONE, receipt=receipt)
    transaction.save_step(started, claimed=None, expected=None)
    transaction.save_step(done, claimed=None, expected=StepStatus.STARTED)
    if is_over:
        over = replace(row, status=OffboardingStatus.COMPLETED, closed_at=at, next_due_at=None)
        transaction.save_offboarding(over, expected_episode=row.episode)


def probes(moments):
    """List the instants a second before, at, and a second after each moment."""
    return sorted(
        {each for at in moments for each in (at.subtract(**SECOND), at, at.add(**SECOND))}
    )


def moments_of(transaction):
    """Give every instant at which something may begin or end, found the long way."""
    for name, bought in product(NAMES, (None, *PRODUCTS)):
        reader = find_reader(transaction, Place(organization="acme", member=name, product=bought))
        if reader is None:
            continue
        for unlock in reader.unlocks:
            yield from (unlock.starts_at, unlock.ends_at)
        for standing in reader.standings:
            yield from (planned.due_at for planned in standing.timeline.steps)
            yield from (receipt.done_at for receipt in standing.receipts.values())


@given(
    data=st.data(), policy=policies, zone=zones, clock=st.sampled_from(("organization", "product"))
)
def test_a_snapshot_answers_as_the_store_would_at_every_boundary_A2_B1_B11_L7(
    data, policy, zone, clock
):
    bought = data.draw(pools(boundaries))
    members = data.draw(people(bought, boundaries))
    world = told(policy.model_copy(update={"clock": clock}), zone, bought, members)
    with world.store.transaction() as transaction:
        for row in transaction.offboardings("acme"):
            if data.draw(st.integers(0, 3)) == 0:
                at, is_over = data.draw(instants), data.draw(st.booleans())
                erase(transaction, row, at=at, is_over=is_over)
        for unlock in data.draw(st.lists(unlocks(), max_size=2)):
            transaction.grant_unlock(unlock)
        for blocked in data.draw(st.sets(st.sampled_from((None, *NAMES)), max_size=1)):
            transaction.set_block("acme", member=blocked, is_blocked=True)

    taken = read_snapshot(write_snapshot(snapshot_of(world.context, "acme")))

    with world.store.reading() as transaction:
        asked = probes({START, *moments_of(transaction)})
        for place in data.draw(st.lists(places, min_size=1, max_size=3)):
            reader = find_reader(transaction, place)
            whereabouts = {"surface": place.surface, "product": place.product}
            for now, capability in product(asked, Capability):
                expected = UNKNOWN if reader is None else reader.decide(capability, now=now)
                found = taken.decide(place.member, capability, **whereabouts, now=now)
                assert found == expected, (place, capability, now)


# What the second published policy says, counted on fingers: after so many days, or months.
EDIT_ONLY = {"sign-in", "read", "update", "delete", "copy", "export"}
FULL = set(map(str, Capability))
near = st.dates(Date(2023, 1, 1).to_stdlib(), Date(2025, 12, 31).to_stdlib()).map(Date)


def oracle(member, bought, *, zone, surface, now):
    """List what somebody may do with the notes on the day that the calendar of the zone shows."""
    today = now.to_tz(zone).date()
    if not any(pool.product == "notes" for pool in bought):
        return set()
    ends = [pool.ends for pool in bought if pool.product == "notes"]
    seats = [p.ends for p in bought if p.product == "notes" and p.id in member.pools]
    whole = None if None in ends else max(ends)
    seat = None if not seats or None in seats else max(seats)
    own = min((end for end in (member.ends, seat) if end is not None), default=None)
    if not seats or (own is not None and whole is not None and own >= whole):
        own = None  # leaves together with the organization
    may = [after(end, member.roles, surface=surface, today=today) for end in (whole, own)]
    return may[0] & may[1]


def after(end, roles, *, surface, today):
    """List what the policy leaves at a date to whoever had it all until one."""
    if end is None or today <= end:
        is_admin = bool(roles & {Role.ADMIN, Role.OWNER})
        return set() if surface == "console" and not is_admin else FULL
    if today <= end.add(days=90):
        return set() if surface == "console" else EDIT_ONLY
    return set()


@given(data=st.data(), zone=st.sampled_from(FIVE_ZONES))
def test_a_snapshot_says_what_anybody_could_count_on_their_fingers_A1_A2_B1_B2_B3_B5(data, zone):
    bought = data.draw(pools(near))
    drawn = data.draw(people(bought, near))
    members = [replace(each, removed_at=None, product_ends={}) for each in drawn]
    world = told(find_policy("edit-only-grace"), zone, bought, members)

    taken = snapshot_of(world.context, "acme")

    ends = [each.ends for each in (*bought, *members) if each.ends is not None]
    ends += [end.add(days=90) for end in ends]
    for member, surface, now in product(
        members, SURFACES, probes({effect(end, zone=zone) for end in ends})
    ):
        asked = {"surface": surface, "product": "notes", "now": now}
        found = {each for each in Capability if taken.decide(member.id, each, **asked).is_allowed}
        assert found == oracle(member, bought, zone=zone, surface=surface, now=now)
