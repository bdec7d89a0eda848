"""Invoices outlive their company; users get a time zone and a last day of their own.

The company's VAT number, or its slug where it has none, becomes the invoice's reference.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, filling the reference of the invoices already there."""
    with op.batch_alter_table("users") as batch:
        batch.add_column(sa.Column("time_zone", sa.String(64)))
        batch.add_column(sa.Column("leaves_on", sa.Date))
    exact_rate = sa.Numeric(24, 18).with_variant(sa.String(40), "sqlite")
    with op.batch_alter_table("invoices") as batch:
        batch.add_column(sa.Column("company_reference", sa.String(200)))
        batch.add_column(sa.Column("euro_rate", exact_rate))
        batch.alter_column("company_id", existing_type=sa.Integer, nullable=True)
    op.execute(
        "UPDATE invoices SET euro_rate = 1, company_reference = ("
        "SELECT coalesce(vat_no, slug) FROM companies WHERE companies.id = invoices.company_id)"
    )
    with op.batch_alter_table("invoices") as batch:
        batch.alter_column("company_reference", existing_type=sa.String(200), nullable=False)
        batch.alter_column("euro_rate", existing_type=exact_rate, nullable=False)
