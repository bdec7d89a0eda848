"""The table of who was shut out and let in again; `schema` has that of who is shut out.

Source: cli.md, "offramp block".
"""

from sqlalchemy import Boolean, Column, Index, Integer, PrimaryKeyConstraint, Table, Text

from offramp.adapters.store.column_type import Key, MomentInTime, OptionalKey
from offramp.adapters.store.schema import metadata

block_note = Table(
    "block_note",
    metadata,
    Column("number", Integer, nullable=False),
    Column("organization", Key, nullable=False),
    Column("member", OptionalKey, nullable=False),
    Column("is_blocked", Boolean, nullable=False),
    Column("owner", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", MomentInTime, nullable=False),
    PrimaryKeyConstraint("number"),
    Index(None, "organization"),
)
