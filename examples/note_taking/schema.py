"""The tables of the note-taking product, the same on SQLite and PostgreSQL.

Everything about the shape of the data lives here; the migrations lead to exactly this. Instants
are UTC, civil dates end in ``_on``. Organizations, users and notes carry identifiers that are safe
to show in an address (text), everything else is numbered.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

IDENTIFIER = sa.String(36)
SHA256_HEX = sa.String(64)
INSTANT = sa.DateTime(timezone=True)


def reference(
    name: str, target: str, type_: sa.types.TypeEngine[Any], *, optional: bool = False
) -> sa.Column[Any]:
    """Return a column that refers to another table and is indexed for it."""
    return sa.Column(name, type_, sa.ForeignKey(target), nullable=optional, index=True)


def text_reference(name: str, target: str, *, optional: bool = False) -> sa.Column[Any]:
    """Return a reference to an organization, a user or a note."""
    return reference(name, target, IDENTIFIER, optional=optional)


def number_reference(name: str, target: str, *, optional: bool = False) -> sa.Column[Any]:
    """Return a reference to a numbered table."""
    return reference(name, target, sa.Integer(), optional=optional)


organizations = sa.Table(
    "organizations",
    metadata,
    sa.Column("id", IDENTIFIER, primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("domain", sa.String(253), nullable=False, unique=True),
    sa.Column("locale", sa.String(35), nullable=False),
    sa.Column("time_zone", sa.String(64), nullable=False),
    sa.Column("agreement_url", sa.String(500), nullable=False),
)

products = sa.Table(
    "products",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("code", sa.String(40), nullable=False, unique=True),
    sa.Column("name", sa.String(100), nullable=False),
)

subscriptions = sa.Table(
    "subscriptions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    text_reference("organization_id", "organizations.id"),
    number_reference("product_id", "products.id"),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("seats", sa.Integer, nullable=False),
    sa.Column("starts_on", sa.Date, nullable=False),
    # The last day of access, not the day after it.
    sa.Column("ends_on", sa.Date, nullable=False),
    sa.UniqueConstraint("organization_id", "product_id", "starts_on"),
    sa.CheckConstraint("seats > 0", name="seats_positive"),
    sa.CheckConstraint("ends_on >= starts_on", name="ends_after_start"),
)

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", IDENTIFIER, primary_key=True),
    text_reference("organization_id", "organizations.id"),
    sa.Column("email", sa.String(320), nullable=False),
    sa.Column("display_name", sa.String(200), nullable=False),
    sa.Column("role", sa.String(10), nullable=False),
    sa.Column("locale", sa.String(35), nullable=False),
    sa.Column("time_zone", sa.String(64), nullable=False),
    sa.Column("created_at", INSTANT, nullable=False),
    # The person's own last day of access; null while only the subscription limits it.
    sa.Column("removed_on", sa.Date),
    sa.UniqueConstraint("organization_id", "email"),
    sa.CheckConstraint("role IN ('member', 'admin', 'owner')", name="role_known"),
)

product_access = sa.Table(
    "product_access",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    text_reference("user_id", "users.id"),
    number_reference("product_id", "products.id"),
    # The seat that is taken; null once the access has ended and the seat was handed back.
    number_reference("subscription_id", "subscriptions.id", optional=True),
    sa.Column("ends_on", sa.Date),
    sa.UniqueConstraint("user_id", "product_id"),
)

folders = sa.Table(
    "folders",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    text_reference("owner_id", "users.id"),
    number_reference("parent_id", "folders.id", optional=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.CheckConstraint("parent_id <> id", name="not_its_own_parent"),
)

notes = sa.Table(
    "notes",
    metadata,
    sa.Column("id", IDENTIFIER, primary_key=True),
    text_reference("owner_id", "users.id"),
    number_reference("folder_id", "folders.id", optional=True),
    sa.Column("title", sa.String(300), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("tags", sa.JSON(none_as_null=True)),
    sa.Column("created_at", INSTANT, nullable=False),
    sa.Column("updated_at", INSTANT, nullable=False),
    text_reference("last_edited_by", "users.id", optional=True),
    sa.CheckConstraint("updated_at >= created_at", name="updated_after_creation"),
)

note_revisions = sa.Table(
    "note_revisions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    text_reference("note_id", "notes.id"),
    text_reference("editor_id", "users.id", optional=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", INSTANT, nullable=False),
)

recordings = sa.Table(
    "recordings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    text_reference("owner_id", "users.id"),
    text_reference("note_id", "notes.id", optional=True),
    sa.Column("title", sa.String(300), nullable=False),
    sa.Column("duration_seconds", sa.Integer, nullable=False),
    sa.Column("storage_path", sa.String(500), nullable=False, unique=True),
    sa.Column("sha256", SHA256_HEX, nullable=False),
    sa.CheckConstraint("duration_seconds >= 0", name="duration_not_negative"),
    sa.CheckConstraint("length(sha256) = 64", name="sha256_whole"),
)

transcripts = sa.Table(
    "transcripts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    number_reference("recording_id", "recordings.id"),
    sa.Column("language", sa.String(35), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.UniqueConstraint("recording_id", "language"),
)

shares = sa.Table(
    "shares",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    text_reference("note_id", "notes.id"),
    # Both people belong to the organization of the note; the product offers nobody else.
    text_reference("from_user_id", "users.id"),
    text_reference("to_user_id", "users.id"),
    sa.UniqueConstraint("note_id", "to_user_id"),
    sa.CheckConstraint("from_user_id <> to_user_id", name="not_with_oneself"),
)

shared_links = sa.Table(
    "shared_links",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    text_reference("note_id", "notes.id"),
    # Null for a link that was withdrawn.
    sa.Column("token_hash", SHA256_HEX, unique=True),
)

devices = sa.Table(
    "devices",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    text_reference("user_id", "users.id"),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("push_token", sa.String(200), unique=True),
)

support_tickets = sa.Table(
    "support_tickets",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    # Nullable: a closed ticket outlives the organization as a service-level record.
    text_reference("organization_id", "organizations.id", optional=True),
    text_reference("user_id", "users.id", optional=True),
    sa.Column("severity", sa.String(10), nullable=False),
    sa.Column("subject", sa.String(300), nullable=False),
    sa.Column("text", sa.Text),
    sa.Column("opened_on", sa.Date, nullable=False),
    sa.Column("answered_on", sa.Date),
    sa.CheckConstraint("severity IN ('low', 'normal', 'urgent')", name="severity_known"),
)
