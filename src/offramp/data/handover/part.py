"""A part of what a scope covers: the tables of content alone, or the columns of some categories.

A part is marked in its manifest. One of whole tables can be read in again; one of single columns
cannot, and neither is ever taken for what was handed over before a deletion.

Source: GDPR Art. 15, 20; docs/data-engine.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from offramp.core.errors import Invalid
from offramp.data.category import is_within, require_categories
from offramp.data.datamap import ColumnRule, DataMap, TableRule
from offramp.data.territory import Territory


class CategoryUnused(Invalid):
    """No column of the data map that is handed over holds {categories}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What of a scope is asked for; the whole, unless something is said."""

    content_only: bool = False  # the tables that the map calls content
    categories: tuple[str, ...] = ()  # columns of these data categories, and of those below

    def __post_init__(self) -> None:
        """Refuse a category that does not exist."""
        require_categories(self.categories)

    def narrow(self, territory: Territory) -> Territory:
        """Withhold the columns that are not asked for; whose rows are meant stays as it is."""
        if not self.categories:
            return territory
        rules = {
            name: self._narrow_rule(rule, list(territory.catalog.tables[name].columns))
            for name, rule in territory.rules.items()
        }
        return replace(territory, rules=rules)

    def names(self, datamap: DataMap, table: str) -> bool:
        """Say whether rows of a table are asked for at all."""
        return not self.content_only or table in datamap.content

    def require_tables(self, tables: Sequence[str]) -> None:
        """Refuse an empty answer that only looks as if there were no rows (L16).

        Raises:
            CategoryUnused: no column that is handed over has one of the categories.
        """
        if self.categories and not tables:
            raise CategoryUnused(
                categories=", ".join(self.categories), hint="offramp map show lists the categories"
            )

    def _narrow_rule(self, rule: TableRule, columns: Sequence[str]) -> TableRule:
        narrowed = dict(rule.columns)
        for column in columns:
            own = rule.columns.get(column, ColumnRule())
            if not is_within(own.category or rule.category, self.categories):
                narrowed[column] = own.model_copy(update={"export": "never"})
        return rule.model_copy(update={"columns": narrowed})


WHOLE = Part()
