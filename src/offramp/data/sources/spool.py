"""Lines in the order of their keys, however many there are, in bounded memory.

A store of files may list its keys in any order, and a digest needs one. The lines wait in a
private database file of SQLite that has no name and goes with its connection.

Source: SQLite "Temporary databases" (an empty name is a file on the disk, deleted when closed).
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing

BLOCK_LINES = 1_000


def in_order(parts: Iterable[Sequence[tuple[str, str]]]) -> Iterator[bytes]:
    """Yield blocks of whole lines in the order of their keys.

    Shape:
        parts: (key, line) pairs; a line holds no line feed.
    """
    with closing(sqlite3.connect("")) as room:
        room.execute("CREATE TABLE line (key TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID")
        for part in parts:
            room.executemany("INSERT INTO line VALUES (?, ?)", part)
        lines = room.execute("SELECT text FROM line ORDER BY key")
        while block := lines.fetchmany(BLOCK_LINES):
            yield "".join(f"{text}\n" for (text,) in block).encode()
