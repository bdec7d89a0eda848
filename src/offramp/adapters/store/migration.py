"""Bringing a database to the newest schema, as a rule by seeing that it has it.

Source: lesson L31; ``upgrade`` for the migrations themselves.
"""

import importlib

from sqlalchemy import Engine

from offramp.adapters.store.connection import for_reading
from offramp.adapters.store.version import is_newest


def migrate(engine: Engine) -> None:
    """Bring the tables of a store to the newest version; nothing happens when they are there."""
    with for_reading(engine).connect() as connection:
        if is_newest(connection):
            return
    # What runs the migrations is imported by whoever needs it: once for each new version.
    importlib.import_module("offramp.adapters.store.upgrade").upgrade(engine)
