"""Which rows are meant: the rows of one source that a scope covers, as predicates.

The law of belonging lives here, and nowhere else:

* of an **organization** are the rows that `via`, or one of `also`, leads to its key, hop by hop;
* a row that is **owned** belongs where the rows that name it belong, and goes with their last;
* of a **member** are the rows that lead to the member's row (inside the organization) along `via`
  or along any reference that cannot be empty: what cannot exist without the member goes as well;
* a **product** narrows either to the tables that carry it.

Pure: expressions are built, nothing is read.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from offramp.core.errors import Invalid
from offramp.data.catalog.catalog import Catalog, CatalogTable, Reference
from offramp.data.datamap import SqlSourceSpec, TableRule, split_column
from offramp.data.dialects import Dialect
from offramp.data.scope import Scope

Predicate = sa.ColumnElement[bool]
# Nineteen digits can be more than 64 bits hold, eighteen cannot.
_DIGITS_MAX = 18
MEMBERS = "members"  # what the keys of several members are bound to


class ScopeMismatch(Invalid):
    """The key of the {part} cannot be a value of {column}, which holds {expected}."""


class MemberUndeclared(Invalid):
    """The source {source} does not say which column is the key of a member."""


@dataclass(frozen=True, kw_only=True)
class Territory:
    """The rows of one source that a scope covers."""

    source: str
    spec: SqlSourceSpec
    rules: Mapping[str, TableRule]
    catalog: Catalog
    scope: Scope
    dialect: Dialect
    asks_each: bool = False

    def id_of(self, table: str) -> str:
        """Return the table's name in the map."""
        return f"{self.source}.{table}"

    def table(self, name: str) -> sa.TableClause:
        """Return a table as the dialect will quote it, with its columns."""
        table = self.catalog.tables[name]
        columns = table.columns.values()
        return sa.table(
            table.own_name,
            *(sa.column(column.name, self.dialect.binding_type(column.type)) for column in columns),
            schema=table.schema or self.spec.schema_name,
        )

    @cached_property
    def covered(self) -> frozenset[str]:
        """Name the tables whose rows the scope covers."""
        names = self._of_member if self.scope.member is not None else self._of_organization
        product = self.scope.product
        return frozenset(
            name for name in names if product is None or self.rules[name].product == product
        )

    def belongs(self, name: str, table: sa.FromClause) -> Predicate:
        """Return what is true of exactly those rows of a table that the scope covers."""
        if self.scope.member is None:
            return self._of_root(name, table, 1)
        return self._of_person(name, table, (name,))

    def joined(self, name: str, table: sa.FromClause) -> Predicate:
        """Return what is true of the same rows as `belongs`, for the WHERE of a statement on them.

        Parents are joined where each row has one at most: a database finds more rows sooner in
        that way than by a list of keys, which it makes unique before it follows any.
        """
        joined = self._joined(name, table, 1) if self.scope.member is None else None
        return self.belongs(name, table) if joined is None else sa.and_(*joined)

    @cached_property
    def again(self) -> "Territory":
        """The same rows, in words for asking it once more of a few that were found before."""
        return replace(self, asks_each=True) if self.dialect.asks_each else self

    @property
    def anchor(self) -> tuple[str, str, sa.BindParameter[Any]]:
        """Return the table, the column and the key of the subject itself."""
        if self.scope.member is None:
            part, local = "organization", self.spec.root
        else:
            part, local = "member", f"{self._member_table}.{self._member_key}"
        table, column = split_column(local)
        return table, column, self._key(part, table, column)

    def via(self, name: str) -> Reference | None:
        """Return the reference that leads a table's rows towards the root."""
        rule, table = self.rules.get(name), self.catalog.tables.get(name)
        return table.reference(rule.via) if rule and rule.via and table else None

    def ways(self, name: str) -> tuple[Reference, ...]:
        """Return every reference that leads a table's rows towards the root, `via` first."""
        rule, table = self.rules.get(name), self.catalog.tables.get(name)
        if rule is None or table is None:
            return ()
        found = (table.reference(columns) for columns in rule.ways)
        return tuple(reference for reference in found if reference is not None)

    def way_to(self, name: str, goal: str) -> tuple[Reference, ...] | None:
        """Follow `via` until a table, or take a reference that leads there directly."""
        if name == goal:
            return ()
        references = self.catalog.tables[name].references
        direct = (each for each in references if each.parent == goal)
        hop = next(direct, None) or self.via(name)
        if hop is None or hop.parent == name:
            return None
        rest = self.way_to(hop.parent, goal)
        return None if rest is None else (hop, *rest)

    def onward(self, name: str) -> str | None:
        """Name the next table on a table's first way to the root."""
        found = [way.parent for way in self.ways(name)]
        found += [owner.table for owner in self.owners(name)]
        return found[0] if found else None

    def owners(self, name: str) -> tuple[Reference, ...]:
        """Return the references by which rows of other tables own the rows of this one."""
        rule = self.rules.get(name)
        if rule is None or not rule.owned_by:
            return ()
        return tuple(
            reference
            for reference in self.catalog.referring_to(name)
            if reference.label in rule.owned_by and reference.table != name
        )

    def owned(self, name: str) -> tuple[Reference, ...]:
        """Return the references by which the rows of this table own covered rows of others."""
        return tuple(
            reference
            for reference in self.catalog.tables[name].references
            if reference.parent in self.covered and reference in self.owners(reference.parent)
        )

    def branches(self, name: str) -> tuple[Reference, ...]:
        """List the references along which a covered table's rows are found."""
        ways = self.ways(name)
        if self.scope.member is None:
            return ways
        return tuple(
            reference
            for reference in self.catalog.tables[name].references
            if reference.parent in self._of_member
            and reference.parent != name
            and (reference in ways or not self.emptied(reference))
        )

    def emptied(self, reference: Reference) -> tuple[str, ...]:
        """List the columns that empty a reference without cutting the way to the root."""
        is_bound = reference.table == reference.parent and self.is_checked(reference)
        if is_bound or reference in self.owners(reference.parent):
            return ()
        rule = self.rules.get(reference.table)
        kept = rule.way_columns if rule else ()
        return tuple(column for column in reference.emptied if column not in kept)

    def is_checked(self, reference: Reference) -> bool:
        """Say whether a check of the table may forbid that a row lets go of another one."""
        columns = self.catalog.tables[reference.table].columns
        return any(columns[name].is_checked for name in reference.columns)

    def is_reached(self, name: str) -> bool:
        """Say whether a table leads to the root hop by hop."""
        return name in self._of_organization

    @cached_property
    def _of_organization(self) -> frozenset[str]:
        return frozenset(name for name in self.rules if self._leads_to_root(name, ()))

    def _leads_to_root(self, name: str, passed: tuple[str, ...]) -> bool:
        """Say whether every way of a table leads to the root, and it has one."""
        if name == self.spec.root_table:
            return True
        onward = [way.parent for way in self.ways(name)]
        onward += [owner.table for owner in self.owners(name)]
        if not onward or name in passed:
            return False
        return all(self._leads_to_root(each, (*passed, name)) for each in onward)

    @cached_property
    def _member_table(self) -> str:
        if self.spec.member is None:
            raise MemberUndeclared(source=self.source, hint="add `member: users.id` to the source")
        return split_column(self.spec.member)[0]

    @property
    def _member_key(self) -> str:
        return split_column(self.spec.member or "")[1]

    @cached_property
    def _of_member(self) -> frozenset[str]:
        """Spread from the member's table along everything that cannot do without it."""
        found = {self._member_table}
        while True:
            more = {name for name in self._of_organization - found if self._depends_on(name, found)}
            if not more - {self.spec.root_table}:
                return frozenset(found)
            found |= more - {self.spec.root_table}

    def _depends_on(self, name: str, found: set[str]) -> bool:
        ways = self.ways(name)
        return any(owner.table in found for owner in self.owners(name)) or any(
            reference.parent in found and (reference in ways or not self.emptied(reference))
            for reference in self.catalog.tables[name].references
        )

    def _of_root(self, name: str, table: sa.FromClause, depth: int) -> Predicate:
        root = split_column(self.spec.root)[1]
        if name == self.spec.root_table:
            return table.c[root] == self._key("organization", name, root)
        found = [self._along(way, table, depth) for way in self.ways(name)]
        for owner in self.owners(name):
            rows = self.table(owner.table).alias(f"owner_{depth}")
            inside = self._of_root(owner.table, rows, depth + 1)
            found.append(self._is_named(table, owner, rows, inside))
        assert found, f"{name} does not lead to the root"
        return found[0] if len(found) == 1 else sa.or_(*found)

    def _along(self, way: Reference, table: sa.FromClause, depth: int) -> Predicate:
        root = split_column(self.spec.root)[1]
        if way.parent == self.spec.root_table and way.parent_columns == (root,):
            return table.c[way.columns[0]] == self._key("organization", way.parent, root)
        parent = self.table(way.parent).alias(f"parent_{depth}")
        return self.refers(table, way, parent, self._of_root(way.parent, parent, depth + 1))

    def _joined(self, name: str, table: sa.FromClause, depth: int) -> list[Predicate] | None:
        """Join the parents along the one way of a table; none if a row could meet several."""
        root = split_column(self.spec.root)[1]
        if name == self.spec.root_table:
            return [table.c[root] == self._key("organization", name, root)]
        ways = self.ways(name)
        if len(ways) != 1 or self.owners(name) or not self._is_of_one(ways[0]):
            return None
        (way,) = ways
        if way.parent == self.spec.root_table and way.parent_columns == (root,):
            return [table.c[way.columns[0]] == self._key("organization", way.parent, root)]
        parent = self.table(way.parent).alias(f"parent_{depth}")
        further = self._joined(way.parent, parent, depth + 1)
        pairs = zip(way.columns, way.parent_columns, strict=True)
        same = [table.c[column] == parent.c[target] for column, target in pairs]
        return None if further is None else [*same, *further]

    def _is_of_one(self, way: Reference) -> bool:
        """Say whether a row refers to one row at most, by whatever the database compares."""
        parent = self.catalog.tables[way.parent]
        is_unique = set(way.parent_columns) in map(set, (parent.key, *parent.unique))
        return is_unique and self.dialect.types_hold and not way.declared

    def _of_person(self, name: str, table: sa.FromClause, passed: tuple[str, ...]) -> Predicate:
        depth = len(passed)
        if name == self._member_table:
            key = self._member_key
            return sa.and_(
                table.c[key] == self._key("member", name, key), self._of_root(name, table, depth)
            )
        found = []
        for branch in self.branches(name):
            if branch.parent in passed:
                continue
            parent = self.table(branch.parent).alias(f"parent_{depth}")
            inside = self._of_person(branch.parent, parent, (*passed, branch.parent))
            found.append(self.refers(table, branch, parent, inside))
        for owner in self.owners(name):
            if owner.table in self._of_member and owner.table not in passed:
                rows = self.table(owner.table).alias(f"owner_{depth}")
                inside = self._of_person(owner.table, rows, (*passed, owner.table))
                found.append(self._is_named(table, owner, rows, inside))
        return sa.or_(*found) if found else sa.false()

    def refers(
        self, table: sa.FromClause, reference: Reference, parent: sa.FromClause, inside: Predicate
    ) -> Predicate:
        """Return what is true of rows that refer to rows of a parent of which something is true."""
        columns = [table.c[name] for name in reference.columns]
        keys = [parent.c[name] for name in reference.parent_columns]
        return self._are_among(table, columns, parent, keys, inside)

    def _is_named(
        self, table: sa.FromClause, owner: Reference, rows: sa.FromClause, inside: Predicate
    ) -> Predicate:
        columns = [table.c[name] for name in owner.parent_columns]
        keys = [rows.c[name] for name in owner.columns]
        return self._are_among(table, columns, rows, keys, inside)

    def _are_among(
        self,
        table: sa.FromClause,
        columns: Sequence[sa.ColumnElement[Any]],
        others: sa.FromClause,
        keys: Sequence[sa.ColumnElement[Any]],
        inside: Predicate,
    ) -> Predicate:
        """Return whether other rows have these values as a key: listed, or each looked up."""
        if not self.asks_each:
            return _are_listed(columns, keys, inside)
        same = [column == key for column, key in zip(columns, keys, strict=True)]
        return some_row(others, *same, inside, seen_from=table)

    def is_among(self, name: str, table: sa.FromClause, column: str) -> Predicate:
        """Return what is true of rows with one of the keys that ``MEMBERS`` will be bound to."""
        kind = self._bound(self.catalog.tables[name].columns[column].type)
        return table.c[column].in_(sa.bindparam(MEMBERS, type_=kind, expanding=True))

    def keys_from(self, name: str, column: str, texts: Iterable[str]) -> list[Any]:
        """Read keys as values of a column; what cannot be one is the key of no row."""
        _, convert = _conversion(self.catalog.tables[name].columns[column].type)
        found = []
        for text in texts:
            with suppress(ValueError):
                found.append(convert(text))
        return found

    def _key(self, part: str, table: str, column: str) -> sa.BindParameter[Any]:
        text = getattr(self.scope, part)
        kind = self.catalog.tables[table].columns[column].type
        expected, convert = _conversion(kind)
        try:
            value = convert(text)
        except ValueError as error:
            where = f"{self.id_of(table)}.{column}"
            raise ScopeMismatch(part=part, column=where, expected=expected) from error
        return sa.bindparam(part, value, self._bound(kind))

    def _bound(self, kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
        # Any whole number is bound at full width: a key that is too large is unknown, not an error.
        return self.dialect.binding_type(sa.BigInteger() if isinstance(kind, sa.Integer) else kind)


def primary_key(table: CatalogTable, rows: sa.FromClause) -> list[sa.ColumnElement[Any]]:
    """Return a table's key columns in the order of the key."""
    return [rows.c[name] for name in table.key]


def some_row(others: sa.FromClause, *which: Predicate, seen_from: sa.FromClause) -> Predicate:
    """Say that there is another row of which something is true, seen from each row of a table."""
    found: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(others)
    return sa.exists(found.where(*which).correlate(seen_from))


def row_value(columns: Sequence[sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    """Return one column as itself and several as a row, for comparison."""
    return columns[0] if len(columns) == 1 else sa.tuple_(*columns)


def _are_listed(
    columns: Sequence[sa.ColumnElement[Any]],
    keys: Sequence[sa.ColumnElement[Any]],
    inside: Predicate,
) -> Predicate:
    return row_value(columns).in_(sa.select(*keys).where(inside).correlate(None))


def is_named(
    table: sa.FromClause, owner: Reference, rows: sa.FromClause, inside: Predicate
) -> Predicate:
    """Return what is true of the rows of a table that some rows name by a reference."""
    columns = [table.c[name] for name in owner.parent_columns]
    return _are_listed(columns, [rows.c[name] for name in owner.columns], inside)


def _conversion(kind: sa.types.TypeEngine[Any]) -> tuple[str, Any]:
    if isinstance(kind, sa.Integer):
        return "whole numbers", _whole_number
    if isinstance(kind, sa.Uuid):
        return "UUIDs", UUID
    return "text", str


def _whole_number(text: str) -> int:
    """Read a number only as it is always written: no sign, blank, or foreign digit (L26)."""
    if len(text) > _DIGITS_MAX or str(int(text)) != text:
        raise ValueError("not a whole number as it is always written")
    return int(text)
