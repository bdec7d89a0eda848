"""One transaction that deletes: of the rows of a chunk, or of all that is found of a small table.

The law of how it ends lives here: it commits once, after the fence has been made sure of, or
nothing went. Where references are looked at in sets (`erasure.set_check`) and that finds anything
amiss, the same is done again in the ordinary way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa

from offramp.data.erasure.set_check import SetCheck
from offramp.data.erasure.statements import Step
from offramp.data.erasure.worklist import Keys, keys_of
from offramp.data.sources.sql import SqlSource
from offramp.data.territory import Territory


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """How many rows went, and the keys of those that went, or were meant to.

    There are no keys of a table to which nothing refers.
    """

    rows: int
    keys: Keys


def delete_chunk(
    source: SqlSource, territory: Territory, step: Step, part: Keys, *, keep: Callable[[], None]
) -> Deleted:
    """Delete those rows of a chunk that are still meant.

    Args:
        source: where.
        territory: whose rows.
        step: which table, and how.
        part: the keys of the chunk.
        keep: makes sure of the fence right before the commit, or raises.
    """
    delete = partial(_delete_part, territory=territory, step=step, part=part)
    deleted = _delete(source, territory, step, delete, keep=keep)
    assert deleted is not None, "a chunk has no more rows than it may have"
    return deleted


def delete_whole(
    source: SqlSource, territory: Territory, step: Step, *, rows_max: int, keep: Callable[[], None]
) -> Deleted | None:
    """Delete all covered rows of a table; none where they are more than one transaction may have.

    Args:
        source: where.
        territory: whose rows.
        step: which table, and how.
        rows_max: with more of them, nothing is changed.
        keep: makes sure of the fence right before the commit, or raises.
    """
    delete = partial(_delete_found, territory=territory, step=step, rows_max=rows_max)
    return _delete(source, territory, step, delete, keep=keep)


def _delete(
    source: SqlSource,
    territory: Territory,
    step: Step,
    delete: Callable[[sa.Connection], Deleted | None],
    *,
    keep: Callable[[], None],
) -> Deleted | None:
    """Commit what is deleted: the quicker way if that finds nothing amiss, or the ordinary one."""
    for check in (None,) if step.check is None else (step.check, None):
        with source.transaction() as connection:
            for statement in check.checks.opening if check is not None else ():
                connection.execute(statement)
            deleted = delete(connection)
            if deleted is not None and _holds(connection, territory, check, deleted):
                keep()
                return deleted
            connection.rollback()
        if deleted is None:
            break
    return None


def _holds(
    connection: sa.Connection, territory: Territory, check: SetCheck | None, deleted: Deleted
) -> bool:
    """Say whether a look at references in a set, where there is one, finds nothing amiss."""
    if check is None:
        return True
    return check.holds(connection, territory.dialect.chunk_params(deleted.keys.columns))


def _delete_part(
    connection: sa.Connection, *, territory: Territory, step: Step, part: Keys
) -> Deleted:
    assert step.change is not None, "a deletion deletes"
    params = territory.dialect.chunk_params(part.columns)
    return Deleted(rows=int(connection.execute(step.change, params).rowcount), keys=part)


def _delete_found(
    connection: sa.Connection, *, territory: Territory, step: Step, rows_max: int
) -> Deleted | None:
    assert step.whole is not None, "only a table of few rows goes at once"
    result = connection.execute(step.whole.deletion)
    keys = keys_of(territory, step, result.all() if step.whole.gives_keys else ())
    rows = len(keys) if step.whole.gives_keys else int(result.rowcount)
    return Deleted(rows=rows, keys=keys) if rows <= rows_max else None
