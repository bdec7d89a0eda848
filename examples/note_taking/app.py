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
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import sqlalchemy as sa
import uvicorn
from fastapi import Body, FastAPI, HTTPException, Request, Response

from examples.note_taking.database import open_engine
from examples.note_taking.schema import notes, users

COOKIE = "quire"
PRODUCT = "notes"
TITLE_CHARACTERS_MAX = 300

Text = Annotated[str, Body(embed=True)]


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

    def __init__(self, engine: sa.Engine, owner: str) -> None:
        """Open them."""
        self._engine = engine
        self._owner = owner

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
        note, now = str(uuid.uuid4()), datetime.now(UTC)
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


def create_app(engine: sa.Engine, *, secret: bytes) -> FastAPI:
    """Build the application over its database."""
    app, door = FastAPI(title="Quire"), Door(engine, secret=secret)

    def mine(request: Request) -> Notes:
        return Notes(engine, request.state.person.id)

    @app.post("/sign-in")
    def sign_in(email: Text, response: Response) -> dict[str, str]:
        person = door.find(email)
        if person is None:
            raise HTTPException(401)
        response.set_cookie(COOKIE, door.sign(person), httponly=True, samesite="lax")
        return {"person": person.id}

    @app.get("/notes")
    def list_notes(request: Request) -> dict[str, str]:
        return mine(request).titles()

    @app.get("/notes/{note}")
    def read_note(note: str, request: Request) -> dict[str, str]:
        return mine(request).read(note)

    @app.post("/notes", status_code=201)
    def write_note(title: Text, body: Text, request: Request) -> dict[str, str]:
        return {"id": mine(request).write(title, body)}

    @app.put("/notes/{note}", status_code=204)
    def change_note(note: str, body: Text, request: Request) -> None:
        mine(request).change(note, body)

    @app.get("/export")
    def export(request: Request) -> list[dict[str, str]]:
        own = mine(request)
        return [own.read(note) for note in own.titles()]

    @app.get("/console/people")
    def people(request: Request) -> dict[str, str]:
        query = sa.select(users.c.id, users.c.display_name)
        ours = query.where(users.c.organization_id == request.state.person.organization)
        with engine.connect() as connection:
            return {row.id: row.display_name for row in connection.execute(ours)}

    return app
