"""Trellis on the web: people sign in, take lessons and see what they have earned.

Run it with ``python -m examples.training_platform.app --database URL``. The sample believes whoever
knows a colleague's mail address, so it listens on this machine alone; everything else about who
may do what it asks Offramp.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from wsgiref.simple_server import make_server
from wsgiref.types import WSGIApplication

import django
import sqlalchemy as sa
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import JsonResponse
from django.urls import path

from examples.training_platform.database import open_engine
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
from offramp.sdk import Capability, Gate, Guard, Visit, Who
from offramp.sdk.django import DjangoAccess

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


def _who(learner: Learner) -> Who:
    return Who(organization=str(learner.company), member=str(learner.id))


def _identify(visit: Visit) -> Who | None:
    learner = visit.native.learner
    return None if learner is None else _who(learner)


def signed_in(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Tell whose session a request belongs to, for everything below."""

    def middleware(request: Any) -> Any:  # noqa: ANN401 (Django carries no types)
        token = request.COOKIES.get(COOKIE)
        request.learner = None if token is None else settings.TRELLIS.sessions.find(token)
        return get_response(request)

    return middleware


class Access(DjangoAccess):
    """Lets nobody in whose access has ended, whatever session they still have."""


def sign_in(request: Any) -> Any:  # noqa: ANN401 (as above)
    """Open a session for whoever may have one, and say until when things stay as they are."""
    trellis = settings.TRELLIS
    learner = trellis.academy.find(request.POST["company"], request.POST["email"])
    if learner is None:
        return JsonResponse({}, status=401)
    who = _who(learner)
    access = trellis.guard.require(who.organization, who.member, Capability.SIGN_IN)
    until = None if access.until is None else access.until.format_iso()
    response = JsonResponse({"person": learner.id, "stage": access.stage, "until": until})
    token = trellis.sessions.open(learner)
    response.set_cookie(COOKIE, token, httponly=True, samesite="Lax")
    return response


def _for_learners(look: Callable[..., object]) -> Callable[..., Any]:
    """Answer nobody who is not signed in."""

    def view(request: Any, **parts: int) -> Any:  # noqa: ANN401 (as above)
        if request.learner is None:
            return JsonResponse({}, status=401)
        return JsonResponse(look(settings.TRELLIS.academy, request.learner, **parts), safe=False)

    return view


urlpatterns = [
    path("sign-in", sign_in),
    path("courses", _for_learners(Academy.enrolments)),
    path("courses/<int:enrolment>/next", _for_learners(Academy.begin_next_lesson)),
    path("earned", _for_learners(Academy.earned)),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trellis:
    """What the views work with."""

    academy: Academy
    sessions: Sessions
    guard: Guard


def create_app(engine: sa.Engine, *, guard: Guard) -> WSGIApplication:
    """Build the application over its database; the guard says who may do what.

    As Django has it, there is one in a process: the one that was built last.
    """
    if not settings.configured:
        settings.configure(SECRET_KEY=secrets.token_urlsafe())
        django.setup()
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    settings.MIDDLEWARE = [f"{__name__}.signed_in", f"{__name__}.Access"]
    settings.ROOT_URLCONF = __name__
    settings.TRELLIS = Trellis(academy=Academy(engine), sessions=Sessions(engine), guard=guard)
    Access.gate = Gate(guard, identify=_identify, routes={"POST /sign-in": None})
    return cast(WSGIApplication, WSGIHandler())


def main() -> None:
    """Serve the application on this machine."""
    parser = argparse.ArgumentParser(prog="python -m examples.training_platform.app")
    parser.add_argument("--database", required=True, help="such as sqlite:///training.db")
    parser.add_argument("--port", type=int, default=8002)
    options = parser.parse_args()
    guard = Guard(os.environ["OFFRAMP_URL"], os.environ["OFFRAMP_ACCESS_KEY"], fail_open=False)
    app = create_app(open_engine(options.database), guard=guard)
    with make_server("127.0.0.1", options.port, app) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
