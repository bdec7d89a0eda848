"""SQLite's result codes, and what each of them means to us.

Source: SQLite, "Result and Error Codes".
"""

from collections.abc import Mapping
from dataclasses import replace

from offramp.data.sources.trouble import (
    DAMAGED,
    DRIFTED,
    IN_THE_WAY,
    OUR_MISTAKE,
    ChangeRefused,
    PermissionMissing,
    SourceBusy,
    SourceFailing,
    SourceFull,
    SourceReadOnly,
    SourceTooSlow,
    SourceUnusable,
    Trouble,
)

_BUSY = Trouble(
    kind=SourceBusy,
    reason="another process writes, and did not end in time",
    hint="end the process that writes, or run it again later: it goes on where it stopped",
)
_FULL = Trouble(
    kind=SourceFull,
    reason="the disk is full, or the file has reached its limit",
    hint="make room, then run it again: it goes on where it stopped",
)
_UNREADABLE = Trouble(
    kind=SourceFailing,
    reason="the file cannot be read or written",
    hint="is the path right, and may we use its folder? Then run it again",
)
_FORBIDDEN = Trouble(
    kind=PermissionMissing,
    reason="the file or the statement is not allowed to us",
    hint="give us the right to read and write the file and its folder, and run it again",
)

# By the name of the code, or else by the name of the code that it refines.
TROUBLES: Mapping[str, Trouble] = {
    "AUTH": _FORBIDDEN,
    "BUSY": _BUSY,
    "CANTOPEN": _UNREADABLE,
    "CONSTRAINT": IN_THE_WAY,
    "CONSTRAINT_TRIGGER": Trouble(
        kind=ChangeRefused,
        reason="a trigger",
        hint="read what the trigger is for; let the change pass, and run it again",
    ),
    "CORRUPT": DAMAGED,
    "FULL": _FULL,
    "INTERRUPT": Trouble(kind=SourceTooSlow, reason="somebody interrupted it", hint="run it again"),
    "IOERR": _UNREADABLE,
    "LOCKED": _BUSY,
    "NOMEM": replace(_FULL, reason="the memory is full"),
    "NOTADB": Trouble(
        kind=SourceUnusable, reason="the file is no database", hint="is the path right?"
    ),
    "PERM": _FORBIDDEN,
    "READONLY": Trouble(
        kind=SourceReadOnly,
        reason="the file, or its folder, is read-only",
        hint="give us the right to write the file and its folder, and run it again",
    ),
    "SCHEMA": DRIFTED,
}


def classify(error: BaseException) -> Trouble:
    """Say what an error of SQLite means."""
    name = getattr(error, "sqlite_errorname", "").removeprefix("SQLITE_")
    if name == "ERROR":
        return _of_statement(str(error))
    known = (TROUBLES[code] for code in (name, name.partition("_")[0]) if code in TROUBLES)
    return next(known, replace(OUR_MISTAKE, reason=name or type(error).__name__))


def _of_statement(said: str) -> Trouble:
    """Tell what is missing from what is wrong: there is one code for both."""
    return DRIFTED if said.startswith("no such") else replace(OUR_MISTAKE, reason="SQLITE_ERROR")
