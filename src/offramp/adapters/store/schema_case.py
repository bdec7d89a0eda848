"""The tables of cases; `schema` has all others, and says how their parts are named.

Source: docs/decisions/033-cases.md.
"""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    false,
)

from offramp.adapters.store.column_type import Key, MomentInTime
from offramp.adapters.store.schema import metadata

support_case = Table(
    "support_case",
    metadata,
    Column("id", Key, nullable=False),
    Column("organization", Key, nullable=False),
    Column("member", Key),
    Column("complaint", Key, nullable=False),
    Column("about", MomentInTime),
    Column("opened_at", MomentInTime, nullable=False),
    Column("answer_by", MomentInTime, nullable=False),
    Column("answered_at", MomentInTime),
    Column("repaired_at", MomentInTime),
    Column("closed_at", MomentInTime),
    PrimaryKeyConstraint("id"),
    Index(None, "organization"),
    Index(None, "closed_at", "answered_at", "answer_by"),
    ForeignKeyConstraint(["organization"], ["organization.id"]),
)

case_note = Table(
    "case_note",
    metadata,
    Column("number", Integer, nullable=False),
    Column("case", Key, nullable=False),
    Column("at", MomentInTime, nullable=False),
    Column("actor", Key, nullable=False),
    Column("text", Text, nullable=False),
    Column("is_private", Boolean, nullable=False, server_default=false()),
    Column("letter", Key),
    Column("mail_at", MomentInTime),
    Column("mail_attempts", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("number"),
    Index(None, "case"),
    Index(None, "letter", unique=True),
    Index(None, "mail_at"),
    ForeignKeyConstraint(["case"], ["support_case.id"]),
)
