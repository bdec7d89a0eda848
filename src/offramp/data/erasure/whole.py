"""Tables of few rows: all of them go at once, and several such tables in one transaction.

The law: the same rows go as in chunks, inside the same fence, and never more in one transaction
than a chunk may have. How many there are is known from the tombstone, which may be out of date:
what took more is taken back, and goes in chunks. So it does where rows would have to be searched
for, or where one of them may cost more than a few looks at an index.

Source: docs/decisions/042-few-rows-at-once.md.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from offramp.data.catalog.catalog import Reference
from offramp.data.territory import Territory, primary_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What is done to all rows of a table that are meant, at once.

    Attributes:
        change: it finds its rows itself, and gives the keys of what went where other rows may
            refer to it; none where keys are read first, because the database would hold every row
            at which it looks.
        counted: the table by whose rows it is known to be little.
        looks: how often the database looks for rows that refer to one that goes.
    """

    change: sa.UpdateBase | None
    counted: str
    looks: int = 0

    @property
    def needs_keys(self) -> bool:
        """Say whether other rows may refer to those that go."""
        return self.looks > 0

    def cost(self, rows: int) -> int:
        """Count the rows, and the looks at what may refer to them."""
        return rows * (1 + self.looks)


def plan_whole(territory: Territory, name: str, deletion: sa.Delete) -> Whole | None:
    """Say how a table goes at once, by a deletion that would find its rows; none if in chunks."""
    table = territory.catalog.tables[name]
    pointing = territory.catalog.referring_to(name)
    is_quick = all(each.indexed for each in pointing) and _is_looked_up(territory, name, ())
    # A row of one's own table may have to go before another one, or take it along.
    is_in_any_order = all(
        each.on_delete == "NO ACTION" and territory.emptied(each)
        for each in pointing
        if each.table == name
    )
    if not (is_quick and is_in_any_order):
        return None
    with_keys = deletion.returning(*primary_key(table, deletion.table))
    change = with_keys if pointing else deletion
    return _whole(territory, change, counted=name, looks=len(pointing))


def plan_whole_emptying(
    territory: Territory, reference: Reference, update: sa.Update
) -> Whole | None:
    """Say how a reference to rows that go is emptied at once: with one look for each of those."""
    parent = reference.parent
    is_quick = reference.indexed and _is_looked_up(territory, parent, ())
    return _whole(territory, update, counted=parent) if is_quick else None


def _whole(territory: Territory, change: sa.UpdateBase, *, counted: str, looks: int = 0) -> Whole:
    return Whole(
        change=change if territory.dialect.chooses_as_it_deletes else None,
        counted=territory.id_of(counted),
        looks=looks,
    )


def _is_looked_up(territory: Territory, name: str, passed: tuple[str, ...]) -> bool:
    """Say whether rows are found by an index at every hop of all their ways."""
    return name not in passed and all(
        way.indexed and _is_looked_up(territory, way.parent, (*passed, name))
        for way in territory.branches(name)
    )
