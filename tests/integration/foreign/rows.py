"""Rows for a PostgreSQL database that nobody wrote a fixture for, as its constraints allow them.

Candidates are made by the database, many at once, from expressions that follow from each column's
type; those that break a check are left out, those that break a unique or an exclusion constraint
are passed over. Every row has a tag in our books: the root that it belongs to, or none. A
reference picks its parent among rows of the same tag, as an application would, so that all ways
from one row lead to one root, and at least one does.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass

import psycopg

from tests.integration.foreign.structure import quoted, read_tables
from tests.integration.foreign.value import expression

NOBODY = None
CANDIDATES = ((4, 8), (40, 200), (400, 8_000))  # for each row, and beside them
PARENTS_MAX = 200
SELDOM_EMPTY = "0.1"
# A check may want one of many columns set, or all of them: each row is rather full or rather empty.
EMPTY_BY_ROW = "(CASE WHEN dice < 0.3 THEN 0.1 WHEN dice < 0.6 THEN 0.5 ELSE 0.9 END)"


@dataclass(frozen=True)
class Habits:
    """What an application does with its tables, and no constraint tells."""

    root: str
    owned: tuple[str, ...] = ()  # a row of it is made for the one row that names it
    common: tuple[str, ...] = ()  # never of one organization, whatever they refer to
    aside: tuple[str, ...] = ()  # columns that name a row and do not say whose theirs is
    values: tuple[tuple[str, str], ...] = ()  # column -> the value that it has while in use


class Sower:
    """Fills the tables of one database."""

    def __init__(self, connection, habits, *, rows):
        self.connection = connection
        self.habits = habits
        self.rows = rows
        self.tables = read_tables(connection)
        self.tagged = self._tagged()
        self.named = defaultdict(set)
        for table in self.tables.values():
            for foreign in table.foreign:
                self.named[foreign.parent].add(foreign.parent_columns)
        self.keys = defaultdict(lambda: defaultdict(list))
        self.sown = defaultdict(Counter)
        self.refused = {}
        self.mark = 0

    def sow(self, tags):
        self.connection.execute("SELECT setseed(0.5)")  # the same rows every time
        for name, table in self.tables.items():
            for columns in self.named[name]:
                wanted = ", ".join(map(quoted, columns))
                found = self.connection.execute(f"SELECT {wanted} FROM {table.place}").fetchall()
                self.keys[name, columns][NOBODY] += found
        for name in list(self._in_order()):
            self._fill(self.tables[name], tags)
        assert set(self.sown[self.habits.root]) == set(tags), self.refused

    def _tagged(self):
        """Find the tables whose rows are of somebody: a reference leads from there to the root."""
        found = {self.habits.root, *self.habits.owned}
        while True:
            more = {
                name
                for name, table in self.tables.items()
                if name not in found | set(self.habits.common)
                and any(each.parent in found for each in table.foreign)
            }
            if not more:
                return found
            found |= more

    def _in_order(self):
        """Put parents first; where tables need one another, what may be empty stays empty."""
        left = dict(self.tables)
        while left:
            waiting = {name: self._waits(table, left) for name, table in left.items()}
            free = [name for name, counts in waiting.items() if counts == (0, 0)]
            if not free:
                root = self.habits.root
                free = [min(waiting, key=lambda name: (waiting[name][0], name != root,
                                                       waiting[name][1], name))]  # fmt: skip
            for name in free:
                yield name
                del left[name]

    @staticmethod
    def _waits(table, left):
        """Count the references to tables without rows that must be set, and those that may be."""
        open_references = [
            each for each in table.foreign if each.parent in left and each.parent != table.name
        ]
        required = sum(table.requires(each) for each in open_references)
        return required, len(open_references) - required

    def _fill(self, table, tags):
        name, rows = table.name, self.rows
        if name == self.habits.root:
            wanted = [(tag, 1) for tag in tags]
        elif name not in self.tagged:
            wanted = [(NOBODY, rows)]
        else:
            needs = any(
                each.parent in self.tagged and table.requires(each) for each in table.foreign
            )
            is_always_owned = needs or name in self.habits.owned
            spare = rows // 4 if name in self.habits.owned else 0
            wanted = [(tag, rows + spare) for tag in tags]
            wanted += [] if is_always_owned else [(NOBODY, max(2, rows // 10))]
        for tag, count in wanted:
            half = count - count // 2
            self._insert(table, tag, half, after=0)
            self._insert(table, tag, count - half, after=half)  # may refer to the first half

    def _insert(self, table, tag, rows, *, after):
        got = 0
        for times, more in CANDIDATES:
            if got >= rows:
                return
            self.mark += 1
            candidates = (rows - got) * times + more
            params = {"after": after, "last": after + candidates, "rows": rows - got}
            statement = self._statement(table, tag, params)
            if statement is None:
                return
            try:
                with self.connection.transaction():
                    cursor = self.connection.execute(statement, params)
                    names = [each.name for each in cursor.description]
                    made = [dict(zip(names, row, strict=True)) for row in cursor]
            except psycopg.DatabaseError as error:
                if "PL/pgSQL" not in (error.diag.context or ""):
                    raise
                # A trigger knows rules that no constraint tells; the table may stay empty.
                self.refused[table.name] = error.diag.message_primary
                continue
            got += len(made)
            self._note(table.name, tag, made)

    def _note(self, name, tag, rows):
        self.sown[name][tag] += len(rows)
        for foreign in self.tables[name].foreign:
            if foreign.parent in self.habits.owned:
                taken = {tuple(row[column] for column in foreign.columns) for row in rows}
                left = self.keys[foreign.parent, foreign.parent_columns]
                left[tag] = [key for key in left[tag] if key not in taken]
        for columns in self.named[name]:
            keys = (tuple(row[column] for column in columns) for row in rows)
            self.keys[name, columns][tag] += [key for key in keys if None not in key]

    def _statement(self, table, tag, params):
        made = {}
        for number, foreign in enumerate(table.foreign):
            self._pick(table, foreign, number, tag, made, params)
        for column in table.written:
            made.setdefault(column.name, self._value(table, column))
        if None in made.values():
            return None
        fields = ", ".join(f"{made[c.name]} AS {quoted(c.name)}" for c in table.written)
        names = ", ".join(quoted(column.name) for column in table.written)
        throws = "".join(f", random() AS r{number}" for number in range(len(table.foreign)))
        overriding = "OVERRIDING SYSTEM VALUE" if any(c.identity for c in table.written) else ""
        rules = " AND ".join(self._rules(table, tag)) or "true"
        return f"""
            INSERT INTO {table.place} ({names}) {overriding}
            SELECT {names} FROM (
                SELECT {fields} FROM (
                    SELECT g, random() AS dice{throws}
                    FROM generate_series(%(after)s + 1, %(last)s) AS g OFFSET 0
                ) AS thrown OFFSET 0
            ) AS made WHERE {rules} LIMIT %(rows)s ON CONFLICT DO NOTHING RETURNING *
        """

    def _rules(self, table, tag):
        yield from (f"({check}) IS NOT FALSE" for check in table.checks)
        yield from (f"{quoted(c.name)} IS NOT NULL" for c in table.written if not c.nullable)
        for foreign in table.foreign:
            others = {c for each in table.foreign if each is not foreign for c in each.columns}
            if others & set(foreign.columns):
                yield self._exists(foreign)
        if tag is not NOBODY and table.name not in (self.habits.root, *self.habits.owned):
            theirs = [each for each in self._telling(table) if self._keys_of(each, tag)]
            is_set = (
                " AND ".join(f"{quoted(name)} IS NOT NULL" for name in each.columns)
                for each in theirs
            )
            yield f"({' OR '.join(is_set)})" if theirs else "false"

    def _telling(self, table):
        """List the references that say whose a row is; what it owns does not."""
        silent = set(self.habits.aside)
        return [
            each
            for each in table.foreign
            if each.parent not in self.habits.owned and not silent & set(each.columns)
        ]

    @staticmethod
    def _exists(foreign):
        """Columns that several references share may name a row that is not there."""
        ours = ", ".join(f"made.{quoted(name)}" for name in foreign.columns)
        theirs = ", ".join(map(quoted, foreign.parent_columns))
        empty = " OR ".join(f"made.{quoted(name)} IS NULL" for name in foreign.columns)
        parent = ".".join(map(quoted, foreign.parent.split(".", 1)))
        return f"({empty} OR ({ours}) IN (SELECT {theirs} FROM {parent}))"

    def _keys_of(self, foreign, tag):
        if foreign.parent not in self.tagged:
            return []
        return self.keys[foreign.parent, foreign.parent_columns].get(tag, [])

    def _pick(self, table, foreign, number, tag, made, params):
        """Let a reference name one of the parents of its tag, or nobody where it may."""
        found = self._keys_of(foreign, tag)
        if not found and foreign.parent != self.habits.root:
            found = self.keys[foreign.parent, foreign.parent_columns].get(NOBODY, [])
        found = found[:PARENTS_MAX]
        place = f"floor(r{number} * {len(found)})"
        if foreign.parent in self.habits.owned:
            place = f"(g - 1) %% {max(1, len(found))}"
        for part, name in enumerate(foreign.columns):
            column = table.columns[name]
            if name in made and not str(made[name]).startswith("NULL"):
                continue
            if not found:
                made[name] = f"NULL::{column.type}" if column.nullable else None
                continue
            params[f"p{number}_{part}"] = [key[part] for key in found]
            pick = f"(%(p{number}_{part})s::{column.type}[])[1 + ({place})::int]"
            made[name] = self._perhaps(table, column, pick)

    def _value(self, table, column):
        """Make a value, as a habit says, as the database numbers, or by chance."""
        fixed = dict(self.habits.values).get(column.name)
        if fixed is not None:
            return f"({fixed})::{column.type}"
        if column.identity:
            return f"nextval(pg_get_serial_sequence('{table.place}', '{column.name}'))"
        if column.default and column.default.startswith("nextval("):
            return column.default
        made = expression(table, column, mark=self.mark)
        if made is None:
            return f"NULL::{column.type}" if column.nullable else column.default
        return self._perhaps(table, column, made)

    @staticmethod
    def _perhaps(table, column, made):
        if not column.nullable:
            return made
        chance = EMPTY_BY_ROW if table.checks_of(column.name) else SELDOM_EMPTY
        return f"CASE WHEN random() < {chance} THEN NULL ELSE {made} END"
