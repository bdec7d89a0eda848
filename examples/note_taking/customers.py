"""Who buys the product in the sample data: three organizations and when their subscriptions end.

Everything about the customers that is chosen by hand lives here; what their people write is drawn
from the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

AGREEMENT_URL = "https://quire.example/service-agreement"
MEMBERS_MIN = 8
OWN_END_DAYS_EARLIER = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many people an organization has and how much each of them writes."""

    members: int
    notes_each: int

    def __post_init__(self) -> None:
        """Refuse an organization too small for every kind of member to appear in it."""
        if self.members < MEMBERS_MIN:
            raise ValueError(f"an organization has at least {MEMBERS_MIN} members")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The size of each of the three organizations."""

    leaving: Size
    sibling: Size
    staggered: Size


TINY_SIZE = Size(members=MEMBERS_MIN, notes_each=3)
TINY = Sizes(leaving=TINY_SIZE, sibling=TINY_SIZE, staggered=TINY_SIZE)
DEMO = Sizes(
    leaving=Size(members=40, notes_each=10),
    sibling=Size(members=24, notes_each=8),
    staggered=Size(members=16, notes_each=8),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The language a person reads and the clock they live by."""

    locale: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """An organization as it was sold: where it is and until when each product is paid for."""

    name: str
    domain: str
    kind: str
    places: tuple[Place, ...]
    notes_end_on: date
    recordings_end_on: date
    member_ends_on: date | None
    size: Size

    @property
    def home(self) -> Place:
        """Return the place of the organization itself."""
        return self.places[0]


DUBLIN = Place(locale="en-IE", time_zone="Europe/Dublin")
BERLIN = Place(locale="de-DE", time_zone="Europe/Berlin")
TOKYO = Place(locale="ja-JP", time_zone="Asia/Tokyo")
PARIS = Place(locale="fr-FR", time_zone="Europe/Paris")
SAO_PAULO = Place(locale="pt-BR", time_zone="America/Sao_Paulo")
NEW_YORK = Place(locale="en-US", time_zone="America/New_York")


def sell_to_customers(*, leaving_on: date, sizes: Sizes) -> tuple[Customer, Customer, Customer]:
    """Return the organization that leaves, its sibling that stays, and one that leaves in parts."""
    leaving = Customer(
        name="Liffey University",
        domain="liffey-university.example",
        kind="campus",
        places=(DUBLIN, BERLIN, TOKYO, PARIS, SAO_PAULO),
        notes_end_on=leaving_on,
        recordings_end_on=leaving_on,
        member_ends_on=leaving_on - timedelta(days=OWN_END_DAYS_EARLIER),
        size=sizes.leaving,
    )
    stays_until = date(leaving_on.year + 4, 6, 30)
    sibling = Customer(
        name="Turmfalke Maschinenbau GmbH",
        domain="turmfalke.example",
        kind="company",
        places=(BERLIN, DUBLIN, TOKYO),
        notes_end_on=stays_until,
        recordings_end_on=stays_until,
        member_ends_on=None,
        size=sizes.sibling,
    )
    staggered = Customer(
        name="Hudson Valley Law School",
        domain="hudson-law.example",
        kind="campus",
        places=(NEW_YORK, SAO_PAULO, PARIS),
        notes_end_on=date(leaving_on.year + 3, 5, 31),
        recordings_end_on=date(leaving_on.year, 12, 31),
        member_ends_on=None,
        size=sizes.staggered,
    )
    return leaving, sibling, staggered
