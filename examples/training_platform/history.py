"""What happened in one company: people joined, learned, talked, uploaded and were billed.

Everything drawn by chance about a company lives here. A company draws from its own source of
chance, so that the size of one does not change the story of another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from examples.training_platform import schema
from examples.training_platform.catalog import BADGES, REMARKS
from examples.training_platform.companies import Company, Person
from examples.training_platform.people import Population
from examples.training_platform.rows import Rows

TEAMS = ("Operations", "Ausbildung & Qualität", "Field crew's desk")
# Shorter than the youngest licence pool, so that nobody learns before the company has bought.
DAYS_OF_HISTORY = 120
QUIET_DAYS_BEFORE_LEAVING = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A course as enrolments see it: numbers only."""

    id: int
    product: str
    lesson_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A user who has been written, with what the rest of the story needs to know."""

    id: int
    number: int
    name: str
    email: str
    pools: dict[str, int]


@dataclass(slots=True, kw_only=True)
class History:
    """Writes the rows of one company, a member at a time."""

    company: Company
    rows: Rows
    rng: Random
    courses: tuple[Course, ...]
    leaving_on: date
    members: int
    _population: Population = field(init=False)
    _company_id: int = field(init=False)
    _pools: tuple[int, ...] = field(init=False)
    _teams: tuple[int, ...] = field(init=False)
    _comments: list[int] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        """Take a population that draws from the same source of chance."""
        self._population = Population(company=self.company, rng=self.rng)

    def write(self) -> Iterator[None]:
        """Write the company, pausing after each member so that others can have a turn."""
        self._found()
        for number in range(self.members):
            member = self._hire(number)
            self._enrol(member)
            self._earn(member)
            self._comment(member)
            self._upload(member)
            self._sign_in(member)
            yield
        self._bill()

    def _moment(self) -> datetime:
        quiet_from = self.leaving_on - timedelta(days=QUIET_DAYS_BEFORE_LEAVING)
        end = datetime.combine(quiet_from, time(), tzinfo=UTC)
        seconds = self.rng.randrange(DAYS_OF_HISTORY * 86_400)
        return end - timedelta(seconds=seconds, microseconds=self.rng.randrange(1_000_000))

    def _found(self) -> None:
        company = self.company
        first_day = min(term.starts_on for term in company.terms)
        self._company_id = self.rows.add(
            schema.companies,
            slug=company.slug,
            name=company.name,
            billing_email=f"accounts@{company.slug}.example",
            vat_no=company.vat_no,
            country=company.country,
            time_zone=company.time_zone,
            settings={"locale": company.locale, "theme": {"accent": "#0b5"}, "digest": None},
            created_at=datetime.combine(first_day, time(9, 30), tzinfo=UTC),
        )
        self._pools = tuple(
            self.rows.add(
                schema.licence_pools,
                company_id=self._company_id,
                product=term.product,
                kind=term.kind,
                seats=self.members + 5,
                starts_on=term.starts_on,
                ends_on=term.ends_on,
            )
            for term in company.terms
        )
        self._teams = tuple(
            self.rows.add(schema.teams, company_id=self._company_id, name=name, lead_user_id=None)
            for name in TEAMS
        )

    def _hire(self, number: int) -> Member:
        person = self._population.person(number)
        email = self._population.address(person)
        # One in eight has left the company: signed out for good, without a seat, still on record.
        active = number % 8 != 7
        user_id = self.rows.add(
            schema.users,
            company_id=self._company_id,
            team_id=self._teams[number % len(TEAMS)] if number % 5 != 4 else None,
            email=email,
            first_name=person.first_name,
            last_name=person.last_name,
            phone=self._population.phone() if number % 2 else None,
            birth_date=date(1960, 1, 1) + timedelta(days=self.rng.randrange(15_000))
            if number % 3
            else None,
            password_hash=f"scrypt${self.rng.randbytes(16).hex()}${self.rng.randbytes(32).hex()}",
            locale=person.locale,
            time_zone=person.time_zone,
            last_login_at=self._moment() if number % 6 else None,
            is_active=active,
            leaves_on=person.leaves_on,
        )
        # The last team has not found its lead yet.
        if number < len(TEAMS) - 1:
            self.rows.lead(team=self._teams[number], user=user_id)
        self._join(user_id, person)
        return Member(
            id=user_id,
            number=number,
            name=f"{person.first_name} {person.last_name}",
            email=email,
            pools=self._seat(user_id, number) if active else {},
        )

    def _join(self, user_id: int, person: Person) -> None:
        belonging = {"company_id": self._company_id, "user_id": user_id}
        self.rows.add(schema.memberships, **belonging, role=person.role, joined_at=self._moment())
        for grant in person.grants:
            self.rows.add(
                schema.membership_grants,
                **belonging,
                grant_name=grant,
                granted_at=self._moment(),
            )

    def _seat(self, user_id: int, number: int) -> dict[str, int]:
        pools: dict[str, int] = {}
        for pool_id, term in zip(self._pools, self.company.terms, strict=True):
            if number % 3 in term.thirds:
                assigned_at = datetime.combine(term.starts_on, time(8), tzinfo=UTC)
                self.rows.add(
                    schema.seats, pool_id=pool_id, user_id=user_id, assigned_at=assigned_at
                )
                pools[term.product] = pool_id
        return pools

    def _enrol(self, member: Member) -> None:
        open_courses = [course for course in self.courses if course.product in member.pools]
        for course in open_courses:
            enrolled_at = self._moment()
            enrolment_id = self.rows.add(
                schema.enrolments,
                user_id=member.id,
                course_id=course.id,
                pool_id=member.pools[course.product] if self.rng.random() < 0.9 else None,
                enrolled_at=enrolled_at,
            )
            self._learn(member, course, enrolment_id, enrolled_at)

    def _learn(
        self, member: Member, course: Course, enrolment_id: int, enrolled_at: datetime
    ) -> None:
        begun = course.lesson_ids[: self.rng.randint(1, len(course.lesson_ids))]
        finished = len(begun) == len(course.lesson_ids) or member.number == 0
        for hour, lesson_id in enumerate(course.lesson_ids if finished else begun):
            started_at = enrolled_at + timedelta(hours=hour)
            seconds = self.rng.randrange(120, 3_000)
            completed = finished or lesson_id != begun[-1]
            self.rows.add(
                schema.lesson_progress,
                enrolment_id=enrolment_id,
                lesson_id=lesson_id,
                started_at=started_at,
                completed_at=started_at + timedelta(seconds=seconds) if completed else None,
                seconds_spent=seconds,
                score=Decimal(self.rng.randrange(60_000, 100_001)) / 1000 if completed else None,
            )
        if finished:
            issued_at = enrolled_at + timedelta(hours=len(course.lesson_ids))
            self._certify(member, enrolment_id, issued_at)

    def _certify(self, member: Member, enrolment_id: int, issued_at: datetime) -> None:
        self.rows.add(
            schema.certificates,
            enrolment_id=enrolment_id,
            serial=f"CERT-{self.rng.getrandbits(48):012X}",
            holder_name=member.name,
            issued_at=issued_at,
        )

    def _earn(self, member: Member) -> None:
        for badge, title, points in self.rng.sample(BADGES, k=self.rng.randint(1, 3)):
            self.rows.add(
                schema.achievements,
                user_id=member.id,
                badge=badge,
                title=title,
                points=points,
                earned_at=self._moment(),
            )

    def _comment(self, member: Member) -> None:
        for _ in range(self.rng.randint(1, 3)):
            is_reply = bool(self._comments) and self.rng.random() < 0.5
            comment_id = self.rows.add(
                schema.comments,
                user_id=member.id,
                lesson_id=self.rng.choice(self.rng.choice(self.courses).lesson_ids),
                parent_id=self.rng.choice(self._comments) if is_reply else None,
                body=self.rng.choice((*REMARKS, self._population.sentence())),
                created_at=self._moment(),
            )
            self._comments.append(comment_id)

    def _upload(self, member: Member) -> None:
        for _ in range(self.rng.randint(0, 2)):
            content = self.rng.randbytes(self.rng.randrange(32, 512))
            digest = hashlib.sha256(content).hexdigest()
            elsewhere = self.rng.random() < 0.25
            self.rows.add(
                schema.files,
                company_id=self._company_id,
                owner_id=member.id if self.rng.random() < 0.8 else None,
                name=f"{member.name}'s evidence.pdf",
                path=f"companies/{self._company_id}/{digest[:16]}.pdf",
                mime="application/pdf",
                bytes=len(content),
                sha256=digest,
                content=None if elsewhere else content,
                uploaded_at=self._moment(),
            )

    def _sign_in(self, member: Member) -> None:
        for _ in range(self.rng.randint(1, 2)):
            at = self._moment()
            self.rows.add(
                schema.sign_in_sessions,
                user_id=member.id,
                token_hash=self.rng.randbytes(32).hex(),
                created_at=at,
            )
            self.rows.add(
                schema.audit_log,
                company_id=self._company_id,
                actor_id=member.id,
                action="sign-in",
                ip=self._population.ip(),
                payload={"email": member.email, "user": member.id, "ok": True},
                at=at,
            )
        if member.number % 5 == 0:
            self._note_nightly_run()

    def _note_nightly_run(self) -> None:
        self.rows.add(
            schema.audit_log,
            company_id=self._company_id,
            actor_id=None,
            action="nightly-reminders",
            ip=None,
            payload=None,
            at=self._moment(),
        )

    def _bill(self) -> None:
        company = self.company
        contact = company.people[0]
        for number, term in enumerate(company.terms, start=1):
            cents = self.rng.randrange(100_000, 10_000_000_000_000)
            self.rows.add(
                schema.invoices,
                company_id=self._company_id,
                company_reference=f"{company.name}, {company.vat_no or company.slug}",
                number=f"INV-{term.starts_on:%Y}-{self._company_id:04}{number:02}",
                issued_on=term.starts_on,
                currency=company.currency,
                amount=Decimal(cents) / 100,
                euro_rate=Decimal(self.rng.randrange(10**17, 10**19)) / 10**18,
                contact_name=f"{contact.first_name} {contact.last_name}" if number > 1 else None,
            )
