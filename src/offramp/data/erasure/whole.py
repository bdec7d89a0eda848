"""Tables of few rows: one statement finds and deletes them, and no list of keys travels.

The law: the same rows go as in chunks, inside the same fence, and never more in one transaction
than a chunk may have. How many there are is known from the tombstone, which may be out of date: a
statement that took more is taken back, and the table goes in chunks. So it does where rows would
have to be searched for, or where one of them may cost more than a few looks at an index.

Source: docs/decisions/042-few-rows-at-once.md.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from offramp.data.territory import Territory, primary_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """The deletion of all covered rows of a table at once.

    Attributes:
        deletion: it gives the keys of what went where other rows may refer to it.
        looks: how often the database looks for rows that refer to one row.
    """

    deletion: sa.UpdateBase
    looks: int

    @property
    def gives_keys(self) -> bool:
        """Say whether the deletion gives the keys of what went."""
        return self.looks > 0

    def cost(self, rows: int) -> int:
        """Count the rows, and the looks at what may refer to them."""
        return rows * (1 + self.looks)


def plan_whole(territory: Territory, name: str, deletion: sa.Delete) -> Whole | None:
    """Say how a table goes at once, by a deletion that finds its rows; none if in chunks only."""
    table = territory.catalog.tables[name]
    pointing = territory.catalog.referring_to(name)
    is_quick = all(each.indexed for each in pointing) and _is_looked_up(territory, name, ())
    # A row of one's own table may have to go before another one, or take it along.
    is_in_any_order = all(
        each.on_delete == "NO ACTION" and territory.emptied(each)
        for each in pointing
        if each.table == name
    )
    if not (is_quick and is_in_any_order and territory.dialect.chooses_as_it_deletes):
        return None
    with_keys = deletion.returning(*primary_key(table, deletion.table))
    return Whole(deletion=with_keys if pointing else deletion, looks=len(pointing))


def _is_looked_up(territory: Territory, name: str, passed: tuple[str, ...]) -> bool:
    """Say whether rows are found by an index at every hop of all their ways."""
    return name not in passed and all(
        way.indexed and _is_looked_up(territory, way.parent, (*passed, name))
        for way in territory.branches(name)
    )
