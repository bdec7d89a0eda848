"""Optional messages, and who has declined them.

Source: ``ports.Transaction``; lesson L12.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from itertools import groupby

from sqlalchemy import delete, select
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.part import Part, batches
from offramp.ports import OptionalMessage

_table, _declined = schema.optional_message, schema.declined


class OptionalPart(Part):
    """What a reader may decline."""

    def put_optional(self, messages: Sequence[OptionalMessage]) -> None:
        """Note optional messages, each once; none of a forgotten delivery."""
        self._add(_table, [asdict(each) for each in self._remembered(messages)])

    def find_optional(self, message: str) -> OptionalMessage | None:
        """Find an optional message by its id; nobody forgets it until the transaction ends."""
        chosen = select(_table).where(_table.c.message == message)
        row = self.connection.execute(chosen.with_for_update(read=True)).first()
        return None if row is None else OptionalMessage(**row._mapping)

    def decline(self, organization: str, *, member: str, at: Instant) -> bool:
        """Send a member no optional message any more, until they are forgotten."""
        return self._create(_declined, {"organization": organization, "member": member, "at": at})

    def want_again(self, organization: str, *, member: str) -> bool:
        """Send a member optional messages again; false when they had not declined."""
        mine = (_declined.c.organization == organization, _declined.c.member == member)
        return self.connection.execute(delete(_declined).where(*mine)).rowcount > 0

    def declined(self, organization: str, *, among: Collection[str]) -> frozenset[str]:
        """Name those of some members who have declined."""
        chosen = select(_declined.c.member).where(_declined.c.organization == organization)
        return frozenset(
            member
            for ids in batches(sorted(among))
            for member in self.connection.scalars(chosen.where(_declined.c.member.in_(ids)))
        )

    def _remembered(self, messages: Sequence[OptionalMessage]) -> Iterator[OptionalMessage]:
        """Give those whose deliveries are there; an erasure waits, or they are not found."""
        sent = schema.delivery
        for (offboarding, step), group in groupby(messages, lambda m: (m.offboarding, m.step)):
            for each in batches(list(group)):
                theirs = sent.c.member.in_([message.member for message in each])
                mine = (sent.c.offboarding == offboarding, sent.c.step == step)
                chosen = select(sent.c.member).where(*mine, theirs).order_by(sent.c.member)
                known = set(self.connection.scalars(chosen.with_for_update(read=True)))
                yield from (message for message in each if message.member in known)
