"""What PostgreSQL leaves out in replica mode, and whether we can look at it ourselves.

The law: in that mode a deletion sets off nothing that is enabled in origin mode, and so everything
that it would set off on a table is listed from ``pg_trigger``, where the references of every schema
stand. Only where each entry is a foreign key that a comparison of columns can answer for may the
mode be used; a trigger or a rule of somebody's own, a trigger that fires in that mode, a partition
or a table with heirs forbids it.

Source: PostgreSQL, "session_replication_role", "pg_trigger", "pg_constraint", "GRANT".
"""

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from offramp.data.sources.driver import Pointer
from offramp.data.sources.privilege import missing
from offramp.data.sources.trouble import Trouble

_GRANTED_SINCE = (15,)
_MAY_SET = sa.text("SELECT has_parameter_privilege('session_replication_role', 'SET')")
_MAY_EVERYTHING = sa.text("SELECT CAST(current_setting('is_superuser') AS bool)")
_TOO_OLD = "leave `set_checks` out: before PostgreSQL 15 this cannot be granted"
_ON_DELETE = 8  # TRIGGER_TYPE_DELETE in PostgreSQL's pg_trigger.h
# Of other types, equality may be another one for us than it is for the reference.
_POINTERS = sa.text(
    f"""
SELECT space.nspname, child.relname,
    ARRAY(SELECT CAST(mine.attname AS text)
        FROM unnest(link.conkey) WITH ORDINALITY AS field (number, place)
        JOIN pg_attribute AS mine ON attrelid = link.conrelid AND attnum = number ORDER BY place),
    ARRAY(SELECT CAST(target.attname AS text)
        FROM unnest(link.confkey) WITH ORDINALITY AS field (number, place)
        JOIN pg_attribute AS target ON attrelid = host.oid AND attnum = number ORDER BY place),
    coalesce(
        host.relkind = 'r' AND NOT host.relispartition AND NOT host.relhassubclass
        AND NOT EXISTS (SELECT FROM pg_rewrite WHERE ev_class = host.oid AND ev_type = '4')
        AND fired.tgenabled = 'O' AND fired.tgisinternal
        AND link.contype = 'f' AND link.confrelid = host.oid
        AND to_jsonb(link) ->> 'conperiod' IS DISTINCT FROM 'true'
        AND has_schema_privilege(space.oid, 'USAGE') AND NOT row_security_active(child.oid)
        AND NOT EXISTS (
            SELECT FROM unnest(link.conkey, link.confkey) AS pair (own, other)
            JOIN pg_attribute AS mine ON mine.attrelid = child.oid AND mine.attnum = own
            JOIN pg_attribute AS target ON target.attrelid = host.oid AND target.attnum = other
            JOIN pg_type AS kind ON kind.oid = target.atttypid
            LEFT JOIN pg_collation AS tongue ON tongue.oid = target.attcollation
            WHERE NOT has_column_privilege(child.oid, own, 'SELECT')
            OR NOT (kind.typnamespace = CAST('pg_catalog' AS regnamespace) OR kind.typtype = 'e')
            OR NOT (
                mine.atttypid = target.atttypid
                OR format_type(mine.atttypid, NULL) IN ('smallint', 'integer', 'bigint')
                AND format_type(target.atttypid, NULL) IN ('smallint', 'integer', 'bigint')
            )
            OR mine.attcollation <> target.attcollation OR NOT tongue.collisdeterministic
        ), FALSE)
FROM pg_trigger AS fired JOIN pg_class AS host ON host.oid = fired.tgrelid
LEFT JOIN pg_constraint AS link ON link.oid = fired.tgconstraint
LEFT JOIN pg_class AS child ON child.oid = link.conrelid
LEFT JOIN pg_namespace AS space ON space.oid = child.relnamespace
WHERE fired.tgrelid = CAST(:place AS regclass)
AND fired.tgtype & {_ON_DELETE} <> 0 AND fired.tgenabled <> 'D'
ORDER BY 1, 2, link.oid
"""  # noqa: S608 - a number of ours
)

# A column of either side that gets another type or language makes its foreign key anew.
_STATE = sa.text(
    f"""
SELECT relkind, relispartition, relhassubclass, relhasrules, ARRAY(
    SELECT concat(oid, tgenabled) FROM pg_trigger
    WHERE tgrelid = host.oid AND tgtype & {_ON_DELETE} <> 0 ORDER BY oid)
FROM pg_class AS host WHERE host.oid = CAST(:place AS regclass)
"""  # noqa: S608 - a number of ours
)


class PostgresSetChecks:
    """How PostgreSQL deletes without a look at each row's references."""

    opening = (
        # What others have committed since the deletion has to be seen by the statements after it.
        sa.text("SET TRANSACTION ISOLATION LEVEL READ COMMITTED"),
        sa.text("SET LOCAL session_replication_role = replica"),
    )

    def refusal(self, connection: sa.Connection) -> Trouble | None:
        """Say that our role may not set the parameter; none if it may."""
        version = connection.dialect.server_version_info or ()
        is_granted = version >= _GRANTED_SINCE
        if connection.scalar(_MAY_SET if is_granted else _MAY_EVERYTHING):
            return None
        lacking = missing({("SET", "PARAMETER session_replication_role"): ()})
        return lacking if is_granted else replace(lacking, hint=_TOO_OLD)

    def pointers(self, connection: sa.Connection, table: sa.TableClause) -> Sequence[Pointer]:
        """List every foreign key that a deletion from a table would look at; none if unsafe."""
        found: list[Pointer] = []
        rows = connection.execute(_POINTERS, _placed(connection, table))
        for schema, name, columns, targets, is_comparable in rows:
            if not is_comparable:
                return ()
            pairs = tuple(zip(columns, targets, strict=True))
            found.append(Pointer(schema=schema, table=name, columns=pairs))
        return found

    def state(self, connection: sa.Connection, table: sa.TableClause) -> tuple[object, ...]:
        """Say which triggers a deletion sets off, and whether more than they."""
        return tuple(connection.execute(_STATE, _placed(connection, table)).one())


def _placed(connection: sa.Connection, table: sa.TableClause) -> dict[str, str]:
    return {"place": connection.dialect.identifier_preparer.format_table(table)}
