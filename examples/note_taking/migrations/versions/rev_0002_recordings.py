"""Sell recordings as a second product, each person's access to it with an end of its own.

Written in September 2021.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

IDENTIFIER = sa.String(36)


def upgrade() -> None:
    """Create recordings and their transcripts; give every product access its end date."""
    op.create_table(
        "recordings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("owner_id", IDENTIFIER, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("note_id", IDENTIFIER, sa.ForeignKey("notes.id")),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("duration_seconds", sa.Integer, nullable=False),
        sa.Column("storage_path", sa.String(500), nullable=False, unique=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.CheckConstraint("duration_seconds >= 0", name="duration_not_negative"),
        sa.CheckConstraint("length(sha256) = 64", name="sha256_whole"),
    )
    op.create_table(
        "transcripts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("recording_id", sa.Integer, sa.ForeignKey("recordings.id"), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.UniqueConstraint("recording_id", "language"),
    )
    op.create_index(op.f("ix_recordings_owner_id"), "recordings", ["owner_id"])
    op.create_index(op.f("ix_recordings_note_id"), "recordings", ["note_id"])
    op.create_index(op.f("ix_transcripts_recording_id"), "transcripts", ["recording_id"])
    op.add_column("product_access", sa.Column("ends_on", sa.Date))
