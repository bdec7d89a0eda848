"""Run the revisions on the connection that ``database.migrate`` opened."""

from __future__ import annotations

from alembic import context

from examples.training_platform.schema import metadata

# Batch mode: SQLite cannot alter a table in place.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
