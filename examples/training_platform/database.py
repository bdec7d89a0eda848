"""Opening the platform's database and bringing it to the newest schema.

Everything that knows a database URL lives here.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

MIGRATIONS = "examples.training_platform:migrations"


def open_engine(url: str) -> sa.Engine:
    """Open an engine that enforces foreign keys on SQLite too."""
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _enforce_foreign_keys)
    return engine


def migrate(url: str, *, revision: str = "head") -> None:
    """Bring the database to a revision, the newest unless told otherwise."""
    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    # Foreign keys stay unenforced here: SQLite rebuilds a table to alter it.
    engine = sa.create_engine(url)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    finally:
        engine.dispose()


def _enforce_foreign_keys(connection: Any, _record: object) -> None:  # noqa: ANN401 - any driver's
    connection.execute("PRAGMA foreign_keys = ON")
