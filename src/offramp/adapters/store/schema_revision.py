"""The table of revisions of access; `schema` has all others, and says how their parts are named.

Source: docs/decisions/034-revisions.md.
"""

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, Table

from offramp.adapters.store.column_type import Key
from offramp.adapters.store.schema import metadata

access_revision = Table(
    "access_revision",
    metadata,
    Column("organization", Key, nullable=False),  # stays when the organization is erased
    Column("number", Integer, nullable=False),
    PrimaryKeyConstraint("organization"),
)
