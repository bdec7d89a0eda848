"""Operators of the console in the store in memory.

Source: ``ports.Operators``.
"""

from dataclasses import replace

from whenever import Instant

from offramp.ports import Operator, OperatorSession, SavedView, SignInLink, fold_address
from offramp.testing.memory_tables import MemoryPart


class MemoryOperatorPart(MemoryPart):
    """Who works with the console, and where they are signed in."""

    def add_operator(self, operator: Operator) -> bool:
        """Store a new operator."""
        if self.operator_at(operator.address) is not None:
            return False
        address = fold_address(operator.address)
        self.tables.operators[operator.id] = replace(operator, address=address)
        return True

    def save_operator(self, operator: Operator) -> None:
        """Write a changed operator."""
        kept = self.tables.operators[operator.id]
        self.tables.operators[operator.id] = replace(
            operator,
            address=kept.address,
            added_at=kept.added_at,
            issuer=kept.issuer,
            subject=kept.subject,
        )

    def operator(self, operator: str) -> Operator | None:
        """Find one by id."""
        return self.tables.operators.get(operator)

    def operator_at(self, address: str) -> Operator | None:
        """Find one by address."""
        folded = fold_address(address)
        return next((each for each in self.operators() if each.address == folded), None)

    def operator_known_as(self, issuer: str, subject: str) -> Operator | None:
        """Find one by who they are elsewhere."""
        wanted = (issuer, subject)
        found = (each for each in self.operators() if (each.issuer, each.subject) == wanted)
        return next(found, None)

    def link_identity(self, operator: str, *, issuer: str, subject: str) -> bool:
        """Note who an operator is at a provider."""
        found = self.tables.operators[operator]
        if found.issuer == issuer:
            return False
        self.tables.operators[operator] = replace(found, issuer=issuer, subject=subject)
        return True

    def forget_identity(self, operator: str) -> None:
        """Forget who an operator is elsewhere."""
        found = self.tables.operators[operator]
        self.tables.operators[operator] = replace(found, issuer=None, subject=None)

    def operators(self) -> tuple[Operator, ...]:
        """List them by address."""
        return tuple(sorted(self.tables.operators.values(), key=lambda each: each.address))

    def open_session(self, session: OperatorSession) -> None:
        """Store a new session."""
        self.tables.sessions[session.digest] = session

    def session(self, digest: str) -> OperatorSession | None:
        """Find a session by the digest of its secret."""
        return self.tables.sessions.get(digest)

    def see_session(self, digest: str, *, at: Instant, idle_ends_at: Instant) -> None:
        """Note that a session was used."""
        found = self.tables.sessions.get(digest)
        if found is not None:
            seen = replace(found, seen_at=at, idle_ends_at=idle_ends_at)
            self.tables.sessions[digest] = seen

    def end_session(self, digest: str) -> bool:
        """Forget a session."""
        return self.tables.sessions.pop(digest, None) is not None

    def end_sessions(self, operator: str, *, spared: str | None = None) -> int:
        """Forget every session of an operator, all but one."""
        mine = [
            digest
            for digest, each in self.tables.sessions.items()
            if each.operator == operator and digest != spared
        ]
        for digest in mine:
            del self.tables.sessions[digest]
        return len(mine)

    def put_view(self, view: SavedView) -> None:
        """Store a view."""
        self.tables.views[view.operator, view.name] = view

    def views(self, operator: str) -> tuple[SavedView, ...]:
        """List the views of an operator by name."""
        found = (view for view in self.tables.views.values() if view.operator == operator)
        return tuple(sorted(found, key=lambda view: view.name))

    def drop_view(self, operator: str, name: str) -> bool:
        """Forget a view."""
        return self.tables.views.pop((operator, name), None) is not None

    def put_sign_in_link(self, link: SignInLink) -> None:
        """Store a link in place of an earlier one."""
        links = self.tables.sign_in_links
        for digest in [d for d, each in links.items() if each.operator == link.operator]:
            del links[digest]
        links[link.digest] = link

    def sign_in_link(self, digest: str) -> SignInLink | None:
        """Find a link by the digest of its secret."""
        return self.tables.sign_in_links.get(digest)

    def take_sign_in_link(self, digest: str) -> SignInLink | None:
        """Find a link and forget it."""
        return self.tables.sign_in_links.pop(digest, None)

    def note_failure(self, who: str, *, at: Instant) -> None:
        """Note that somebody failed to sign in."""
        self.tables.sign_in_failures.append((who, at))

    def failures(self, who: str | None = None, *, since: Instant) -> int:
        """Count those who failed after an instant."""
        failed = self.tables.sign_in_failures
        return sum(at > since and who in (None, each) for each, at in failed)

    def forget_failures(self, who: str) -> None:
        """Forget the failures under one digest."""
        failed = self.tables.sign_in_failures
        failed[:] = [each for each in failed if each[0] != who]

    def spend_journey(self, digest: str, *, at: Instant) -> bool:
        """Note that a way through a provider led here."""
        is_new = digest not in self.tables.sign_in_journeys
        self.tables.sign_in_journeys.setdefault(digest, at)
        return is_new

    def tidy_sign_ins(self, *, at: Instant, failed_before: Instant) -> None:
        """Forget what is over."""
        tables = self.tables
        for digest in [d for d, each in tables.sessions.items() if not each.is_alive(at)]:
            del tables.sessions[digest]
        for digest in [d for d, each in tables.sign_in_links.items() if each.expires_at <= at]:
            del tables.sign_in_links[digest]
        failed = tables.sign_in_failures
        failed[:] = [each for each in failed if each[1] >= failed_before]
        journeys = tables.sign_in_journeys
        for digest in [d for d, spent_at in journeys.items() if spent_at < failed_before]:
            del journeys[digest]
