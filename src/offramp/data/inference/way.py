"""Which way leads from the rows of each table to the root, and where that cannot be known.

The law of choosing lives here:

* a way that every row certainly goes (no reference may be empty) comes before one that a row may
  leave, a short one before a long one;
* a reference to the root itself that is never empty says whose a row is; no other way contradicts;
* where two ways go on alike, only what comes before is compared;
* two ways that meet in the same row, named by the same columns, cannot disagree;
* what the root itself hangs on is above it, and no detour over a reference that may be empty
  makes it a part;
* whatever else could disagree is not chosen but reported, with every way.

Source: design of the data map; L15.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from offramp.data.catalog.catalog import Catalog, Reference
from offramp.data.inference.proposal import Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The best way of one table, the ways that could contradict it, and all others.

    `also` are further ways that rows need beside the best; `evidence` says what the rows told.
    """

    best: Way
    rivals: tuple[Way, ...]
    others: tuple[Way, ...]
    problem: str | None
    also: tuple[Way, ...] = ()
    evidence: str | None = None

    @property
    def chosen(self) -> tuple[Way, ...]:
        """Every way along which rows are found."""
        return (self.best, *self.also)


def choose_ways(
    catalog: Catalog, *, root: str, parts: Mapping[str, Reference] | None = None
) -> Mapping[str, Choice]:
    """Choose a way for every table that leads to the root table at all.

    Args:
        catalog: what the database declares.
        root: the table of the organizations.
        parts: tables whose rows are owned the other way round -> the reference that names them;
            what refers to such rows leads to the root over them.
    """
    parts = parts or {}
    nearest = _nearest(catalog, root, parts)
    return {
        name: _choose(_ways(catalog, name, nearest))
        for name in catalog.tables
        if name in nearest and name not in parts
    }


def follow(ways: Mapping[str, Choice], name: str) -> tuple[str, ...]:
    """List the tables that the chosen way of a table passes, itself first."""
    return (name, *(hop.parent for hop in ways[name].best.hops)) if name in ways else (name,)


def _nearest(catalog: Catalog, root: str, parts: Mapping[str, Reference]) -> dict[str, Way]:
    """Find the best way of every table; each pass may find a better one, until none does."""
    found: dict[str, Way] = {}
    above = _above(catalog, root)
    changed = True
    while changed:
        changed = False
        for name, owner in parts.items():
            if owner.table in found and name not in found:
                found[name] = Way(hops=(owner, *found[owner.table].hops))
                changed = True
        for name in sorted(set(catalog.tables) - {root} - set(parts)):
            best = min(_ways_over(catalog, name, found, root), key=_rank, default=None)
            if best is None or (name in above and _is_detour(best)):
                continue
            if name not in found or _rank(best) < _rank(found[name]):
                found[name] = best
                changed = True
    return found


def _above(catalog: Catalog, root: str) -> set[str]:
    """Find everything that the root refers to, over however many references."""
    found: set[str] = set()
    left = [root]
    while left:
        parents = {each.parent for each in catalog.tables[left.pop()].references}
        new = (parents & set(catalog.tables)) - found - {root}
        found |= new
        left += new
    return found


def _is_detour(way: Way) -> bool:
    return len(way.hops) > 1 and way.first.is_optional


def _ways(catalog: Catalog, name: str, nearest: Mapping[str, Way]) -> list[Way]:
    root = nearest[name].hops[-1].parent
    return sorted(_ways_over(catalog, name, nearest, root), key=_rank)


def _ways_over(catalog: Catalog, name: str, nearest: Mapping[str, Way], root: str) -> Iterator[Way]:
    """Give one way for each reference of a table whose parent is known to lead to the root."""
    for reference in catalog.tables[name].references:
        rest = () if reference.parent == root else _rest(nearest, reference)
        if rest is not None and not any(hop.table == name for hop in rest):
            yield Way(hops=(reference, *rest))


def _rest(nearest: Mapping[str, Way], reference: Reference) -> tuple[Reference, ...] | None:
    way = nearest.get(reference.parent)
    return way.hops if way else None


def _rank(way: Way) -> tuple[tuple[int, int], bool, str]:
    return way.cost, way.first.declared, way.label


def _choose(ways: list[Way]) -> Choice:
    best, *rest = ways
    others = tuple(way for way in rest if not _agree(best, way))
    tenants = tuple(way for way in others if len(way.hops) == 1)
    required = tuple(way for way in others if _goes_surely(way, best))
    rivals: tuple[Way, ...] = ()
    problem: str | None = None
    if len(best.hops) == 1 and tenants:
        problem, rivals = "names the root more than once", tenants
    elif any(not _goes_surely(best, way) for way in others):
        problem, rivals = "leads to the root on several ways, and each may be empty", others
    elif len(best.hops) > 1 and required:
        problem, rivals = "leads to the root on several ways that may disagree", required
    return Choice(best=best, rivals=rivals, others=others, problem=problem)


def _goes_surely(way: Way, other: Way) -> bool:
    """Say whether no reference may be empty up to where two ways go on alike."""
    own = [hop for hop in way.hops if hop not in other.hops]
    return not any(hop.is_optional for hop in own)


def _agree(one: Way, other: Way) -> bool:
    """Say whether two ways pass through the same row, because the same columns name it."""
    return bool(set(_rows_named(one)) & set(_rows_named(other)))


def _rows_named(way: Way) -> Iterator[tuple[str, frozenset[tuple[str, str]]]]:
    """Give the rows on a way that the columns of its table name themselves: (table, key)."""
    known = {column: column for column in way.first.columns}
    for hop in way.hops:
        if not set(hop.columns) <= set(known):
            return
        pairs = zip(hop.columns, hop.parent_columns, strict=True)
        known = {above: known[below] for below, above in pairs}
        yield hop.parent, frozenset(known.items())
