"""The tables of those who work with the console: the vendor's own people, who stay.

Source: ``ports.Operators``; docs/console.md.
"""

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from offramp.adapters.store import schema
from offramp.adapters.store.column_type import Key, MomentInTime

operator = Table(
    "operator",
    schema.metadata,
    Column("id", Key, nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Key, nullable=False),
    Column("role", Key, nullable=False),
    Column("zone", Text, nullable=False),
    Column("added_at", MomentInTime, nullable=False),
    Column("password", Text),  # its hash
    Column("disabled_at", MomentInTime),
    Column("issuer", Key),
    Column("subject", Key),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("address"),
    Index(None, "issuer", "subject", unique=True),
)

operator_session = Table(
    "operator_session",
    schema.metadata,
    Column("digest", Key, nullable=False),
    Column("operator", Key, nullable=False),
    Column("opened_at", MomentInTime, nullable=False),
    Column("seen_at", MomentInTime, nullable=False),
    Column("idle_ends_at", MomentInTime, nullable=False),
    Column("ends_at", MomentInTime, nullable=False),
    PrimaryKeyConstraint("digest"),
    ForeignKeyConstraint(["operator"], ["operator.id"]),
    Index(None, "operator"),
)

saved_view = Table(
    "saved_view",
    schema.metadata,
    Column("operator", Key, nullable=False),
    Column("name", Key, nullable=False),
    Column("condition", Key, nullable=False),
    Column("stage", Text, nullable=False),
    PrimaryKeyConstraint("operator", "name"),
    ForeignKeyConstraint(["operator"], ["operator.id"]),
)

sign_in_link = Table(
    "sign_in_link",
    schema.metadata,
    Column("digest", Key, nullable=False),
    Column("operator", Key),  # none: it makes the first operator
    Column("made_at", MomentInTime, nullable=False),
    Column("expires_at", MomentInTime, nullable=False),
    PrimaryKeyConstraint("digest"),
    ForeignKeyConstraint(["operator"], ["operator.id"]),
    Index(None, "operator"),
)

sign_in_failure = Table(
    "sign_in_failure",
    schema.metadata,
    Column("number", Integer, nullable=False),
    Column("who", Key, nullable=False),  # a digest of the address that was given
    Column("at", MomentInTime, nullable=False),
    PrimaryKeyConstraint("number"),
)

sign_in_journey = Table(
    "sign_in_journey",
    schema.metadata,
    Column("digest", Key, nullable=False),
    Column("at", MomentInTime, nullable=False),  # when it led to a session
    PrimaryKeyConstraint("digest"),
)
