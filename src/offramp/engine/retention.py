"""Kept rows whose own time is over go: swept in fenced chunks, verified, certified, on record.

What is still there afterwards stays on the list with its reason: what rows that stay refer to is
looked at every day, what has another date by now waits for a person.

Source: mission A11; docs/decisions/009-kept-rows.md; lessons L18, L19, L25, L28.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from whenever import Instant

from offramp.core.event_kind import EventKind
from offramp.core.ledger import Detail, Event
from offramp.data.erasure.fence import Pace
from offramp.data.proof.certificate import sign_certificate
from offramp.data.retention.keeping import as_listed
from offramp.data.retention.sweep import Left, Overdue, Retention
from offramp.data.scope import Scope
from offramp.engine.announcement import announce
from offramp.engine.archive import proof_name
from offramp.engine.context import Context, Data
from offramp.engine.fence import EngineFence
from offramp.engine.keeper import counted_from, keys_of, parts_of, with_keys
from offramp.ports import KeptPart, Offboarding, OutboxEvent, Transaction

NEEDED = "rows that stay refer to them"
CHANGED = "their date was changed, and a person has to decide"
UNKNOWN = "the data map does not know their table any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What became of one part of the list."""

    part: KeptPart
    gone: int = 0
    owned: int = 0  # belong to somebody again, and are on no list any more
    left: tuple[KeptPart, ...] = ()  # what is to be written about what is still there

    @property
    def is_news(self) -> bool:
        """Whether anything is different from the last time."""
        return self.gone + self.owned > 0 or self.left != (self.part,)


def has_due(transaction: Transaction, completed: Offboarding, *, now: Instant) -> bool:
    """Say whether the keeping of any rows has ended."""
    ends = (group.ends_at for group in transaction.kept(completed.id))
    return any(end is not None and end <= now for end in ends)


def sweep_due(
    context: Context,
    data: Data,
    claimed: Offboarding,
    scope: Scope,
    *,
    judge: Callable[[Transaction], None],
) -> int:
    """Delete the kept rows of one off-boarding whose end has come, and return how many are gone.

    Raises:
        DataMapIncomplete: the map and the database differ; nothing is swept by it.
        GuardNotMet: somebody holds or pauses; what is swept already is swept.
    """
    retention = Retention.of(data.datamap, data.sources, scope)
    fence = EngineFence.around(context, claimed, judge=judge)
    pace = Pace(elapsed=context.elapsed, rows_max=context.limits.chunk_rows_max)
    swept = [
        _sweep_part(context, retention, part, fence=fence, pace=pace)
        for table in retention.order(_tables_due(context, claimed))
        for part in parts_of(context, claimed, table=table, is_due=True)
    ]
    context.probe("kept rows gone")
    _record(context, claimed, [each for each in swept if each.is_news])
    return sum(each.gone for each in swept)


def preview_due(
    context: Context, data: Data, completed: Offboarding, scope: Scope
) -> tuple[str, ...]:
    """List the statements that `sweep_due` would run, in order (L27)."""
    retention = Retention.of(data.datamap, data.sources, scope)
    texts = (
        retention.statement(table, counted_from=counted_from(part))
        for table in retention.order(_tables_due(context, completed))
        if retention.is_known(table)
        for part in parts_of(context, completed, table=table, is_due=True)
    )
    return tuple(dict.fromkeys(f"{text};" for text in texts))


def _tables_due(context: Context, claimed: Offboarding) -> set[str]:
    now = context.clock.now()
    with context.store.transaction() as transaction:
        groups = transaction.kept(claimed.id)
    return {group.table for group in groups if group.ends_at is not None and group.ends_at <= now}


def _sweep_part(
    context: Context, retention: Retention, part: KeptPart, *, fence: EngineFence, pace: Pace
) -> Swept:
    if not retention.is_known(part.table):
        return Swept(part=part, left=(replace(part, ends_at=None, reason=UNKNOWN),))
    overdue = Overdue(
        table=part.table, keys=keys_of(context, part), counted_from=counted_from(part)
    )
    left = retention.sweep(overdue, fence=fence, pace=pace)
    still_there = len(left.needed) + len(left.changed) + len(left.owned)
    return Swept(
        part=part,
        gone=part.rows - still_there,
        owned=len(left.owned),
        left=tuple(_still_listed(context, part, left)),
    )


def _still_listed(context: Context, part: KeptPart, left: Left) -> Iterator[KeptPart]:
    if len(left.needed) == part.rows and part.reason == NEEDED:
        yield part
        return
    if left.needed:
        keys = [as_listed(key) for key in left.needed]
        yield replace(with_keys(context, part, keys), reason=NEEDED)
    if left.changed:
        keys = [as_listed(key) for key in left.changed]
        yield replace(with_keys(context, part, keys), reason=CHANGED, ends_at=None)


def _record(context: Context, claimed: Offboarding, swept: list[Swept]) -> None:
    """Write the supplement first, then everything else about it in one transaction."""
    if not swept:
        return
    now = context.clock.now()
    certificate = _certify(context, claimed, swept, now=now)
    detail: dict[str, Detail] = {
        "rows": sum(each.gone for each in swept),
        "owned": sum(each.owned for each in swept),
        "left": sum(part.rows for each in swept for part in each.left),
        "certificate": certificate,
    }
    event = Event(
        kind="retention-swept",
        at=now,
        offboarding=claimed.id,
        episode=claimed.episode,
        detail=detail,
    )
    with context.store.transaction() as transaction:
        for each in swept:
            transaction.save_kept(replace(each.part, rows=0))
            transaction.keep(each.left)
        transaction.append([event])
        transaction.put_events([_told(claimed, detail, at=now)])
        context.probe("retention recorded")


def _told(claimed: Offboarding, detail: Mapping[str, Detail], *, at: Instant) -> OutboxEvent:
    kind = EventKind.RETENTION_WAITING if detail["left"] else EventKind.RETENTION_SWEPT
    return announce(claimed, kind, key=claimed.attempt, at=at, detail=detail)


def _certify(
    context: Context, claimed: Offboarding, swept: list[Swept], *, now: Instant
) -> str | None:
    """Sign what is gone and what is still there; none where nothing is gone."""
    gone: Counter[str] = Counter()
    for each in swept:
        gone[each.part.table] += each.gone
    if not +gone:
        return None
    name = proof_name(claimed.id, f"retention-{claimed.attempt}")
    content = {
        "certificate": "retention",
        "supplements": proof_name(claimed.id, "certificate"),
        "offramp": context.version,
        "offboarding": claimed.id,
        "episode": claimed.episode,
        "issued_at": now.format_iso(),
        "tables": dict(+gone),
        "kept": [_line(each.part) for each in swept if each.gone],
        "left": [_line(part) for each in swept for part in each.left],
        "owned_again": sum(each.owned for each in swept),
        "verified": "counted by key in a fresh transaction after the last chunk",
    }
    with context.vault.write(name) as sink:
        sink.write(sign_certificate(content, private_key=context.keys.signing_key()))
    return name


def _line(part: KeptPart) -> dict[str, str | int | None]:
    return {
        "table": part.table,
        "rows": part.rows,
        "basis": part.basis,
        "until": part.until,
        "ended_at": part.ends_at.format_iso() if part.ends_at else None,
        "reason": part.reason,
    }
