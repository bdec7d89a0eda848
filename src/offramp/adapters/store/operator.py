"""Operators of the console, their sessions and links, and who failed to sign in.

Source: ``ports.Operators``.
"""

from dataclasses import asdict
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.engine import Row as Found
from whenever import Instant

from offramp.adapters.store import schema_operator as schema
from offramp.adapters.store.part import Part
from offramp.core.operator import OperatorRole
from offramp.ports import (
    Condition,
    Operator,
    OperatorSession,
    SavedView,
    SignInLink,
    fold_address,
)

_operator, _session = schema.operator, schema.operator_session
_link, _failure = schema.sign_in_link, schema.sign_in_failure
_view, _journey = schema.saved_view, schema.sign_in_journey
_FIXED = frozenset({"id", "address", "added_at", "issuer", "subject"})


class OperatorPart(Part):
    """Who works with the console, and where they are signed in."""

    def add_operator(self, operator: Operator) -> bool:
        """Store a new operator."""
        row = {**asdict(operator), "address": fold_address(operator.address)}
        return self._create(_operator, row)

    def save_operator(self, operator: Operator) -> None:
        """Write a changed operator."""
        values = {name: value for name, value in asdict(operator).items() if name not in _FIXED}
        mine = _operator.c.id == operator.id
        self.connection.execute(update(_operator).where(mine).values(values))

    def operator(self, operator: str) -> Operator | None:
        """Find one by id."""
        chosen = select(_operator).where(_operator.c.id == operator)
        return _of(self.connection.execute(chosen).first())

    def operator_at(self, address: str) -> Operator | None:
        """Find one by address."""
        chosen = select(_operator).where(_operator.c.address == fold_address(address))
        return _of(self.connection.execute(chosen).first())

    def operator_known_as(self, issuer: str, subject: str) -> Operator | None:
        """Find one by who they are elsewhere."""
        theirs = (_operator.c.issuer == issuer, _operator.c.subject == subject)
        return _of(self.connection.execute(select(_operator).where(*theirs)).first())

    def link_identity(self, operator: str, *, issuer: str, subject: str) -> bool:
        """Note who an operator is at a provider, in one statement."""
        nobody_yet = or_(_operator.c.issuer.is_(None), _operator.c.issuer != issuer)
        linked = update(_operator).where(_operator.c.id == operator, nobody_yet)
        values = {"issuer": issuer, "subject": subject}
        return self.connection.execute(linked.values(values)).rowcount > 0

    def forget_identity(self, operator: str) -> None:
        """Forget who an operator is elsewhere."""
        mine = update(_operator).where(_operator.c.id == operator)
        self.connection.execute(mine.values({"issuer": None, "subject": None}))

    def operators(self) -> tuple[Operator, ...]:
        """List them by address."""
        rows = self.connection.execute(select(_operator).order_by(_operator.c.address))
        return tuple(found for row in rows if (found := _of(row)))

    def open_session(self, session: OperatorSession) -> None:
        """Store a new session."""
        self.connection.execute(_session.insert(), asdict(session))

    def session(self, digest: str) -> OperatorSession | None:
        """Find a session by the digest of its secret."""
        chosen = select(_session).where(_session.c.digest == digest)
        row = self.connection.execute(chosen).first()
        return None if row is None else OperatorSession(**row._mapping)

    def see_session(self, digest: str, *, at: Instant, idle_ends_at: Instant) -> None:
        """Note that a session was used."""
        values = {"seen_at": at, "idle_ends_at": idle_ends_at}
        mine = _session.c.digest == digest
        self.connection.execute(update(_session).where(mine).values(values))

    def end_session(self, digest: str) -> bool:
        """Forget a session."""
        ended = delete(_session).where(_session.c.digest == digest)
        return self.connection.execute(ended).rowcount > 0

    def end_sessions(self, operator: str, *, spared: str | None = None) -> int:
        """Forget every session of an operator, all but one."""
        mine = delete(_session).where(_session.c.operator == operator)
        if spared is not None:
            mine = mine.where(_session.c.digest != spared)
        return self.connection.execute(mine).rowcount

    def put_view(self, view: SavedView) -> None:
        """Store a view."""
        self._put(_view, [asdict(view)])

    def views(self, operator: str) -> tuple[SavedView, ...]:
        """List the views of an operator by name."""
        chosen = select(_view).where(_view.c.operator == operator).order_by(_view.c.name)
        return tuple(
            SavedView(**{**row._mapping, "condition": Condition(row.condition)})
            for row in self.connection.execute(chosen)
        )

    def drop_view(self, operator: str, name: str) -> bool:
        """Forget a view."""
        mine = (_view.c.operator == operator, _view.c.name == name)
        return self.connection.execute(delete(_view).where(*mine)).rowcount > 0

    def put_sign_in_link(self, link: SignInLink) -> None:
        """Store a link in place of an earlier one."""
        whose = _link.c.operator
        earlier = whose.is_(None) if link.operator is None else whose == link.operator
        self.connection.execute(delete(_link).where(earlier))
        self.connection.execute(_link.insert(), asdict(link))

    def sign_in_link(self, digest: str) -> SignInLink | None:
        """Find a link by the digest of its secret."""
        row = self.connection.execute(select(_link).where(_link.c.digest == digest)).first()
        return None if row is None else SignInLink(**row._mapping)

    def take_sign_in_link(self, digest: str) -> SignInLink | None:
        """Find a link and forget it, in one statement."""
        taken = delete(_link).where(_link.c.digest == digest).returning(*_link.c)
        row = self.connection.execute(taken).first()
        return None if row is None else SignInLink(**row._mapping)

    def note_failure(self, who: str, *, at: Instant) -> None:
        """Note that somebody failed to sign in."""
        self.connection.execute(_failure.insert(), {"who": who, "at": at})

    def failures(self, who: str | None = None, *, since: Instant) -> int:
        """Count those who failed after an instant."""
        chosen = select(func.count()).select_from(_failure).where(_failure.c.at > since)
        if who is not None:
            chosen = chosen.where(_failure.c.who == who)
        return self.connection.scalar(chosen) or 0

    def forget_failures(self, who: str) -> None:
        """Forget the failures under one digest."""
        self.connection.execute(delete(_failure).where(_failure.c.who == who))

    def spend_journey(self, digest: str, *, at: Instant) -> bool:
        """Note that a way through a provider led here."""
        return self._create(_journey, {"digest": digest, "at": at})

    def tidy_sign_ins(self, *, at: Instant, failed_before: Instant) -> None:
        """Forget what is over."""
        is_over = or_(_session.c.ends_at <= at, _session.c.idle_ends_at <= at)
        self.connection.execute(delete(_session).where(is_over))
        self.connection.execute(delete(_link).where(_link.c.expires_at <= at))
        self.connection.execute(delete(_failure).where(_failure.c.at < failed_before))
        self.connection.execute(delete(_journey).where(_journey.c.at < failed_before))


def _of(row: Found[Any] | None) -> Operator | None:
    if row is None:
        return None
    return Operator(**{**row._mapping, "role": OperatorRole(row.role)})
