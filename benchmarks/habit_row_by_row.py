"""A deletion in the style of platforms for privacy requests: every row by itself, every step noted.

Each row is read, has its personal columns masked, and goes, by a statement and a transaction of its
own on a connection out of a pool; each table's rows are handed over as they were read. What was
done is noted in the platform's own database, row by row.
"""

# ruff: noqa: S608 - every part of these statements is written in this folder

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.child import report
from benchmarks.schema import OWNED, Table
from benchmarks.yardstick import WAYS, select

_TABLES = {table.name: table for table in OWNED}
_LOG = sa.Table(
    "privacy_log",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("table", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A database of a vendor's, and the one where the platform notes what it did there."""

    vendor: sa.Engine
    log: sa.Engine

    def run(self, *, organization: int, file: Path) -> int:
        """Export and delete every row of an organization; gives the number of rows."""
        rows = 0
        with file.open("w", encoding="utf-8") as sink:
            for table in (_TABLES[name] for name in WAYS):
                for key in self._keys(table, organization):
                    sink.write(json.dumps(self._take(table, key), default=str) + "\n")
                    rows += 1
        return rows

    def _keys(self, table: Table, organization: int) -> list[dict[str, Any]]:
        fields = ", ".join(f"t.{name}" for name in table.key.split(", "))
        query = select(table.name, fields, organization=organization)
        # Newest first: an answer to a note is younger than the note.
        with self.vendor.connect() as connection:
            found = connection.execute(sa.text(f"{query} ORDER BY {fields} DESC"))
            return [dict(row) for row in found.mappings()]

    def _take(self, table: Table, key: Mapping[str, Any]) -> dict[str, Any]:
        which = " AND ".join(f"{name} = :{name}" for name in key)
        with self.vendor.connect() as connection:
            found = connection.execute(sa.text(f"SELECT * FROM {table.name} WHERE {which}"), key)
            row = dict(found.mappings().one())
        if table.hashed:
            masks = {f"new_{name}": _masked(row[name], key) for name in table.hashed}
            values = ", ".join(f"{name} = :new_{name}" for name in table.hashed)
            self._change(table, f"UPDATE {table.name} SET {values} WHERE {which}", {**key, **masks})
        if table.name == "people":
            self._change(table, "UPDATE teams SET lead_id = NULL WHERE lead_id = :id", key)
        self._change(table, f"DELETE FROM {table.name} WHERE {which}", key)
        return row

    def _change(self, table: Table, statement: str, values: Mapping[str, Any]) -> None:
        with self.vendor.begin() as connection:
            connection.execute(sa.text(statement), values)
        with self.log.begin() as connection:
            action = statement.split()[0].lower()
            connection.execute(_LOG.insert().values(table=table.name, action=action))


def _masked(value: str | None, key: Mapping[str, Any]) -> str | None:
    """Replace a value by one that is as unique as the key of its row."""
    return value and sha256(f"{key}{value}".encode()).hexdigest()


def main(url: str, organization: str, file: str, log_url: str) -> None:
    """Let an organization leave, and tell how long it took."""
    platform = Platform(vendor=sa.create_engine(url), log=sa.create_engine(log_url))
    _LOG.metadata.drop_all(platform.log)
    _LOG.metadata.create_all(platform.log)
    report(lambda: platform.run(organization=int(organization), file=Path(file)))
    _LOG.metadata.drop_all(platform.log)
    for engine in (platform.vendor, platform.log):
        engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
