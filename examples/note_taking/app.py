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
from fastapi import Body, Cookie, Depends, FastAPI, HTTPException, Request, Response

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


class Notebook:
    """The notes of one person, and those that the table holds of colleagues too."""

    def __init__(self, engine: sa.Engine, person: Person) -> None:
        """Open it for a person."""
        self._engine = engine
        self._person = person

    def titles(self) -> dict[str, str]:
        """Give the title of every note by its id, the one changed last first."""
        query = self._own(sa.select(notes.c.id, notes.c.title)).order_by(notes.c.updated_at.desc())
        with self._engine.connect() as connection:
            return {row.id: row.title for row in connection.execute(query)}

    def read(self, note: str) -> dict[str, str]:
        """Give one note."""
        query = self._own(sa.select(notes.c.id, notes.c.title, notes.c.body))
        with self._engine.connect() as connection:
            row = connection.execute(query.where(notes.c.id == note)).mappings().first()
        if row is None:
            raise HTTPException(404)
        return dict(row)

    def write(self, title: str, body: str) -> str:
        """Begin a note, and give its id."""
        note, now = str(uuid.uuid4()), datetime.now(UTC)
        values = {"id": note, "owner_id": self._person.id, "title": title, "body": body}
        stamps = {"created_at": now, "updated_at": now}
        with self._engine.begin() as connection:
            connection.execute(sa.insert(notes).values(**values, **stamps))
        return note

    def change(self, note: str, body: str) -> None:
        """Change what a note says."""
        change = sa.update(notes).where(notes.c.id == note, notes.c.owner_id == self._person.id)
        with self._engine.begin() as connection:
            if not connection.execute(change.values(body=body)).rowcount:
                raise HTTPException(404)

    def export(self) -> list[dict[str, str]]:
        """Give every note."""
        return [self.read(note) for note in self.titles()]

    def _own(self, query: sa.Select[tuple[str, ...]]) -> sa.Select[tuple[str, ...]]:
        return query.where(notes.c.owner_id == self._person.id)
