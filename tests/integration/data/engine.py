"""The engines with which tests build their databases, beside the one that is tested."""

from contextlib import closing, contextmanager

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

INSTANT = sa.DateTime(timezone=True).with_variant(mysql.TIMESTAMP(fsp=6), "mysql")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")


def open_engine(url):
    """Open an engine that takes a name in double quotes for a name, whatever the database."""
    engine = sa.create_engine(url)
    if engine.dialect.name == "mysql":
        sa.event.listen(engine, "connect", _quote_as_others_do)
    return engine


def _quote_as_others_do(connection, _record):
    with closing(connection.cursor()) as cursor:
        cursor.execute("SET sql_mode = concat(@@sql_mode, ',ANSI_QUOTES')")


@contextmanager
def unchecked(engine):
    """Open a transaction in which no reference is checked, where that has to be asked for."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        if engine.dialect.name != "mysql":
            yield connection
            return
        connection.exec_driver_sql("SET foreign_key_checks = 0")
        yield connection
        connection.exec_driver_sql("SET foreign_key_checks = 1")
