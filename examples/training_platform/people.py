"""Names, addresses and telephone numbers of invented people.

Everything drawn from Faker lives here. Dates never come from Faker: it counts from today.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from random import Random

from faker import Faker

from examples.training_platform.companies import Company, Person


@dataclass(slots=True, kw_only=True)
class Population:
    """The people of one company, always the same for the same seed."""

    company: Company
    rng: Random
    _fakers: dict[str, Faker] = field(default_factory=dict)
    _addresses: set[str] = field(default_factory=set)

    def person(self, number: int) -> Person:
        """Name the member with this number: the known people first, then invented ones."""
        if number < len(self.company.people):
            return self.company.people[number]
        foreign = number % 3 == 0
        locale = self.rng.choice(self.company.other_locales) if foreign else None
        faker = self._faker(locale or self.company.locale)
        return Person(
            first_name=faker.first_name(),
            last_name=faker.last_name(),
            locale=locale,
            time_zone=self.rng.choice(self.company.other_zones) if number % 4 == 0 else None,
        )

    def address(self, person: Person) -> str:
        """Give a person an e-mail address that nobody else in the company has."""
        if person.email is not None:
            return person.email
        name = f"{_plain(person.first_name)}.{_plain(person.last_name)}"
        address, attempt = f"{name}@{self.company.slug}.example", 1
        while address in self._addresses:
            attempt += 1
            address = f"{name}{attempt}@{self.company.slug}.example"
        self._addresses.add(address)
        return address

    def phone(self) -> str:
        """Invent a telephone number."""
        return self._faker(self.company.locale).phone_number()

    def sentence(self) -> str:
        """Invent something to say."""
        return self._faker(self.company.locale).sentence()

    def ip(self) -> str:
        """Invent a network address, of either family."""
        faker = self._faker(self.company.locale)
        return faker.ipv6() if self.rng.random() < 0.2 else faker.ipv4_public()

    def _faker(self, locale: str) -> Faker:
        if locale not in self._fakers:
            faker = Faker(locale.replace("-", "_"))
            faker.seed_instance(self.rng.getrandbits(32))
            self._fakers[locale] = faker
        return self._fakers[locale]


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name.lower().replace("ß", "ss").replace("ł", "l"))
    return "".join(letter for letter in folded if letter.isascii() and letter.isalnum())
