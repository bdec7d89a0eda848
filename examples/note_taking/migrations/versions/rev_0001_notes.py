"""Start with organizations, their people, and notes in folders.

Written in March 2019.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

IDENTIFIER = sa.String(36)
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the account tables, then the tables for what people write."""
    _create_accounts()
    _create_people()
    _create_content()


def _create_accounts() -> None:
    _create_table(
        "organizations",
        sa.Column("id", IDENTIFIER, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("domain", sa.String(253), nullable=False, unique=True),
        sa.Column("locale", sa.String(35), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("agreement_url", sa.String(500), nullable=False),
    )
    _create_table(
        "products",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("code", sa.String(40), nullable=False, unique=True),
        sa.Column("name", sa.String(100), nullable=False),
    )
    _create_table(
        "subscriptions",
        sa.Column("id", sa.Integer, primary_key=True),
        _reference("organization_id", "organizations.id", IDENTIFIER),
        _reference("product_id", "products.id", sa.Integer()),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("seats", sa.Integer, nullable=False),
        sa.Column("starts_on", sa.Date, nullable=False),
        sa.Column("ends_on", sa.Date, nullable=False),
        sa.UniqueConstraint("organization_id", "product_id", "starts_on"),
        sa.CheckConstraint("seats > 0", name="seats_positive"),
        sa.CheckConstraint("ends_on >= starts_on", name="ends_after_start"),
    )


def _create_people() -> None:
    _create_table(
        "users",
        sa.Column("id", IDENTIFIER, primary_key=True),
        _reference("organization_id", "organizations.id", IDENTIFIER),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("display_name", sa.String(200), nullable=False),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("locale", sa.String(35), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.UniqueConstraint("organization_id", "email"),
        sa.CheckConstraint("role IN ('member', 'admin', 'owner')", name="role_known"),
    )
    _create_table(
        "product_access",
        sa.Column("id", sa.Integer, primary_key=True),
        _reference("user_id", "users.id", IDENTIFIER),
        _reference("product_id", "products.id", sa.Integer()),
        _reference("subscription_id", "subscriptions.id", sa.Integer(), optional=True),
        sa.UniqueConstraint("user_id", "product_id"),
    )


def _create_content() -> None:
    _create_table(
        "folders",
        sa.Column("id", sa.Integer, primary_key=True),
        _reference("owner_id", "users.id", IDENTIFIER),
        _reference("parent_id", "folders.id", sa.Integer(), optional=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.CheckConstraint("parent_id <> id", name="not_its_own_parent"),
    )
    _create_table(
        "notes",
        sa.Column("id", IDENTIFIER, primary_key=True),
        _reference("owner_id", "users.id", IDENTIFIER),
        _reference("folder_id", "folders.id", sa.Integer(), optional=True),
        sa.Column("title", sa.String(300), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("tags", sa.JSON),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.CheckConstraint("updated_at >= created_at", name="updated_after_creation"),
    )
    _create_table(
        "shares",
        sa.Column("id", sa.Integer, primary_key=True),
        _reference("note_id", "notes.id", IDENTIFIER),
        _reference("from_user_id", "users.id", IDENTIFIER),
        _reference("to_user_id", "users.id", IDENTIFIER),
        sa.UniqueConstraint("note_id", "to_user_id"),
        sa.CheckConstraint("from_user_id <> to_user_id", name="not_with_oneself"),
    )


def _reference(
    name: str, target: str, type_: sa.types.TypeEngine[Any], *, optional: bool = False
) -> sa.Column[Any]:
    return sa.Column(name, type_, sa.ForeignKey(target), nullable=optional)


def _create_table(name: str, *items: sa.schema.SchemaItem) -> None:
    """Create a table, and its indexes in the order of the columns they serve."""
    table = op.create_table(name, *items)
    for column in table.columns:
        if column.foreign_keys:
            op.create_index(op.f(f"ix_{name}_{column.name}"), name, [column.name])
