"""What PostgreSQL would not let our role do, or would hide from it, asked before anything is done.

Source: PostgreSQL, "System Information Functions" (has_column_privilege, row_security_active).
"""

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from offramp.data.sources.driver import Need
from offramp.data.sources.postgres_trouble import TROUBLES
from offramp.data.sources.privilege import first, missing
from offramp.data.sources.trouble import RowsHidden, Trouble

_HIDDEN = sa.text(
    "SELECT DISTINCT place FROM unnest(CAST(:places AS text[])) AS needed (place)"
    " WHERE row_security_active(place) ORDER BY place"
)
_MISSING = sa.text(
    "SELECT verb, place, field FROM"
    " unnest(CAST(:verbs AS text[]), CAST(:places AS text[]), CAST(:fields AS text[]))"
    " AS needed (verb, place, field)"
    " WHERE NOT CASE field WHEN '' THEN has_table_privilege(place, verb)"
    " ELSE has_column_privilege(place, field, verb) END ORDER BY place, verb, field"
)
_READ_ONLY = sa.text(
    "SELECT pg_is_in_recovery() OR CAST(current_setting('default_transaction_read_only') AS bool)"
)


def refusal(connection: sa.Connection, needs: Sequence[Need]) -> Trouble | None:
    """Say why the needs cannot be met; none when they can."""
    if not needs:
        return None
    if any(need.verb != "SELECT" for need in needs) and connection.scalar(_READ_ONLY):
        return TROUBLES["25006"]
    place_of = connection.dialect.identifier_preparer.format_table
    wanted = [
        (need.verb, place_of(need.table), field)
        for need in needs
        for field in need.columns or ("",)
    ]
    verbs, places, fields = (list(each) for each in zip(*wanted, strict=True))
    asked = {"verbs": verbs, "places": places, "fields": fields}
    lacking: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for verb, place, field in connection.execute(_MISSING, asked):
        lacking[verb, place].append(field)
    if lacking:
        return missing(lacking)
    hidden = list(connection.scalars(_HIDDEN, {"places": places}))
    return _hidden(hidden) if hidden else None


def _hidden(places: Sequence[str]) -> Trouble:
    return Trouble(
        kind=RowsHidden,
        reason=first(places, joined_by=", "),
        hint="ALTER ROLE … BYPASSRLS for our role, or connect as the owner of the tables",
    )
