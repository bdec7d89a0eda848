"""The work of Alembic, which is slow to import; the only place that does so.

Every change of the schema is a script under ``migrations/versions``, the same for SQLite and
PostgreSQL.

Source: Alembic, "Running Batch Migrations for SQLite" and "Sharing a Connection".
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(engine: Engine) -> None:
    """Run the migrations that a store has not had yet."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
