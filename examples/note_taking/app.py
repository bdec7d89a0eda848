"""Quire on the web: people sign in and write notes, administrators have a console.

Run it with ``python -m examples.note_taking.app --database URL``. The sample believes whoever
knows a colleague's mail address, so it listens on this machine alone; everything else about who
may do what it asks Offramp.
"""

from __future__ import annotations

import argparse
import hmac
import os
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import Annotated, TypeAlias

import sqlalchemy as sa
import uvicorn
from fastapi import APIRouter, Body, Depends, FastAPI, HTTPException, Request, Response

from examples.note_taking.database import open_engine
from examples.note_taking.schema import notes, users
from offramp.sdk import AsgiAccess, Capability, Gate, Guard, Needs, Visit, Who

Now: TypeAlias = Callable[[], datetime]
COOKIE, PRODUCT = "quire", "notes"
ROUTES = {
    "POST /sign-in": None,  # asked about once it is known who wants to
    "GET /export": Capability.EXPORT,
    "/console/*": Needs(surface="console"),
    "/*": Needs(surface="app"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whoever is signed in."""

    id: str
    organization: str


class Door:
    """Knows people again by a signed cookie, which stays good for as long as they keep it."""

    def __init__(self, engine: sa.Engine, *, secret: bytes) -> None:
        """Sign with a secret."""
        self._engine = engine
        self._secret = secret

    def find(self, email: str) -> Person | None:
        """Find a person by their address."""
        return self._one(users.c.email == email)

    def sign(self, person: Person) -> str:
        """Write a cookie."""
        return f"{person.id}.{self._seal(person.id)}"

    def read(self, cookie: str) -> Person | None:
        """Tell whose cookie it is."""
        user, _, seal = cookie.rpartition(".")
        if not hmac.compare_digest(seal.encode(), self._seal(user).encode()):
            return None
        return self._one(users.c.id == user)

    def _seal(self, user: str) -> str:
        return hmac.digest(self._secret, user.encode(), "sha256").hex()

    def _one(self, which: sa.ColumnElement[bool]) -> Person | None:
        query = sa.select(users.c.id, users.c.organization_id).where(which)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else Person(id=row.id, organization=row.organization_id)


class Notes:
    """The notes of one person."""

    def __init__(self, engine: sa.Engine, owner: str, *, now: Now) -> None:
        """Open them."""
        self._engine = engine
        self._owner = owner
        self._now = now

    def titles(self) -> dict[str, str]:
        """Give the title of every note by its id, the one changed last first."""
        query = sa.select(notes.c.id, notes.c.title).where(notes.c.owner_id == self._owner)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(notes.c.updated_at.desc()))
            return {row.id: row.title for row in rows}

    def read(self, note: str) -> dict[str, str]:
        """Give one note; 404 where there is no such note of theirs."""
        query = sa.select(notes.c.id, notes.c.title, notes.c.body)
        with self._engine.connect() as connection:
            row = connection.execute(query.where(*self._this(note))).mappings().first()
        if row is None:
            raise HTTPException(404)
        return dict(row)

    def write(self, title: str, body: str) -> str:
        """Begin a note, and give its id."""
        note, now = str(uuid.uuid4()), self._now()
        begun = sa.insert(notes).values(
            id=note, owner_id=self._owner, title=title, body=body, created_at=now, updated_at=now
        )
        with self._engine.begin() as connection:
            connection.execute(begun)
        return note

    def change(self, note: str, body: str) -> None:
        """Change what a note says; 404 where there is no such note of theirs."""
        change = sa.update(notes).where(*self._this(note)).values(body=body)
        with self._engine.begin() as connection:
            if not connection.execute(change).rowcount:
                raise HTTPException(404)

    def _this(self, note: str) -> tuple[sa.ColumnElement[bool], ...]:
        return notes.c.id == note, notes.c.owner_id == self._owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Quire:
    """What the routes work with."""

    engine: sa.Engine
    door: Door
    guard: Guard
    now: Now

    def person_by(self, cookies: str) -> Person | None:
        """Tell who is signed in, by the cookies of a request."""
        cookie = SimpleCookie(cookies).get(COOKIE)
        return None if cookie is None else self.door.read(cookie.value)

    def identify(self, visit: Visit) -> Who | None:
        """Tell the gate who is asking."""
        person = self.person_by(visit.headers.get("cookie", ""))
        return None if person is None else Who(organization=person.organization, member=person.id)


def _quire(request: Request) -> Quire:
    quire: Quire = request.app.state.quire
    return quire


def _person(request: Request) -> Person:
    person = _quire(request).person_by(request.headers.get("cookie", ""))
    if person is None:
        raise HTTPException(401)
    return person


def _notes(request: Request) -> Notes:
    quire = _quire(request)
    return Notes(quire.engine, _person(request).id, now=quire.now)


App = Annotated[Quire, Depends(_quire)]
SignedIn = Annotated[Person, Depends(_person)]
Mine = Annotated[Notes, Depends(_notes)]
Text = Annotated[str, Body(embed=True)]
routes = APIRouter()


@routes.post("/sign-in")
def sign_in(email: Text, quire: App, response: Response) -> dict[str, str | None]:
    """Give a cookie to whoever may sign in, and say until when things stay as they are."""
    person = quire.door.find(email)
    if person is None:
        raise HTTPException(401)
    access = quire.guard.require(
        person.organization, person.id, Capability.SIGN_IN, product=PRODUCT
    )
    response.set_cookie(COOKIE, quire.door.sign(person), httponly=True, samesite="lax")
    until = None if access.until is None else access.until.format_iso()
    return {"person": person.id, "stage": access.stage, "until": until}


@routes.get("/notes")
def list_notes(mine: Mine) -> dict[str, str]:
    """List one's notes."""
    return mine.titles()


@routes.get("/notes/{note}")
def read_note(note: str, mine: Mine) -> dict[str, str]:
    """Open a note."""
    return mine.read(note)


@routes.post("/notes", status_code=201)
def write_note(title: Text, body: Text, mine: Mine) -> dict[str, str]:
    """Begin a note."""
    return {"id": mine.write(title, body)}


@routes.put("/notes/{note}", status_code=204)
def change_note(note: str, body: Text, mine: Mine) -> None:
    """Change a note."""
    mine.change(note, body)


@routes.get("/export")
def export(mine: Mine) -> list[dict[str, str]]:
    """Take every note along."""
    return [mine.read(note) for note in mine.titles()]


@routes.get("/console/people")
def people(person: SignedIn, quire: App) -> dict[str, str]:
    """List everybody of the organization, for administrators."""
    query = sa.select(users.c.id, users.c.display_name)
    with quire.engine.connect() as connection:
        rows = connection.execute(query.where(users.c.organization_id == person.organization))
        return {row.id: row.display_name for row in rows}


def _now() -> datetime:
    return datetime.now(UTC)


def create_app(engine: sa.Engine, *, guard: Guard, secret: bytes, now: Now = _now) -> FastAPI:
    """Build the application over its database; the guard says who may do what.

    Args:
        secret: signs the cookies.
        now: says what time it is.
    """
    quire = Quire(engine=engine, door=Door(engine, secret=secret), guard=guard, now=now)
    gate = Gate(guard, identify=quire.identify, routes=ROUTES, product=PRODUCT)
    app = FastAPI(title="Quire")
    app.state.quire = quire
    app.include_router(routes)
    app.add_middleware(AsgiAccess, gate=gate)
    return app


def main() -> None:
    """Serve the application on this machine."""
    parser = argparse.ArgumentParser(prog="python -m examples.note_taking.app")
    parser.add_argument("--database", required=True, help="such as sqlite:///notes.db")
    parser.add_argument("--port", type=int, default=8001)
    options = parser.parse_args()
    guard = Guard(os.environ["OFFRAMP_URL"], os.environ["OFFRAMP_ACCESS_KEY"], fail_open=False)
    app = create_app(open_engine(options.database), guard=guard, secret=secrets.token_bytes())
    uvicorn.run(app, host="127.0.0.1", port=options.port)


if __name__ == "__main__":
    main()
