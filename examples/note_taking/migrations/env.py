"""Run the revisions on the connection that ``database.migrate`` opened."""

from __future__ import annotations

from alembic import context

from examples.note_taking.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
)
with context.begin_transaction():
    context.run_migrations()
