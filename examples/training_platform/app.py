"""Trellis on the web: people sign in, take lessons and see what they have earned.

Run it with ``python -m examples.training_platform.app --database URL``. The sample believes whoever
knows a colleague's mail address, so it listens on this machine alone; everything else about who
may do what it asks Offramp.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from examples.training_platform.schema import (
    achievements,
    companies,
    courses,
    enrolments,
    lesson_progress,
    lessons,
    sign_in_sessions,
    users,
)

COOKIE = "trellis"


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """Whoever is signed in."""

    id: int
    company: int


class Sessions:
    """Open sessions are rows of a table: closing one is deleting it."""

    def __init__(self, engine: sa.Engine) -> None:
        """Keep them in a database."""
        self._engine = engine

    def open(self, learner: Learner) -> str:
        """Open a session, and give the secret that knows it again."""
        token = secrets.token_urlsafe()
        row = {"user_id": learner.id, "token_hash": _digest(token), "created_at": datetime.now(UTC)}
        with self._engine.begin() as connection:
            connection.execute(sa.insert(sign_in_sessions).values(row))
        return token

    def find(self, token: str) -> Learner | None:
        """Tell whose session it is."""
        query = (
            sa.select(users.c.id, users.c.company_id)
            .join(sign_in_sessions, sign_in_sessions.c.user_id == users.c.id)
            .where(sign_in_sessions.c.token_hash == _digest(token))
        )
        with self._engine.connect() as connection:
            return _learner(connection.execute(query).first())


class Academy:
    """What people learn."""

    def __init__(self, engine: sa.Engine) -> None:
        """Read and write a database."""
        self._engine = engine

    def find(self, company: str, email: str) -> Learner | None:
        """Find a person of a company by their address."""
        query = (
            sa.select(users.c.id, users.c.company_id)
            .join(companies, companies.c.id == users.c.company_id)
            .where(companies.c.slug == company, users.c.email == email)
        )
        with self._engine.connect() as connection:
            return _learner(connection.execute(query).first())

    def enrolments(self, learner: Learner) -> dict[int, str]:
        """Give the title of every course that somebody takes, by their enrolment."""
        query = (
            sa.select(enrolments.c.id, courses.c.title)
            .join(courses, courses.c.id == enrolments.c.course_id)
            .where(enrolments.c.user_id == learner.id)
            .order_by(enrolments.c.id)
        )
        with self._engine.connect() as connection:
            return {row.id: row.title for row in connection.execute(query)}

    def earned(self, learner: Learner) -> list[str]:
        """List the titles of what somebody has earned."""
        query = sa.select(achievements.c.title).where(achievements.c.user_id == learner.id)
        with self._engine.connect() as connection:
            return list(connection.execute(query.order_by(achievements.c.id)).scalars())

    def begin_next_lesson(self, learner: Learner, enrolment: int) -> str | None:
        """Begin the first lesson that was not begun yet, and give its title."""
        begun = sa.select(lesson_progress.c.lesson_id).where(
            lesson_progress.c.enrolment_id == enrolment
        )
        next_one = (
            sa.select(lessons.c.id, lessons.c.title)
            .join(enrolments, enrolments.c.course_id == lessons.c.course_id)
            .where(enrolments.c.id == enrolment, enrolments.c.user_id == learner.id)
            .where(lessons.c.id.not_in(begun))
            .order_by(lessons.c.position)
            .limit(1)
        )
        with self._engine.begin() as connection:
            row = connection.execute(next_one).first()
            if row is None:
                return None
            progress = {
                "enrolment_id": enrolment,
                "lesson_id": row.id,
                "started_at": datetime.now(UTC),
                "seconds_spent": 0,
            }
            connection.execute(sa.insert(lesson_progress).values(progress))
            return str(row.title)


def _learner(row: sa.Row[int, int] | None) -> Learner | None:
    return None if row is None else Learner(id=row.id, company=row.company_id)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
