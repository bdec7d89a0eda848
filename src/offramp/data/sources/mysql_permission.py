"""What MySQL or MariaDB would not let our user do, asked before anything is done.

The server is asked to explain statements like ours, which takes the same privileges as running
them, with roles and all. It is asked on another connection, because it explains no change to a
transaction that only reads.

Source: MySQL, "EXPLAIN Statement".
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from offramp.data.sources.driver import Need, compile_statement
from offramp.data.sources.privilege import missing
from offramp.data.sources.trouble import PermissionMissing, Trouble


def refusal(connection: sa.Connection, needs: Sequence[Need]) -> Trouble | None:
    """Say which privileges are missing; none when there are none.

    Raises:
        SourceReadOnly: the server takes no changes at all.
    """
    lacking: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    with connection.engine.connect() as other:
        for need in needs:
            try:
                text, params = compile_statement(_statement(need), other.dialect)
                other.exec_driver_sql(f"EXPLAIN {text}", dict(params))
            except PermissionMissing:
                lacking[need.verb, need.table.fullname].extend(need.columns)
    return missing(lacking) if lacking else None


def _statement(need: Need) -> sa.ClauseElement:
    """Build the smallest statement that needs what is needed, and would do nothing."""
    table = need.table
    columns: list[sa.ColumnElement[Any]] = [table.c[name] for name in need.columns]
    match need.verb:
        case "DELETE":
            return sa.delete(table).where(sa.false())
        case "INSERT":
            nothing = sa.select(*(sa.null() for _ in columns)).where(sa.false())
            return sa.insert(table).from_select(need.columns, nothing)
        case "UPDATE":
            return (
                sa.update(table)
                .values(dict(zip(need.columns, columns, strict=True)))
                .where(sa.false())
            )
    return sa.select(*(columns or [sa.literal(1)])).select_from(table).where(sa.false())
