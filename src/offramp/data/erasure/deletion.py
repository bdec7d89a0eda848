"""One transaction that deletes: of the rows of a chunk, or of all that is found of small tables.

The law of how it ends lives here: it commits once, after the fence has been made sure of, or
nothing went. Where references are looked at in sets (`erasure.set_check`) and that finds anything
amiss, the same is done again in the ordinary way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa

from offramp.data.erasure.set_check import SetCheck
from offramp.data.erasure.statements import Step
from offramp.data.erasure.worklist import Keys, keys_of
from offramp.data.sources.sql import SqlSource
from offramp.data.territory import Territory


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How many rows one step changed, and the keys of those that went, or were meant to.

    There may be no keys of a table to which nothing refers.
    """

    rows: int
    keys: Keys


def delete_chunk(
    source: SqlSource, territory: Territory, step: Step, part: Keys, *, keep: Callable[[], None]
) -> Done:
    """Delete those rows of a chunk that are still meant.

    Args:
        source: where.
        territory: whose rows.
        step: which table, and how.
        part: the keys of the chunk.
        keep: makes sure of the fence right before the commit, or raises.
    """
    delete = partial(_change_all, territory=territory, known=[(step, part)], rows_max=len(part))
    done = _commit(source, territory, step.check, delete, keep=keep)
    assert done is not None, "a chunk has no more rows than it may have"
    return done[0]


def change_whole(
    source: SqlSource,
    territory: Territory,
    steps: Sequence[Step],
    found: Sequence[Keys | None],
    *,
    rows_max: int,
    keep: Callable[[], None],
) -> Sequence[Done] | None:
    """Do some steps, each to all of its rows; none where those are too many in all.

    Args:
        source: where.
        territory: whose rows.
        steps: all of them may be done at once; one that looks at references in sets is alone.
        found: the keys of each step's rows; none of one that finds them itself.
        rows_max: with more rows, nothing is changed.
        keep: makes sure of the fence right before the commit, or raises.
    """
    if sum(len(keys) for keys in found if keys is not None) > rows_max:
        return None
    known = list(zip(steps, found, strict=True))
    change = partial(_change_all, territory=territory, known=known, rows_max=rows_max)
    return _commit(source, territory, steps[0].check, change, keep=keep)


def _commit(
    source: SqlSource,
    territory: Territory,
    check: SetCheck | None,
    change: Callable[[sa.Connection], Sequence[Done] | None],
    *,
    keep: Callable[[], None],
) -> Sequence[Done] | None:
    """Commit what is changed: the quicker way if that finds nothing amiss, or the ordinary one."""
    for quicker in (None,) if check is None else (check, None):
        with source.transaction() as connection:
            for statement in quicker.checks.opening if quicker is not None else ():
                connection.execute(statement)
            done = change(connection)
            if done is not None and _holds(connection, territory, quicker, done):
                keep()
                return done
            connection.rollback()
        if done is None:
            break
    return None


def _holds(
    connection: sa.Connection, territory: Territory, check: SetCheck | None, done: Sequence[Done]
) -> bool:
    """Say whether a look at references in a set, where there is one, finds nothing amiss."""
    if check is None:
        return True
    bind = territory.dialect.chunk_params
    return all(check.holds(connection, bind(each.keys.columns)) for each in done)


def _change_all(
    connection: sa.Connection,
    *,
    territory: Territory,
    known: Sequence[tuple[Step, Keys | None]],
    rows_max: int,
) -> Sequence[Done] | None:
    """Take the steps one after the other, as long as there is room for what each one found."""
    done: list[Done] = []
    for step, keys in known:
        if keys is None:
            done.append(_change_found(connection, territory, step))
        elif len(keys):
            done.append(_change_known(connection, territory, step, keys))
        else:
            done.append(Done(rows=0, keys=keys))
        if sum(each.rows for each in done) > rows_max:
            return None
    return done


def _change_known(connection: sa.Connection, territory: Territory, step: Step, keys: Keys) -> Done:
    assert step.change is not None, "what is deleted or emptied is changed"
    params = territory.dialect.chunk_params(keys.columns)
    return Done(rows=int(connection.execute(step.change, params).rowcount), keys=keys)


def _change_found(connection: sa.Connection, territory: Territory, step: Step) -> Done:
    whole = step.whole
    assert whole is not None, "only what is known to be little is done at once"
    assert whole.change is not None, "it finds its rows itself"
    result = connection.execute(whole.change)
    keys = keys_of(territory, step, result.all() if whole.needs_keys else ())
    return Done(rows=len(keys) if whole.needs_keys else int(result.rowcount), keys=keys)
