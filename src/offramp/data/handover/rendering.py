"""Rows as JSON, rendered by the database itself: one line of text for each row.

The law of exactness lives here and in the dialects: what a JSON number would lose becomes a string
(decimals, whole numbers beyond 2**53), bytes become base64, instants RFC 3339 in UTC. A timestamp
that is stored without a zone is handed over without one: to add a Z would be to claim what nobody
knows.

Source: RFC 8259, section 6; RFC 3339; JSON Schema 2020-12.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from offramp.data.catalog.catalog import CatalogColumn
from offramp.data.dialects import Dialect
from offramp.data.dialects.dialect import Expression
from offramp.data.territory import Territory, primary_key


def exported_columns(territory: Territory, name: str) -> list[CatalogColumn]:
    """List the columns of a table that are handed over, in the order of the database."""
    rule = territory.rules[name]
    columns = territory.catalog.tables[name].columns.values()
    return [column for column in columns if rule.is_exported(column.name)]


def select_json(territory: Territory, name: str) -> sa.Select[Any]:
    """Select the covered rows of a table as JSON texts, in the order of their keys."""
    rows = territory.table(name)
    objects = territory.dialect.objects(rows, exported_columns(territory, name))
    return objects.where(territory.joined(name, rows)).order_by(*_in_order(territory, name, rows))


def select_sorted_json(territory: Territory, name: str) -> sa.Select[Any]:
    """Select the same, sorted before it is rendered: the first rows are on their way sooner."""
    table, rows = territory.catalog.tables[name], territory.table(name)
    columns = exported_columns(territory, name)
    fields = dict.fromkeys((*(column.name for column in columns), *table.key))
    chosen = sa.select(*(rows.c[field] for field in fields)).where(territory.joined(name, rows))
    found = chosen.order_by(*_in_order(territory, name, rows)).subquery("found")
    return territory.dialect.objects(found, columns).order_by(*_in_order(territory, name, found))


def _in_order(territory: Territory, name: str, rows: sa.FromClause) -> list[Expression]:
    key = primary_key(territory.catalog.tables[name], rows)
    return [territory.dialect.in_byte_order(column) for column in key]


def select_texts(
    territory: Territory,
    rows: sa.FromClause,
    columns: Sequence[CatalogColumn],
    which: sa.ColumnExpressionArgument[bool],
) -> sa.Select[Any]:
    """Select chosen columns of any rows of a table, rendered as for an export, as plain text."""
    rendered = territory.dialect.objects(rows, columns).where(which)
    whole = sa.cast(rendered.selected_columns[0], sa.Text)
    return rendered.with_only_columns(whole, maintain_column_froms=True)


def row_schema(columns: Sequence[CatalogColumn], dialect: Dialect) -> dict[str, Any]:
    """Describe one row of a table in JSON Schema."""
    return {
        "type": "object",
        "properties": {column.name: dialect.value_schema(column) for column in columns},
        "required": [column.name for column in columns],
        "additionalProperties": False,
    }
