"""Rows of one table that stand below one another, and cannot let go: the deepest go first.

The law of their order lives here. Numbers do not tell it: a parent may be newer than its child,
and a chunk that takes the parent first is refused by the foreign key, today and in every later run.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from offramp.data.catalog.catalog import Reference
from offramp.data.territory import Territory, primary_key, some_row


def bound_reference(territory: Territory, name: str) -> Reference | None:
    """Find the one reference of a table to itself by which rows hold on to their parents.

    Where several do, rows may stand in rings, which have no deepest row.
    """
    bound = [
        each
        for each in territory.catalog.tables[name].references
        if each.parent == name and not territory.emptied(each)
    ]
    return bound[0] if len(bound) == 1 else None


def deepest_first(territory: Territory, name: str, reference: Reference) -> sa.Select[Any]:
    """Select the keys of covered rows, those first that have most rows above them."""
    table, rows = territory.catalog.tables[name], territory.table(name)
    top, low = territory.table(name).alias("top"), territory.table(name).alias("low")
    fields = list(dict.fromkeys((*table.key, *reference.parent_columns)))
    tree = (
        sa.select(*(top.c[field] for field in fields), sa.literal_column("0").label("depth"))
        .where(territory.belongs(name, top), sa.not_(_has_parent(territory, reference, top)))
        .cte("tree", recursive=True)
    )
    below = _named(reference, low, tree)
    deeper = (tree.c.depth + sa.literal_column("1")).label("depth")
    tree = tree.union_all(
        sa.select(*(low.c[field] for field in fields), deeper)
        .select_from(low.join(tree, sa.and_(*below)))
        .where(territory.belongs(name, low))
    )
    key = primary_key(table, rows)
    same = [rows.c[column] == tree.c[column] for column in table.key]
    # What stands in a ring is below nothing, and comes with the topmost rows.
    depth = sa.func.coalesce(tree.c.depth, sa.literal_column("0"))
    return (
        sa.select(*key)
        .select_from(rows.outerjoin(tree, sa.and_(*same)))
        .where(territory.belongs(name, rows))
        .order_by(depth.desc(), *key)
    )


def _has_parent(
    territory: Territory, reference: Reference, rows: sa.FromClause
) -> sa.ColumnElement[bool]:
    above = territory.table(reference.parent).alias("above")
    which = [*_named(reference, rows, above), territory.belongs(reference.parent, above)]
    return some_row(above, *which, seen_from=rows)


def _named(
    reference: Reference, rows: sa.FromClause, parents: sa.FromClause
) -> Sequence[sa.ColumnElement[bool]]:
    pairs = zip(reference.columns, reference.parent_columns, strict=True)
    return [rows.c[column] == parents.c[target] for column, target in pairs]
