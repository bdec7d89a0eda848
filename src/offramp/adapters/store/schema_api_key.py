"""The table of the keys that programs show.

Source: ``ports.ApiKeys``; docs/http.md.
"""

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from offramp.adapters.store import schema
from offramp.adapters.store.column_type import BoundaryText, Key, MomentInTime

api_key = Table(
    "api_key",
    schema.metadata,
    Column("name", Key, nullable=False),
    Column("digest", Key, nullable=False),
    Column("hint", Text, nullable=False),
    Column("role", Key, nullable=False),
    Column("organization", Key),
    Column("made_at", MomentInTime, nullable=False),
    Column("expires_at", MomentInTime),
    Column("used_on", BoundaryText),
    Column("revoked_at", MomentInTime),
    PrimaryKeyConstraint("name"),
    UniqueConstraint("digest"),
    Index(None, "organization"),
)
