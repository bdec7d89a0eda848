"""Erasing: what a scope covers is hashed or deleted, children first, in chunks inside a fence.

The law: nothing is changed outside of a fence. The fence is entered before every chunk's own
short transaction (or those of a few chunks at once: `erasure.lanes`) and left after its commit, and
whatever it raises stops the work there. There is no journal: rows go from the leaves to the root,
so that the way to what is left stays whole, and running again after a crash at any chunk finds the
rest. Running twice is harmless.

On PostgreSQL about seven tenths of the time of a delete are the checks of references, one for
each row and each foreign key that points at it; that is why an unindexed reference is reported by
the map check. On SQLite every chunk takes the write lock at once (``BEGIN IMMEDIATE``).

Source: docs of both databases on foreign keys; measured chunk sizes.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from offramp.data.catalog.permission import require_permitted, to_erase
from offramp.data.catalog.trigger import read_triggers
from offramp.data.check import survey_complete
from offramp.data.datamap import DataMap
from offramp.data.dialects import Columns, in_columns
from offramp.data.elsewhere import Elsewhere, require_none_left_out
from offramp.data.erasure.deletion import change_whole, delete_chunk
from offramp.data.erasure.fence import CHUNK_ROWS_MAX, CONNECTIONS, Fence, Pace, at_once
from offramp.data.erasure.horizon import Horizon
from offramp.data.erasure.lanes import Round, count_lanes, next_parts, run_round
from offramp.data.erasure.owned import hold_owned, release_owned
from offramp.data.erasure.pseudonym import pseudonymize_all
from offramp.data.erasure.set_check import plan_set_check, require_set_checks
from offramp.data.erasure.statements import (
    Purpose,
    Statement,
    Step,
    plan_guards,
    plan_steps,
)
from offramp.data.erasure.stays import allowed, in_stays
from offramp.data.erasure.tombstone import Tombstone
from offramp.data.erasure.worklist import Gone, Keys, read_kept, read_keys
from offramp.data.retention.keeping import Keeper, Tally
from offramp.data.scope import Scope
from offramp.data.sources.sql import SqlSource
from offramp.data.sources.trouble import PASSING, RowsInTheWay, SourceCrowded
from offramp.data.survey import snapshots
from offramp.data.territory import Territory

Progress = Callable[[str, int], None]
NOTHING_COUNTED: Mapping[str, int] = {}


class Retained(BaseModel):
    """Rows that stay, why, and until when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str
    rows: int
    basis: str
    until: str
    ends: Mapping[str, int] = {}  # rows by the last date of their keeping, or `undecided`


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What every worklist of one erasure is worked off with."""

    key: bytes
    fence: Fence
    pace: Pace
    keeper: Keeper
    gone: Gone | None
    expected: Mapping[str, int]
    finished: Collection[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What one chunk changed: rows of its own table, and of those that it owns."""

    rows: int
    owned: Mapping[str, int]


class ErasureResult(BaseModel):
    """What one run of an erasure did; a run that continues another one counts only its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tables: Mapping[str, int]
    emptied: Mapping[str, int]
    hashed: Mapping[str, int]
    retained: tuple[Retained, ...]
    tombstone: Tombstone


def preview(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    scope: Scope,
    *,
    elsewhere: Elsewhere | None = None,
    spared: Collection[str] = (),
) -> list[Statement]:
    """List the statements that an erasure would run, in order; only chunk keys are missing."""
    territories = _territories(datamap, sources, scope)
    require_none_left_out(datamap, elsewhere)
    beforehand = elsewhere.preview() if elsewhere is not None else []
    return beforehand + [
        _announce(source, territory, table, purpose, statement)
        for source, territory in territories
        for table, purpose, statement in _in_order(source, territory, spared)
    ]


def _in_order(
    source: SqlSource, territory: Territory, spared: Collection[str]
) -> Iterator[tuple[str, str, sa.ClauseElement]]:
    for reference, guard in plan_guards(territory, spared=spared):
        yield reference.table, Purpose.GUARD.value, guard
    with source.snapshot() as connection:
        steps = _plan(connection, territory, spared)
    for step in steps:
        for purpose, statement in _checked(source, territory, step).statements():
            yield step.table, purpose, statement


def _plan(connection: sa.Connection, territory: Territory, spared: Collection[str]) -> list[Step]:
    """Say all that is done; a table whose triggers nobody knows does not go at once."""
    with_triggers = {name for name, _ in read_triggers(connection, territory.catalog)}
    return [
        replace(step, whole=None) if step.table in with_triggers else step
        for step in plan_steps(territory, spared=spared)
    ]


def _checked(source: SqlSource, territory: Territory, step: Step) -> Step:
    """Let a step look at references in sets, where that is asked for and can be done."""
    if step.purpose is not Purpose.DELETE or step.owned:
        return step
    return replace(step, check=plan_set_check(source, territory, step.table))


def _announce(
    source: SqlSource, territory: Territory, table: str, purpose: str, statement: sa.ClauseElement
) -> Statement:
    text, params = source.compile(statement)
    return Statement(
        source=source.name,
        table=territory.id_of(table),
        purpose=purpose,
        text=text,
        params={name: value for name, value in params.items() if not name.startswith("chunk")},
    )


def erase(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    scope: Scope,
    *,
    key: bytes,
    fence: Fence,
    elapsed: Callable[[], float],
    tombstone: Tombstone,
    progress: Progress,
    keeper: Keeper | None = None,
    gone: Gone | None = None,
    chunk_rows_max: int = CHUNK_ROWS_MAX,
    connections: int = CONNECTIONS,
    pause: Callable[[float], None] = at_once,
    elsewhere: Elsewhere | None = None,
    spared: Collection[str] = (),
    expected: Mapping[str, int] = NOTHING_COUNTED,
    finished: Collection[str] = (),
) -> ErasureResult:
    """Erase what a scope covers, and report what was done.

    Args:
        datamap: it has to be complete, or nothing is changed.
        sources: every source of the map, open.
        scope: whose rows.
        key: the organization's own key for the hashes of what is kept.
        fence: entered before every chunk and left after its commit.
        elapsed: a monotonic clock in seconds, by which the size of a chunk is adapted.
        tombstone: taken before the first chunk of the first run.
        progress: told after every chunk the table and the number of its rows so far.
        keeper: told of every row that stays before it is changed; they are only counted otherwise.
        gone: told of the keys of every row that goes and that others may refer to.
        chunk_rows_max: no transaction changes more rows of its worklist than this.
        connections: so many transactions change rows at once, where the database allows it.
        pause: waits for so many seconds, before a chunk that was stopped is tried again.
        elsewhere: the sources that are no database; they go first, while rows lead to them.
        spared: tables of which nothing goes now, with all that they need (`erasure.held`).
        expected: how many rows each table had just before; one with few goes at once.
        finished: tables that an earlier run has emptied; nobody looks for rows that came since.

    Raises:
        DataMapIncomplete: the map and the live catalog differ.
        SourceLeftOut: the map names a source that is not there.
        PermissionMissing, RowsHidden, SourceReadOnly: the database does not let us; nothing was
            changed.
        RowsInTheWay: a row outside of the scope cannot exist without one inside; nothing was
            changed, unless such a row was written after the work began.
        SourceBusy, SourceTooSlow: a chunk was stopped again and again, however small it was made.
    """
    territories = _territories(datamap, sources, scope)
    require_none_left_out(datamap, elsewhere)
    plans = [(*found, _plan_permitted(*found, spared)) for found in territories]
    work = Work(
        key=key,
        fence=fence,
        pace=Pace(elapsed=elapsed, rows_max=chunk_rows_max, lanes=connections, pause=pause),
        keeper=keeper or Tally(rules=datamap.tables),
        gone=gone,
        expected=expected,
        finished=finished,
    )
    counts = _take_steps(plans, elsewhere, work, progress=progress)
    return ErasureResult(
        tables=dict(counts[Purpose.DELETE]),
        emptied=dict(+counts[Purpose.EMPTY]),
        hashed=dict(+counts[Purpose.KEEP]),
        retained=tuple(_retained(datamap, tombstone, work.keeper)),
        tombstone=tombstone,
    )


def _take_steps(
    plans: Iterable[tuple[SqlSource, Territory, Sequence[Step]]],
    elsewhere: Elsewhere | None,
    work: Work,
    *,
    progress: Progress,
) -> Mapping[Purpose, Counter[str]]:
    """Work off everything, and count what was done to whose table."""
    counts = {purpose: Counter[str]() for purpose in Purpose}
    deleted, pace = counts[Purpose.DELETE], work.pace
    for table, rows in (
        elsewhere.erase(fence=work.fence, pace=pace) if elsewhere is not None else ()
    ):
        deleted[table] += rows
        progress(table, deleted[table])
    for source, territory, steps in plans:
        with closing(Horizon(source=source, elapsed=pace.elapsed)) as horizon:
            for stay in in_stays(source, territory, steps, pace=pace, expected=work.expected):
                _take_stay(horizon, territory, stay, work, counts=counts, progress=progress)
    return counts


def _take_stay(
    horizon: Horizon,
    territory: Territory,
    steps: Sequence[Step],
    work: Work,
    *,
    counts: Mapping[Purpose, Counter[str]],
    progress: Progress,
) -> None:
    """Take steps at once, or each alone, or one in chunks; count what was done to whose table."""
    source = horizon.source
    steps = [_checked(source, territory, step) for step in steps]
    done = _take_at_once(source, territory, steps, work)
    if done is None and len(steps) > 1:
        for step in steps:
            _take_stay(horizon, territory, [step], work, counts=counts, progress=progress)
        return
    for place, step in enumerate(steps):
        table = territory.id_of(step.table)
        counted, deleted = counts[step.purpose], counts[Purpose.DELETE]
        counted[table] += 0
        for each in step.owned:
            deleted[territory.id_of(each.table)] += 0
        in_chunks = _work_off(source, territory, step, work)
        for changed in [done[place]] if done is not None else in_chunks:
            if step.purpose is not Purpose.KEEP:
                horizon.keep()
            counted[table] += changed.rows
            progress(table, counted[table])
            for name, rows in changed.owned.items():
                deleted[territory.id_of(name)] += rows


def _territories(
    datamap: DataMap, sources: Mapping[str, SqlSource], scope: Scope
) -> list[tuple[SqlSource, Territory]]:
    with ExitStack() as stack:
        connections = snapshots(stack, datamap, sources)
        found = survey_complete(datamap, sources, connections, scope)
    by_name = {territory.source: territory for territory in found}
    return [(sources[name], by_name[name]) for name in datamap.databases]


def _plan_permitted(source: SqlSource, territory: Territory, spared: Collection[str]) -> list[Step]:
    """Say all that is done; stop where we may not, or somebody else's row would have to go."""
    with source.snapshot() as connection:
        steps = _plan(connection, territory, spared)
        require_permitted(source, connection, to_erase(territory, steps))
        require_set_checks(source, connection)
        for reference, guard in plan_guards(territory, spared=spared):
            rows = connection.execute(guard).scalar_one()
            if rows:
                raise RowsInTheWay(
                    source=source.name,
                    reason=f"{rows} rows of others need rows that go, by {reference.label}",
                    hint="let the reference be NULL, or move those rows, and run it again",
                )
    return steps


def _work_off(source: SqlSource, territory: Territory, step: Step, work: Work) -> Iterator[Changed]:
    """Change the rows of one worklist round by round, and tell the number after each."""
    if step.purpose is Purpose.DELETE and territory.id_of(step.table) in work.finished:
        return
    if step.purpose is Purpose.KEEP:
        keys = read_kept(source, territory, step, work.keeper)
    else:
        keys = read_keys(source, territory, step)
    if step.change is None:
        return
    if work.gone and step.purpose is Purpose.DELETE and territory.catalog.referring_to(step.table):
        work.gone.remember(territory.id_of(step.table), keys)
    pace = work.pace
    pace.meet_table(row_cost=step.whole.cost(1) if step.whole is not None else None)
    done = 0
    while done < len(keys):
        lanes = count_lanes(source, territory, step, lanes=pace.lanes)
        parts = next_parts(keys, done, rows=pace.rows, lanes=lanes)
        try:
            outcome = _run_round(source, territory, step, parts, work)
        except PASSING as error:
            pace.stumble(error)
            continue
        yield from outcome.done
        if outcome.stopped is None:
            done += sum(map(len, parts))
        elif isinstance(outcome.stopped, SourceCrowded):
            pace.lanes = 1
        else:
            pace.stumble(outcome.stopped)


def _take_at_once(
    source: SqlSource, territory: Territory, steps: Sequence[Step], work: Work
) -> Sequence[Changed] | None:
    """Do steps of few rows in one transaction inside the fence; none if they go in chunks."""
    pace = work.pace
    size = allowed(source, territory, steps, pace=pace, expected=work.expected)
    if size is None:
        return None
    found = [_read_first(source, territory, step) for step in steps]
    try:
        with work.fence.chunk(territory.id_of(steps[0].table)) as record:
            began = pace.elapsed()
            done = change_whole(
                source, territory, steps, found, rows_max=pace.rows_max, keep=record.keep
            )
            took_seconds = pace.elapsed() - began
            pace.adapt_whole(size.rows, cost=size.cost, took_seconds=took_seconds)
            for step, each in zip(steps, done or (), strict=done is not None):
                if step.purpose is Purpose.DELETE:
                    record.record(rows=each.rows, table=territory.id_of(step.table))
    except PASSING as error:
        pace.stumble(error)
        return None
    if done is None:
        return None
    for step, each in zip(steps, done, strict=True):
        if work.gone and step.whole is not None and step.whole.needs_keys:
            work.gone.remember(territory.id_of(step.table), each.keys)
    return [Changed(rows=each.rows, owned={}) for each in done]


def _read_first(source: SqlSource, territory: Territory, step: Step) -> Keys | None:
    """Read the keys of a step's rows, unless it finds them itself."""
    assert step.whole is not None, "only what is known to be little is done at once"
    return read_keys(source, territory, step) if step.whole.change is None else None


def _run_round(
    source: SqlSource,
    territory: Territory,
    step: Step,
    parts: Sequence[Keys],
    work: Work,
) -> Round[Changed]:
    """Change some rows inside the fence, each part in one transaction."""

    pace = work.pace
    with work.fence.chunk(territory.id_of(step.table)) as record:

        def commit(part: Keys) -> Changed:
            if step.purpose is Purpose.DELETE and not step.owned:
                done = delete_chunk(source, territory, step, part, keep=record.keep)
                return Changed(rows=done.rows, owned={})
            with source.transaction() as connection:
                changed = _change(connection, territory, step, part, key=work.key)
                record.keep()
                return changed

        began = pace.elapsed()
        outcome = run_round(commit, parts)
        if outcome.stopped is None:
            pace.adapt(took_seconds=pace.elapsed() - began)
        # A row that is emptied first and deleted later goes only once.
        is_last = step.purpose is Purpose.DELETE
        record.record(rows=sum(changed.rows for changed in outcome.done) if is_last else 0)
    return outcome


def _change(
    connection: sa.Connection, territory: Territory, step: Step, part: Keys, *, key: bytes
) -> Changed:
    dialect = territory.dialect
    held = hold_owned(connection, territory, step.owned, part.columns, owner=step.table)
    params = dialect.chunk_params(part.columns)
    if step.current is not None:
        width = len(step.key_columns) + len(step.hashed)
        current = in_columns(connection.execute(step.current, params)) or ((),) * width
        params = dialect.chunk_params(_hash_columns(territory, step, current, key=key))
    assert step.change is not None, "only what changes is changed in a fence"
    rows = int(connection.execute(step.change, params).rowcount)
    return Changed(rows=rows, owned=release_owned(connection, territory, step.owned, held))


def _hash_columns(territory: Territory, step: Step, columns: Columns, *, key: bytes) -> Columns:
    """Replace the values behind the key by their pseudonyms, distinct value by distinct value."""
    first = len(step.key_columns)
    hashed = []
    for name, values in zip(step.hashed, columns[first:], strict=True):
        texts = {str(value) for value in values if value is not None}
        length = territory.catalog.tables[step.table].columns[name].length
        pseudonyms = pseudonymize_all(texts, key=key, length_max=length)
        hashed.append([None if value is None else pseudonyms[str(value)] for value in values])
    return [*columns[:first], *hashed]


def _retained(datamap: DataMap, tombstone: Tombstone, keeper: Keeper) -> Iterator[Retained]:
    for table, rule in datamap.tables.items():
        if rule.erase == "keep" and table in tombstone.tables:
            ends = keeper.ends(table)
            yield Retained(
                table=table,
                rows=max(tombstone.tables[table].rows, sum(ends.values())),
                basis=rule.basis or "",
                until=rule.until or "",
                ends=ends,
            )
