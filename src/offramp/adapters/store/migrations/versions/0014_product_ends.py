"""Keep the ends that members have in single products.

Revision: 0014, after 0013.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import BoundariesByName

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column; nobody has such an end yet."""
    op.add_column("member", sa.Column("product_ends", BoundariesByName))
