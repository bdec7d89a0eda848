"""The kinds of SQL database that are spoken, each in its own words.

The law of dialects lives here: whatever one kind of database says differently is said by its
`Dialect`, in its own module, and nobody else asks which kind it is. Pure: expressions go in and
come out, nothing is connected. What differs on the wire is a driver's (`data.sources`).
"""

from offramp.data.dialects.dialect import Columns, Dialect, Row, in_columns
from offramp.data.dialects.mysql import MysqlDialect
from offramp.data.dialects.postgres import PostgresDialect
from offramp.data.dialects.sqlite import SqliteDialect

MYSQL = MysqlDialect()
POSTGRES = PostgresDialect()
SQLITE = SqliteDialect()

__all__ = ["MYSQL", "POSTGRES", "SQLITE", "Columns", "Dialect", "Row", "in_columns"]
