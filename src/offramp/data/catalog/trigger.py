"""Triggers of the database: what an erasure changes may be written elsewhere by them.

A trigger may copy a row that is deleted into another table, and nobody can tell from the catalog
into which. So each one is named, and a person reads it.

Source: PostgreSQL, "pg_trigger"; SQLite, "The Schema Table"; MariaDB, "Information Schema".
"""

from collections.abc import Iterator, Mapping

import sqlalchemy as sa

from offramp.data.catalog.catalog import Catalog

_TRIGGERS: Mapping[str, str] = {
    "postgresql": (
        "SELECT space.nspname, host.relname, tgname FROM pg_trigger"
        " JOIN pg_class AS host ON host.oid = tgrelid"
        " JOIN pg_namespace AS space ON space.oid = host.relnamespace"
        " WHERE NOT tgisinternal AND tgenabled <> 'D' ORDER BY 1, 2, 3"
    ),
    "sqlite": (
        "SELECT NULL, tbl_name, name FROM sqlite_master WHERE type = 'trigger' ORDER BY 2, 3"
    ),
    "mysql": (
        "SELECT event_object_schema, event_object_table, trigger_name"
        " FROM information_schema.triggers WHERE trigger_schema = DATABASE() ORDER BY 1, 2, 3"
    ),
}
_SPOKEN_AS = {"mariadb": "mysql"}


def read_triggers(connection: sa.Connection, catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Name the table and the trigger of all that are there and not switched off."""
    tables = {(table.schema, table.own_name): name for name, table in catalog.tables.items()}
    dialect = connection.dialect.name
    rows = connection.exec_driver_sql(_TRIGGERS[_SPOKEN_AS.get(dialect, dialect)])
    for schema, own_name, trigger in rows:
        name = tables.get((schema, own_name)) or tables.get((None, own_name))
        if name is not None:
            yield name, trigger
