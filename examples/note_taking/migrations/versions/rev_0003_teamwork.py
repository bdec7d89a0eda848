"""Let people work on one note together, on their phones, and with help from support.

Written in January 2023.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

IDENTIFIER = sa.String(36)


def upgrade() -> None:
    """Remember who edited what; add links, devices, tickets and an end date for a person."""
    _remember_editors()
    _create_links_and_devices()
    _create_support()
    op.add_column("users", sa.Column("removed_on", sa.Date))


def _remember_editors() -> None:
    # Written out, because SQLite would rebuild the table for a constraint of its own, and a
    # reference inside the column would lose its name.
    op.execute(
        "ALTER TABLE notes ADD COLUMN last_edited_by VARCHAR(36)"
        " CONSTRAINT fk_notes_last_edited_by REFERENCES users (id)"
    )
    op.create_index(op.f("ix_notes_last_edited_by"), "notes", ["last_edited_by"])
    op.create_table(
        "note_revisions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("note_id", IDENTIFIER, sa.ForeignKey("notes.id"), nullable=False),
        sa.Column("editor_id", IDENTIFIER, sa.ForeignKey("users.id")),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index(op.f("ix_note_revisions_note_id"), "note_revisions", ["note_id"])
    op.create_index(op.f("ix_note_revisions_editor_id"), "note_revisions", ["editor_id"])


def _create_links_and_devices() -> None:
    op.create_table(
        "shared_links",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("note_id", IDENTIFIER, sa.ForeignKey("notes.id"), nullable=False),
        sa.Column("token_hash", sa.String(64), unique=True),
    )
    op.create_index(op.f("ix_shared_links_note_id"), "shared_links", ["note_id"])
    op.create_table(
        "devices",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", IDENTIFIER, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("push_token", sa.String(200), unique=True),
    )
    op.create_index(op.f("ix_devices_user_id"), "devices", ["user_id"])


def _create_support() -> None:
    op.create_table(
        "support_tickets",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("organization_id", IDENTIFIER, sa.ForeignKey("organizations.id")),
        sa.Column("user_id", IDENTIFIER, sa.ForeignKey("users.id")),
        sa.Column("severity", sa.String(10), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("opened_on", sa.Date, nullable=False),
        sa.Column("answered_on", sa.Date),
        sa.CheckConstraint("severity IN ('low', 'normal', 'urgent')", name="severity_known"),
    )
    op.create_index(
        op.f("ix_support_tickets_organization_id"), "support_tickets", ["organization_id"]
    )
    op.create_index(op.f("ix_support_tickets_user_id"), "support_tickets", ["user_id"])
