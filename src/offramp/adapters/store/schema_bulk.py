"""The tables of acts on many organizations; `schema` has all others, and says how parts are named.

Who asked and who approved are operators, as in an ``arming``; both tables are emptied after a time,
and what is about an organization goes with it.

Source: docs/decisions/040-acts-on-many.md.
"""

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from offramp.adapters.store.column_type import BoundaryText, Key, MomentInTime
from offramp.adapters.store.schema import metadata

bulk_act = Table(
    "bulk_act",
    metadata,
    Column("id", Key, nullable=False),
    Column("kind", Key, nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", BoundaryText),
    Column("days", Integer),
    Column("held_for", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("owner_id", Key, nullable=False),
    Column("asked_at", MomentInTime, nullable=False),
    Column("expires_at", MomentInTime, nullable=False),
    Column("organizations", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("approver", Text),
    Column("approver_id", Key),
    Column("approved_at", MomentInTime),
    PrimaryKeyConstraint("id"),
    Index(None, "asked_at"),
)

bulk_target = Table(
    "bulk_target",
    metadata,
    Column("act", Key, nullable=False),
    Column("organization", Key, nullable=False),
    Column("digest", Text, nullable=False),
    Column("told", Text, nullable=False),
    Column("status", Key, nullable=False),
    Column("settled_at", MomentInTime),
    PrimaryKeyConstraint("act", "organization"),
    ForeignKeyConstraint(["act"], ["bulk_act.id"]),
    Index(None, "organization"),
)

Index(
    "ix_bulk_target_waiting",
    bulk_target.c.act,
    bulk_target.c.organization,
    sqlite_where=text("status = 'waiting'"),
    postgresql_where=text("status = 'waiting'"),
)
