"""Keep the ends that members have in single products.

Revision: 0013, after 0012.
"""

import sqlalchemy as sa
from alembic import op

from offramp.adapters.store.column_type import BoundariesByName

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the column; nobody has such an end yet."""
    op.add_column("member", sa.Column("product_ends", BoundariesByName))
