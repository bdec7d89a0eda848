"""Rows waiting to be inserted, numbered per table in the order in which they are made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import sqlalchemy as sa

from examples.training_platform.schema import metadata, teams


class Rows:
    """A database that is still in memory."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._tables: dict[str, list[dict[str, object]]] = defaultdict(list)
        self._leads: list[dict[str, object]] = []

    def add(self, table: sa.Table, **values: object) -> int:
        """Add a row and return its number, which is also its id where the table has one."""
        rows = self._tables[table.name]
        number = len(rows) + 1
        rows.append({"id": number, **values} if "id" in table.c else values)
        return number

    def lead(self, *, team: int, user: int) -> None:
        """Make a user the lead of a team, once both exist."""
        self._leads.append({"team": team, "user": user})

    def counts(self) -> Mapping[str, int]:
        """Count the rows of each table."""
        return {table.name: len(self._tables[table.name]) for table in metadata.sorted_tables}

    def insert(self, connection: sa.Connection) -> None:
        """Write everything, one statement per table, parents first."""
        for table in metadata.sorted_tables:
            if rows := self._tables[table.name]:
                connection.execute(table.insert(), rows)
        lead = teams.update().where(teams.c.id == sa.bindparam("team"))
        if self._leads:
            connection.execute(lead.values(lead_user_id=sa.bindparam("user")), self._leads)
        if connection.dialect.name == "postgresql":
            self._advance_sequences(connection)

    def _advance_sequences(self, connection: sa.Connection) -> None:
        # The ids were given by us, so the next insert by the product must not meet them again.
        for table in metadata.sorted_tables:
            if "id" in table.c and self._tables[table.name]:
                sequence = sa.func.pg_get_serial_sequence(table.name, "id")
                connection.execute(
                    sa.select(sa.func.setval(sequence, len(self._tables[table.name])))
                )
