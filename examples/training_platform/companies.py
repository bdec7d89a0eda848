"""Who the platform's customers are.

Everything about a company that is not drawn by chance lives here: its name, its clock, its terms
and the people whom every story about it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

LEAVING = "ohara-mueller"
SIBLING = "shannon-bridge"
HALF_LEAVING = "koehler-soehne"
DISTANT = "te-awa-freight"

TINY: Mapping[str, int] = {SIBLING: 8, LEAVING: 10, HALF_LEAVING: 9, DISTANT: 6}
DEMO: Mapping[str, int] = {SIBLING: 40, LEAVING: 60, HALF_LEAVING: 30, DISTANT: 24}

SAFETY = "Workplace Safety"
LEADERSHIP = "Leadership Essentials"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone a company certainly has, with the role and grants that they hold."""

    first_name: str
    last_name: str
    role: str = "member"
    grants: tuple[str, ...] = ()
    email: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    leaves_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A licence pool and which members sit in it: those whose number leaves one of ``thirds``."""

    product: str
    starts_on: date
    ends_on: date
    kind: str = "named"
    thirds: frozenset[int] = frozenset({0, 1, 2})


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A customer of the platform."""

    slug: str
    name: str
    country: str
    time_zone: str
    locale: str
    vat_no: str | None
    currency: str
    other_locales: tuple[str, ...]
    other_zones: tuple[str, ...]
    terms: tuple[Term, ...]
    people: tuple[Person, ...]


CONSULTANT = Person(
    first_name="Inês",
    last_name="Carvalho d'Ávila",
    email="ines@carvalho-consulting.example",
    locale="pt-PT",
    time_zone="Europe/Lisbon",
)


def companies(leaving_on: date) -> tuple[Company, ...]:
    """Describe every company, one of which leaves on the given day."""
    return (
        _sibling(leaving_on),
        _leaving(leaving_on),
        _half_leaving(leaving_on),
        _distant(leaving_on),
    )


def _leaving(leaving_on: date) -> Company:
    a_year = timedelta(days=365)
    return Company(
        slug=LEAVING,
        name="O'Hara & Müller Engineering Ltd",
        country="IE",
        time_zone="Europe/Dublin",
        locale="en-IE",
        vat_no="IE6388047V",
        currency="EUR",
        other_locales=("de-DE", "fr-FR"),
        other_zones=("Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata"),
        terms=(
            Term(
                product=SAFETY,
                kind="trial",
                starts_on=leaving_on - 2 * a_year,
                ends_on=leaving_on - a_year,
                thirds=frozenset({0, 1}),
            ),
            Term(product=SAFETY, starts_on=leaving_on - a_year, ends_on=leaving_on),
            Term(
                product=LEADERSHIP,
                starts_on=leaving_on - a_year,
                ends_on=leaving_on,
                thirds=frozenset({1}),
            ),
        ),
        people=(
            Person(first_name="Siobhán", last_name="O'Hara", role="owner", grants=("billing",)),
            Person(
                first_name="Jürgen",
                last_name="Groß-Müller",
                role="admin",
                grants=("reports", "catalog"),
                locale="de-DE",
                time_zone="Europe/Berlin",
            ),
            Person(first_name="Zoë 🌻", last_name="D'Arcy", role="admin"),
            Person(first_name="Seán", last_name="Ó Briain", role="admin", grants=("billing",)),
            CONSULTANT,
            Person(
                first_name="Łucja",
                last_name="Żółć",
                time_zone="Europe/Warsaw",
                leaves_on=leaving_on + timedelta(days=45),
            ),
        ),
    )


def _sibling(leaving_on: date) -> Company:
    return Company(
        slug=SIBLING,
        name="Shannon Bridge Logistics plc",
        country="IE",
        time_zone="Europe/Dublin",
        locale="en-IE",
        vat_no="IE9825613N",
        currency="EUR",
        other_locales=("pl-PL",),
        other_zones=("Europe/Warsaw",),
        terms=(
            Term(
                product=SAFETY,
                starts_on=leaving_on - timedelta(days=700),
                ends_on=leaving_on + timedelta(days=1095),
            ),
            Term(
                product=LEADERSHIP,
                starts_on=leaving_on - timedelta(days=300),
                ends_on=leaving_on + timedelta(days=1095),
                thirds=frozenset({2}),
            ),
        ),
        people=(
            Person(first_name="Gráinne", last_name="Ní Mháille", role="owner", grants=("billing",)),
            Person(first_name="Pádraig", last_name="O'Sullivan", role="admin"),
            CONSULTANT,
        ),
    )


def _half_leaving(leaving_on: date) -> Company:
    return Company(
        slug=HALF_LEAVING,
        name="Köhler & Söhne GmbH",
        country="DE",
        time_zone="Europe/Berlin",
        locale="de-DE",
        vat_no="DE811569869",
        currency="EUR",
        other_locales=("en-GB",),
        other_zones=("Europe/London",),
        terms=(
            Term(
                product=SAFETY,
                starts_on=leaving_on - timedelta(days=365),
                ends_on=leaving_on,
                thirds=frozenset({0, 1}),
            ),
            Term(
                product=LEADERSHIP,
                starts_on=leaving_on - timedelta(days=200),
                ends_on=leaving_on + timedelta(days=530),
                thirds=frozenset({1, 2}),
            ),
        ),
        people=(
            Person(first_name="Käthe", last_name="Köhler", role="owner", grants=("billing",)),
            Person(first_name="Jörg", last_name="Weiß", role="admin"),
        ),
    )


def _distant(leaving_on: date) -> Company:
    return Company(
        slug=DISTANT,
        name="Te Awa Freight",
        country="NZ",
        time_zone="Pacific/Auckland",
        locale="en-NZ",
        vat_no=None,
        currency="NZD",
        other_locales=("en-NZ",),
        other_zones=("Pacific/Apia", "Pacific/Chatham"),
        terms=(
            Term(
                product=SAFETY,
                starts_on=leaving_on - timedelta(days=150),
                ends_on=leaving_on + timedelta(days=215),
            ),
        ),
        people=(
            Person(first_name="Māia", last_name="Te Awa", role="owner", grants=("billing",)),
            Person(first_name="Rāwiri", last_name="O'Neill", role="admin"),
        ),
    )
