"""In which order tables are emptied: children before parents, cycles broken where they can be.

Pure: references in, order out. A reference that may be emptied is the only thing that may be cut.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from offramp.core.errors import Invalid
from offramp.data.catalog.catalog import Reference


class CycleUnbroken(Invalid):
    """The tables {tables} refer to one another, and no reference of the cycle may be emptied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureOrder:
    """Tables, children first, and the references that have to be emptied for it to hold."""

    tables: tuple[str, ...]
    cut: tuple[Reference, ...]


def order_tables(
    tables: Collection[str],
    references: Sequence[Reference],
    *,
    fixed: Collection[Reference],
    checked: Collection[Reference] = (),
) -> ErasureOrder:
    """Order tables so that no row goes before the rows that refer to it.

    Args:
        tables: what has to be ordered; references from or to other tables do not count.
        references: every foreign key; a table's reference to itself does not count.
        fixed: references along which rows are found, so that they cannot be emptied first.
        checked: references that a rule of the table may forbid to empty; cut where no other can be.

    Raises:
        CycleUnbroken: a cycle has no reference that can be emptied.
    """
    left = set(tables)
    edges = [
        reference
        for reference in references
        if reference.table != reference.parent and {reference.table, reference.parent} <= left
    ]
    # A group that names one of its many members is pointed at by less than its members are, and
    # to empty the few is less to write than to empty the many.
    pointed_at = Counter(edge.parent for edge in edges)
    edges.sort(key=lambda edge: (edge in checked, pointed_at[edge.table], edge.label))
    ordered: list[str] = []
    cut: list[Reference] = []
    while left:
        referred = {edge.parent for edge in edges}
        free = sorted(left - referred)
        if free:
            ordered.extend(free)
            left -= set(free)
            edges = [edge for edge in edges if edge.table in left]
        else:
            edge = _choose_cut(left, edges, fixed)
            cut.append(edge)
            edges.remove(edge)
    return ErasureOrder(tables=tuple(ordered), cut=tuple(cut))


def _choose_cut(
    left: Collection[str], edges: Sequence[Reference], fixed: Collection[Reference]
) -> Reference:
    looping = _on_a_cycle(left, edges)
    for edge in edges:
        if {edge.table, edge.parent} <= looping and edge.is_optional and edge not in fixed:
            return edge
    raise CycleUnbroken(
        tables=", ".join(sorted(looping)),
        hint="let one of the references between them be NULL, or lead `via` around it",
    )


def _on_a_cycle(left: Collection[str], edges: Sequence[Reference]) -> set[str]:
    """Peel tables off both ends until only cycles, and what lies between cycles, are left."""
    looping = set(left)
    while True:
        inside = [edge for edge in edges if {edge.table, edge.parent} <= looping]
        kept = {edge.table for edge in inside} & {edge.parent for edge in inside}
        if kept == looping:
            return looping
        looping = kept
