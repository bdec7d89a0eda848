"""The file of a store in SQLite, which may be moved or replaced while somebody has it open.

SQLite goes on in the file that it has opened, wherever that is by now: what is written there is
lost to everybody else, and a backup that was put in its place is not seen. So a file is looked at
before each use. One that is gone makes the store unavailable, and is not begun anew and empty;
another one under its name is opened.

Source: SQLite, "How To Corrupt An SQLite Database File", section 2.4.
"""

from pathlib import Path

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from offramp.ports import StoreUnavailable

_OPENED = "offramp_file"  # which file a connection has opened


def keep_to_file(engine: Engine, file: Path) -> None:
    """Look before each use of a connection whether its file is still the one under its name."""
    kept = _KeptFile(file)
    event.listen(engine, "do_connect", kept.before_it_is_opened)
    event.listen(engine, "connect", kept.opened)
    event.listen(engine, "checkout", kept.before_it_is_used)


class _KeptFile:
    """Hears of everything that is done with the connections to one file."""

    def __init__(self, file: Path) -> None:
        """Begin with a file that may have to be made."""
        self._file = file
        self._was_there = False

    def before_it_is_opened(self, *_given: object) -> None:
        """Refuse to make a file that was there before."""
        if self._was_there:
            self._identity()

    def opened(self, _connection: object, entry: ConnectionPoolEntry) -> None:
        """Note which file a connection has opened."""
        entry.info[_OPENED] = self._identity()
        self._was_there = True

    def before_it_is_used(
        self, _connection: object, entry: ConnectionPoolEntry, *_: object
    ) -> None:
        """Open what is under the name now, if it is another file."""
        if self._identity() != entry.info[_OPENED]:
            raise DisconnectionError

    def _identity(self) -> tuple[int, int]:
        """Tell the file under the name from every other on this machine.

        Raises:
            StoreUnavailable: there is none.
        """
        try:
            found = self._file.stat()
        except OSError as error:
            raise StoreUnavailable(reason=f"the file {self._file.name} is not there") from error
        return found.st_dev, found.st_ino
