"""The tables of those who use the portal: ids, dates and digests, which go with their member.

Source: docs/decisions/036-portal.md.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Table, Text

from offramp.adapters.store.column_type import Key, MomentInTime
from offramp.adapters.store.schema import metadata

portal_link = Table(
    "portal_link",
    metadata,
    Column("digest", Key, nullable=False),
    Column("proof", Key, nullable=False),  # of the address; checked with the secret alone
    Column("organization", Key, nullable=False),
    Column("member", Key, nullable=False),
    Column("made_at", MomentInTime, nullable=False),
    Column("expires_at", MomentInTime, nullable=False),
    Column("spent_at", MomentInTime),
    PrimaryKeyConstraint("digest"),
    Index(None, "organization", "member"),
)

portal_session = Table(
    "portal_session",
    metadata,
    Column("digest", Key, nullable=False),
    Column("proof", Key, nullable=False),
    Column("organization", Key, nullable=False),
    Column("member", Key, nullable=False),
    Column("opened_at", MomentInTime, nullable=False),
    Column("seen_at", MomentInTime, nullable=False),
    Column("idle_ends_at", MomentInTime, nullable=False),
    Column("ends_at", MomentInTime, nullable=False),
    PrimaryKeyConstraint("digest"),
    Index(None, "organization", "member"),
)

own_copy = Table(
    "own_copy",
    metadata,
    Column("organization", Key, nullable=False),
    Column("member", Key, nullable=False),
    Column("scope", Key, nullable=False, server_default="member"),
    Column("id", Key, nullable=False),
    Column("digest", Key, nullable=False),
    Column("file", Text, nullable=False),
    Column("asked_at", MomentInTime, nullable=False),
    Column("due_at", MomentInTime),
    Column("claim", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("written_at", MomentInTime),
    Column("size_bytes", BigInteger),
    Column("round", Integer, nullable=False),
    Column("mailed_at", MomentInTime),
    Column("expires_at", MomentInTime),
    Column("downloads", Integer, nullable=False),
    Column("downloaded_at", MomentInTime),
    Column("reason", Text),
    PrimaryKeyConstraint("organization", "member", "scope"),
    Index(None, "digest"),
    Index(None, "due_at"),
)
