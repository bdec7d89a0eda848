"""What MySQL or MariaDB would not let our user do, asked before anything is done.

The server is asked to explain statements like ours, which takes the same privileges as running
them, with roles and all. It is asked on another connection, because it explains no change to a
transaction that only reads.

Source: MySQL, "EXPLAIN Statement".
"""

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from offramp.data.sources.driver import Need
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
                other.exec_driver_sql(f"EXPLAIN {_statement(need, other.dialect)}")
            except PermissionMissing:
                lacking[need.verb, need.table.fullname].extend(need.columns)
    return missing(lacking) if lacking else None


def _statement(need: Need, dialect: sa.Dialect) -> str:
    """Write the smallest statement that needs what is needed, and would do nothing."""
    quote = dialect.identifier_preparer
    table = quote.format_table(need.table)
    columns = [quote.quote(name) for name in need.columns]
    listed, nothing = ", ".join(columns), ", ".join("NULL" for _ in columns)
    match need.verb:
        case "DELETE":
            words = ["DELETE FROM", table]
        case "INSERT":
            words = ["INSERT INTO", table, f"({listed})", "SELECT", nothing, "FROM DUAL"]
        case "UPDATE":
            words = ["UPDATE", table, "SET", ", ".join(f"{name} = {name}" for name in columns)]
        case _:
            words = ["SELECT", listed or "1", "FROM", table]
    return " ".join((*words, "WHERE FALSE"))
