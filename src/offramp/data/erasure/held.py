"""Which tables wait while a data category is held, and what waits with them (S6).

The law: a held row stays exactly as it is. So whatever it refers to stays as well, up to the row of
the organization itself: the way to it must not be cut, and no reference of it is emptied. All of it
is known and named before the first row goes. Everything else goes.

A hold on a category covers what the data map says is of it, or of one below it: a table, or a table
with such a column.

Source: lesson L25; docs/decisions/015-held-categories.md.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from offramp.core.errors import Invalid
from offramp.data.category import is_within, require_categories
from offramp.data.datamap import DataMap, TableRule
from offramp.data.proof.attestation import Erasure
from offramp.data.proof.verify import Verification
from offramp.data.scope import Scope
from offramp.data.sources.sql import SqlSource
from offramp.data.survey import survey_source
from offramp.data.territory import Territory


class HoldCoversNothing(Invalid):
    """The data map has nothing of the category {category}, so that a hold would hold nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Tables that are held, each with the categories, and those that wait for one of them."""

    tables: Mapping[str, tuple[str, ...]]
    waiting: Mapping[str, str]
    elsewhere: tuple[str, ...] = ()  # sources that hold something of it, or may

    @property
    def spared(self) -> frozenset[str]:
        """Every table of which nothing goes now."""
        return frozenset({*self.tables, *self.waiting})


def require_category(datamap: DataMap | None, category: str) -> None:
    """Refuse a hold on a category that does not exist, or of which nothing is there (L16).

    Raises:
        CategoryUnknown, HoldCoversNothing: it would be believed in, and hold nothing.
    """
    require_categories((category,))
    if datamap is None or any(_is_of(rule, category) for rule in datamap.tables.values()):
        return
    if not _elsewhere(datamap, (category,)):
        raise HoldCoversNothing(category=category, hint="offramp map show lists what there is")


def plan_held(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    scope: Scope,
    *,
    categories: Collection[str],
) -> Held:
    """Say which tables of a subject wait while these categories are held."""
    tables: dict[str, tuple[str, ...]] = {}
    waiting: dict[str, str] = {}
    for name in datamap.databases:
        with sources[name].snapshot() as connection:
            territory = survey_source(datamap, sources[name], connection, scope)
        held = {
            table: of
            for table in sorted(territory.covered)
            if (of := _categories_of(territory.rules[table], categories))
        }
        tables |= {territory.id_of(table): of for table, of in held.items()}
        waiting |= dict(_waiting(territory, held))
    return Held(tables=tables, waiting=waiting, elsewhere=_elsewhere(datamap, categories))


def without_held(verification: Verification, spared: Collection[str]) -> Verification:
    """Judge only what went: what is held is still there, and still names the subject."""

    def counted(found: Mapping[str, int]) -> dict[str, int]:
        return {table: rows for table, rows in found.items() if table not in spared}

    residue = {
        column: hits
        for column, hits in verification.residue.items()
        if column.rpartition(".")[0] not in spared
    }
    return verification.model_copy(
        update={"counts": counted(verification.counts), "residue": residue}
    )


def attest_part(
    scope: Scope, held: Held, *, facts: Mapping[str, Any], erasure: Erasure
) -> dict[str, Any]:
    """Write down what is gone while the rest is held, and what is held."""
    said = erasure.model_dump(mode="json")
    return {
        "certificate": "erasure in part",
        **facts,
        "organization": scope.organization,
        "member": scope.member,
        "product": scope.product,
        "key_destroyed": False,
        "held": {table: list(categories) for table, categories in held.tables.items()},
        "waiting": dict(held.waiting),
        "waiting_elsewhere": list(held.elsewhere),
        **said,
        "not_verified": ["Tables that are held, or that wait for what is held."],
    }


def _elsewhere(datamap: DataMap, categories: Collection[str]) -> tuple[str, ...]:
    """Name the sources that are of a held category, or of none that anybody has said."""
    said = {name: getattr(spec, "category", None) for name, spec in datamap.elsewhere.items()}
    return tuple(name for name, of in said.items() if of is None or _meets(of, categories))


def _meets(category: str, categories: Collection[str]) -> bool:
    """Say whether what is of a category may be of one of others: within it, or around it."""
    return is_within(category, categories) or any(
        is_within(each, (category,)) for each in categories
    )


def _categories_of(rule: TableRule, categories: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(each for each in categories if _is_of(rule, each)))


def _is_of(rule: TableRule, category: str) -> bool:
    named = [rule.category, *(column.category for column in rule.columns.values())]
    return any(is_within(each, (category,)) for each in named)


def _waiting(territory: Territory, held: Collection[str]) -> Iterator[tuple[str, str]]:
    """Follow every reference of what is held, and of what waits for it; owners wait as well."""
    reached = {name: name for name in held}
    frontier = list(held)
    while frontier:
        name = frontier.pop()
        needed = {reference.parent for reference in territory.catalog.tables[name].references}
        needed |= {reference.table for reference in territory.owners(name)}
        for other in sorted(needed & territory.covered - reached.keys()):
            reached[other] = reached[name]
            frontier.append(other)
            yield territory.id_of(other), territory.id_of(reached[name])
