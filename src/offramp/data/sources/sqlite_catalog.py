"""What an SQLite file declares. It keeps the text of every declaration, and that says all there is.

To read a catalog out of the texts takes a question for each table; the texts are one question. So
a catalog is read once for the same texts, whichever file they are in.

Source: SQLite, "The Schema Table"; lesson L15: it is always the declarations of now.
"""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

import sqlalchemy as sa

from offramp.data.catalog.catalog import Catalog, read_catalog

CATALOGS_MAX = 16
_TEXTS = "SELECT type, name, tbl_name, sql FROM sqlite_master"

Texts = tuple[tuple[str | None, ...], ...]


class SqliteCatalogs:
    """The catalogs that were read last, by the texts they were read from."""

    def __init__(self) -> None:
        """Know none yet."""
        self._lock = Lock()
        self._known: OrderedDict[Texts, Catalog] = OrderedDict()

    def read(
        self, connection: sa.Connection, *, schema: str | None, further: Sequence[str]
    ) -> Catalog:
        """Give the catalog of what is declared now; other files that are attached are read anew."""
        if schema is not None or further:
            return read_catalog(connection, schema=schema, further=further)
        texts = tuple(map(tuple, connection.exec_driver_sql(_TEXTS)))
        with self._lock:
            known = self._known.get(texts)
        catalog = known or read_catalog(connection, schema=None)
        with self._lock:
            self._known[texts] = catalog
            self._known.move_to_end(texts)
            while len(self._known) > CATALOGS_MAX:
                self._known.popitem(last=False)
        return catalog
