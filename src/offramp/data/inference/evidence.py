"""What the rows decide where the catalog leaves a choice: whether ways agree, and who names whom.

The law of evidence lives here. Rows decide only when all of them were looked at, and only what
they cannot contradict:

* ways of which no two lead any row to two organizations: the one that finds most rows, and beside
  it as many more as are needed to find all that can be found;
* rows that are named by one row of an organization each, and by no second one, are a part of it;
* a table of which single rows are named by several organizations belongs to none of them.

What an empty table would say is not guessed, nor what a few rows say, or those of one organization.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from offramp.data.catalog.catalog import Catalog, Reference
from offramp.data.inference.proposal import Way
from offramp.data.inference.way import Choice

ROWS_TELLING_MIN = 10
ROOTS_TELLING_MIN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How the ways of one table do in its rows, and to how many organizations they lead.

    Shape:
        found: which of the ways lead a row somewhere -> the number of such rows.
    """

    rows: int
    roots: int
    is_complete: bool
    disagreeing: int
    found: Mapping[frozenset[int], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """How the rows of one table are named by rows of organizations."""

    rows: int
    roots: int
    is_complete: bool
    named_once: int
    named_often: int
    of_several: int


class Witness(Protocol):
    """Somebody who has seen the rows."""

    def agreement(
        self, table: str, ways: Sequence[Way], settled: Mapping[str, Choice]
    ) -> Agreement:
        """Say where each way leads the rows of a table."""

    def naming(
        self, table: str, names: Sequence[Reference], settled: Mapping[str, Choice]
    ) -> Naming:
        """Say by how many rows, and of how many organizations, each row is named."""


def settle_ways(ways: Mapping[str, Choice], witness: Witness) -> dict[str, Choice]:
    """Let the rows choose where the catalog could not, tables nearer to the root first."""
    settled = dict(ways)
    for name in sorted(ways, key=lambda name: (len(ways[name].best.hops), name)):
        choice = ways[name]
        if choice.problem is not None:
            compared = (choice.best, *choice.others)
            agreement = witness.agreement(name, compared, settled)
            settled[name] = _settled(choice, compared, agreement)
    return settled


def _settled(choice: Choice, compared: Sequence[Way], seen: Agreement) -> Choice:
    if seen.disagreeing:
        told = f"{choice.problem}; they differ in {seen.disagreeing:,} of {seen.rows:,} rows"
        return replace(choice, problem=told)
    if not seen.is_complete:
        told = f"{choice.problem}; the first {seen.rows:,} rows agree, and there are more"
        return replace(choice, problem=told)
    reachable = sum(rows for found, rows in seen.found.items() if found)
    if reachable < ROWS_TELLING_MIN or seen.roots < ROOTS_TELLING_MIN:
        told = f"{choice.problem}; {reachable:,} rows of {seen.roots:,} organizations are too few"
        return replace(choice, problem=f"{told} to tell")
    best, *more = (compared[number] for number in _cover(len(compared), seen.found))
    told = f"rows: all ways agree in all {seen.rows:,} rows"
    told += f", and these lead {reachable:,} of them to the root"
    return Choice(
        best=best,
        also=tuple(more),
        rivals=(),
        others=tuple(way for way in compared if way is not best and way not in more),
        problem=None,
        evidence=told,
    )


def _cover(ways: int, found: Mapping[frozenset[int], int]) -> Iterator[int]:
    """Choose one way that finds every row; or the best, and what finds most of the rest."""
    left = {pattern: rows for pattern, rows in found.items() if pattern}
    able = [way for way in range(ways) if all(way in pattern for pattern in left)]
    chosen = able[0] if able else 0
    while left:
        yield chosen
        left = {pattern: rows for pattern, rows in left.items() if chosen not in pattern}
        gains = [sum(rows for each, rows in left.items() if way in each) for way in range(ways)]
        chosen = gains.index(max(gains))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What rows say of a table that leads to no organization: owned by others, or of several."""

    owners: tuple[Reference, ...]
    evidence: str


def judge_naming(
    catalog: Catalog, table: str, settled: Mapping[str, Choice], root: str, witness: Witness
) -> Verdict | None:
    """Say whether rows that only organizations name are their parts, or are of several of them."""
    references = [each for each in catalog.referring_to(table) if each.table != table]
    names = [each for each in references if each.table == root or each.table in settled]
    if not names:
        return None
    seen = witness.naming(table, names, settled)
    if seen.of_several:
        told = f"rows: {seen.of_several:,} of {seen.rows:,} are named by several organizations"
        return Verdict(owners=(), evidence=told)
    is_alone = all(each in names or not each.is_optional for each in references)
    is_part = not seen.named_often and is_alone and seen.is_complete
    is_told = seen.named_once >= max(ROWS_TELLING_MIN, seen.rows // 2)
    if is_part and is_told and seen.roots >= ROOTS_TELLING_MIN:
        told = f"rows: {seen.named_once:,} of {seen.rows:,} are named by one row each, none by two"
        return Verdict(owners=tuple(names), evidence=told)
    return None
