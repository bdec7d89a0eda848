"""Remembering in the store which rows an erasure keeps, so that they can be swept when it is time.

Source: mission A11; docs/decisions/009-kept-rows.md.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from whenever import Date

from offramp.data.datamap import TableRule
from offramp.data.retention.keeping import (
    End,
    KeptRows,
    as_listed,
    end_of,
    last_date,
    open_keys,
    seal_keys,
)
from offramp.engine.context import Context
from offramp.engine.situation import require_organization
from offramp.ports import KeptPart, Offboarding

PARTS_AT_ONCE = 50

_Key = tuple[int | str, ...]


@dataclass(slots=True, kw_only=True)
class StoreKeeper:
    """Puts the keys of kept rows into the store, each once, sealed and grouped by their end."""

    context: Context
    claimed: Offboarding
    rules: Mapping[str, TableRule]
    zone: str
    _known: dict[str, dict[_Key, str | None]] = field(default_factory=dict)

    def keep(self, table: str, rows: KeptRows) -> None:
        """Remember rows of a table; one that has another date by now is remembered under that."""
        known = self._known_of(table)
        ends = dict(zip(map(as_listed, rows.keys), self._ends(table, rows), strict=True))
        moved = {key for key, end in ends.items() if known.get(key, _spell(end)) != _spell(end)}
        groups: dict[End | None, list[_Key]] = {}
        for key, end in ends.items():
            if key not in known or key in moved:
                groups.setdefault(end, []).append(key)
        if not groups:
            return
        parts = [self._part(table, end, keys) for end, keys in groups.items()]
        with self.context.store.transaction() as transaction:
            now = self.context.clock.now()
            lease_until = now.add(seconds=self.context.limits.lease_seconds)
            transaction.extend_lease(self.claimed, lease_until=lease_until)
            for part in self._without(table, moved) if moved else ():
                transaction.save_kept(part)
            transaction.keep(parts)
        known.update({key: _spell(end) for end, keys in groups.items() for key in keys})

    def ends(self, table: str) -> Mapping[str, int]:
        """Count what is remembered of a table by its last civil date."""
        with self.context.store.transaction() as transaction:
            groups = transaction.kept(self.claimed.id)
        counts: Counter[str] = Counter()
        for group in groups:
            if group.table == table:
                counts[last_date(group.ends_at, zone=self.zone)] += group.rows
        return dict(sorted(counts.items()))

    def _ends(self, table: str, rows: KeptRows) -> list[End | None]:
        return [end_of(anchor, self.rules[table], zone=self.zone) for anchor in rows.anchors]

    def _part(self, table: str, end: End | None, keys: Sequence[_Key]) -> KeptPart:
        rule = self.rules[table]
        return KeptPart(
            offboarding=self.claimed.id,
            table=table,
            basis=rule.basis or "",
            until=rule.until or "",
            counted_from=_spell(end),
            ends_at=end.ends_at if end else None,
            rows=len(keys),
            keys=seal_keys(keys, table=table, secret=self.context.keys.ledger_key()),
        )

    def _known_of(self, table: str) -> dict[_Key, str | None]:
        """Read what an attempt before has remembered already."""
        if table not in self._known:
            found = ((key, part) for part, keys in self._parts(table) for key in keys)
            self._known[table] = {key: part.counted_from for key, part in found}
        return self._known[table]

    def _parts(self, table: str) -> Iterator[tuple[KeptPart, list[_Key]]]:
        for part in parts_of(self.context, self.claimed, table=table):
            yield part, keys_of(self.context, part)

    def _without(self, table: str, moved: set[_Key]) -> Iterator[KeptPart]:
        for part, keys in list(self._parts(table)):
            if moved & set(keys):
                yield with_keys(self.context, part, [key for key in keys if key not in moved])


def keeper_of(
    context: Context, claimed: Offboarding, *, rules: Mapping[str, TableRule]
) -> StoreKeeper:
    """Remember for one claim what stays, and what an episode before it had cut off already."""
    with context.store.transaction() as transaction:
        transaction.adopt_kept(claimed)
        zone = require_organization(transaction, claimed.subject.organization).zone
    return StoreKeeper(context=context, claimed=claimed, rules=rules, zone=zone)


def parts_of(
    context: Context, claimed: Offboarding, *, table: str, is_due: bool = False
) -> Iterator[KeptPart]:
    """Read the parts of one table, a few at a time; all of them, or those whose end has come."""
    due_at = context.clock.now() if is_due else None
    after = 0
    while True:
        with context.store.transaction() as transaction:
            parts = transaction.kept_parts(
                claimed.id, after=after, table=table, due_at=due_at, limit=PARTS_AT_ONCE
            )
        if not parts:
            return
        yield from parts
        after = parts[-1].number


def keys_of(context: Context, part: KeptPart) -> list[_Key]:
    """Open the list of a part."""
    secret = context.keys.ledger_key()
    return [tuple(key) for key in open_keys(part.keys, table=part.table, secret=secret)]


def with_keys(context: Context, part: KeptPart, keys: Sequence[_Key]) -> KeptPart:
    """Give a part with other keys, sealed."""
    secret = context.keys.ledger_key()
    return replace(part, rows=len(keys), keys=seal_keys(keys, table=part.table, secret=secret))


def counted_from(part: KeptPart) -> Date | None:
    """Give the civil date that a part's end was counted from; none where a person gave it."""
    return Date.parse_iso(part.counted_from) if part.counted_from else None


def _spell(end: End | None) -> str | None:
    return end.counted_from.format_iso() if end else None
