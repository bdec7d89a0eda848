"""The few values that the contract of every store is told with."""

from contextlib import contextmanager
from dataclasses import replace

from whenever import Date, Instant

from offramp.core.model import Cause, Hold, Member, Organization, Pool, Role, Subject, Unlock
from offramp.core.term import Source
from offramp.core.transitions import OffboardingStatus
from offramp.ports import Offboarding

NOW = Instant.from_utc(2024, 8, 30, 12)
LATER = NOW.add(minutes=10)
EARLIER = NOW.subtract(minutes=5)
ENDS = Date(2024, 8, 30)

ACME = Organization(
    id="acme",
    name="Acme Limited",
    zone="Europe/Dublin",
    locale="en-IE",
    policy="license-pool",
    overrides={"grace": "P60D"},
)
SIBLING = replace(ACME, id="sibling", name="Sibling plc", overrides={})
ANNA = Member(
    id="anna",
    organization="acme",
    email="anna@acme.example",
    name="Anna Björk",
    roles=frozenset({Role.MEMBER, Role.ADMIN}),
    locale="is",
    zone="Atlantic/Reykjavik",
    pools=frozenset({"basic"}),
)
BEN = replace(
    ANNA,
    id="ben",
    email="ben@acme.example",
    name="Ben Okafor",
    roles=frozenset({Role.MEMBER}),
    pools=frozenset({"basic", "extra"}),
    ends=ENDS,
    product_ends={"courses": ENDS, "notes": NOW},
)
CARA = replace(
    ANNA,
    id="cara",
    email="cara@acme.example",
    name="Cara Lindqvist",
    roles=frozenset({Role.OWNER, Role.BILLING}),
    pools=frozenset(),
)
BASIC = Pool(id="basic", organization="acme", product="courses", kind="paid", seats=50, ends=ENDS)
EXTRA = replace(BASIC, id="extra", product="notes", seats=5, ends=NOW)
HOLD = Hold(
    id="hold-1",
    organization="acme",
    member=None,
    owner="Olga of the legal team",
    reason="dispute with Acme Limited",
    placed_at=NOW,
)
UNLOCK = Unlock(
    organization="acme",
    member="anna",
    owner="Sam of support",
    reason="last look for Anna Björk",
    starts_at=NOW,
    ends_at=LATER,
)
LEAVING = Offboarding(
    id="leaving",
    subject=Subject(organization="acme"),
    policy="license-pool",
    policy_version=1,
    cause=Cause.EXPIRED,
    source=Source.ORGANIZATION,
    ends=ENDS,
    episode=1,
    status=OffboardingStatus.OPEN,
    opened_at=NOW.subtract(hours=24),
    next_due_at=NOW,
)


def leaving(name, **changes):
    """Make an off-boarding of an organization's member of the same name."""
    return replace(LEAVING, id=name, subject=Subject(organization="acme", member=name), **changes)


def fill(store, *offboardings, members=(ANNA, BEN, CARA)):
    """Tell the store of two organizations, and of who is leaving."""
    with store.transaction() as transaction:
        transaction.put_organizations([ACME, SIBLING])
        transaction.put_pools([BASIC, EXTRA])
        transaction.put_members(members)
        transaction.open_offboardings(offboardings)


def claim(store, *, now=NOW, limit=10, lease_until=None):
    """Claim what is due."""
    with store.transaction() as transaction:
        return transaction.claim_due(
            now=now, lease_until=lease_until or now.add(minutes=5), limit=limit
        )


def claim_one(store, *, now=NOW):
    """Claim the one off-boarding that is due."""
    (claimed,) = claim(store, now=now)
    return claimed


@contextmanager
def chunk(store, claimed, *, now=NOW, deadline=None, judge=lambda transaction: None):
    """Run a destructive chunk in its fence."""
    deadline = deadline or now.add(seconds=30)
    with store.fence(claimed, now=now, deadline=deadline, judge=judge) as record:
        yield record


def read(store, question):
    """Ask one question in a transaction of its own."""
    with store.transaction() as transaction:
        return question(transaction)
