"""How Alembic runs our migrations: on the connection it is given, as part of its transaction."""

from alembic import context

from offramp.adapters.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,  # the caller's transaction is already open
)
context.run_migrations()
