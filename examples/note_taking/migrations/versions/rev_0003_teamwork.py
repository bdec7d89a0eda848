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
    # SQLite rebuilds the table, and only the check constraints named here survive that.
    check = sa.CheckConstraint(
        "updated_at >= created_at", name=op.f("ck_notes_updated_after_creation")
    )
    with op.batch_alter_table("notes", table_args=(check,)) as notes:
        notes.add_column(sa.Column("last_edited_by", IDENTIFIER))
        notes.create_foreign_key(
            op.f("fk_notes_last_edited_by"), "users", ["last_edited_by"], ["id"]
        )
        notes.create_index(op.f("ix_notes_last_edited_by"), ["last_edited_by"])
    op.create_table(
        "note_revisions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("note_id", IDENTIFIER, sa.ForeignKey("notes.id"), nullable=False, index=True),
        sa.Column("editor_id", IDENTIFIER, sa.ForeignKey("users.id"), index=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )


def _create_links_and_devices() -> None:
    op.create_table(
        "shared_links",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("note_id", IDENTIFIER, sa.ForeignKey("notes.id"), nullable=False, index=True),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    )
    op.create_table(
        "devices",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("user_id", IDENTIFIER, sa.ForeignKey("users.id"), nullable=False, index=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("push_token", sa.String(200), unique=True),
    )


def _create_support() -> None:
    op.create_table(
        "support_tickets",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("organization_id", IDENTIFIER, sa.ForeignKey("organizations.id"), index=True),
        sa.Column("user_id", IDENTIFIER, sa.ForeignKey("users.id"), index=True),
        sa.Column("severity", sa.String(10), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("opened_on", sa.Date, nullable=False),
        sa.Column("answered_on", sa.Date),
        sa.CheckConstraint("severity IN ('low', 'normal', 'urgent')", name="severity_known"),
    )
