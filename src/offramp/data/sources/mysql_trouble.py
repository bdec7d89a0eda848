"""MySQL's and MariaDB's error numbers, and what each of them means to us.

Source: MySQL, "Server Error Message Reference"; MariaDB, "MariaDB Error Codes"; PyMySQL, whose own
numbers begin at 2000.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from offramp.data.sources.trouble import (
    DAMAGED,
    DRIFTED,
    IN_THE_WAY,
    OUR_MISTAKE,
    ChangeRefused,
    PermissionMissing,
    SourceBusy,
    SourceCrowded,
    SourceFull,
    SourceReadOnly,
    SourceTooSlow,
    SourceUnavailable,
    SourceUnusable,
    Trouble,
)

ROW_CUT = 1301  # a warning of the server, which we do not let pass
_AGAIN = "run it again later: it goes on where it stopped"
_ROOM = "make room on the server, then run it again: it goes on where it stopped"
_BROKE = Trouble(kind=SourceUnavailable, reason="the connection broke", hint=_AGAIN)
_UNREACHED = Trouble(
    kind=SourceUnavailable,
    reason="the server does not answer",
    hint="is the database up, and is the address right?",
)
_STRANGER = Trouble(
    kind=SourceUnavailable,
    reason="it does not let us in",
    hint="are the user and the password of the address right?",
)
_CROWDED = Trouble(
    kind=SourceCrowded,
    reason="it takes no more connections",
    hint="end sessions that nobody needs, or raise max_connections, then run it again",
)
_FORBIDDEN = Trouble(
    kind=PermissionMissing,
    reason="a privilege is missing",
    hint="grant it to our user on the whole database, and run it again",
)
_DEADLOCK = Trouble(kind=SourceBusy, reason="a deadlock with another session", hint=_AGAIN)
_LOCKED = Trouble(
    kind=SourceBusy,
    reason="a lock was not to be had in time",
    hint="end the session that holds it (SHOW PROCESSLIST shows it), or run it again later",
)
_CHANGED = replace(_DEADLOCK, reason="another session changed the same rows meanwhile")
_TOO_SLOW = Trouble(
    kind=SourceTooSlow,
    reason="a time limit, or somebody who ended it",
    hint="raise max_statement_time or max_execution_time for our user, and run it again",
)
_READ_ONLY = Trouble(
    kind=SourceReadOnly,
    reason="it is a replica, or it was made read-only",
    hint="name the primary server in the address; after a failover, run it again",
)
_FULL = Trouble(kind=SourceFull, reason="the disk of the server is full", hint=_ROOM)
_NO_MEMORY = replace(_FULL, reason="the memory of the server is full")
_OWN_RULE = Trouble(
    kind=ChangeRefused,
    reason="a trigger, a check or a view",
    hint="read what the rule is for; let the change pass, and run it again",
)
_UNFIT = replace(_OWN_RULE, reason="a value is of the wrong kind")
_PACKET = Trouble(
    kind=SourceUnusable,
    reason="its max_allowed_packet is smaller than a row or a chunk",
    hint="raise max_allowed_packet of the server, and run it again",
)
_LOGGED_BY_STATEMENT = Trouble(
    kind=SourceUnusable,
    reason="its binary log takes statements only, and we change rows by READ COMMITTED",
    hint="set binlog_format to MIXED or ROW, as it is by default",
)

TROUBLES: Mapping[Trouble, tuple[int, ...]] = {
    _BROKE: (1053, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 2006, 2013, 2014, 2027, 2055, 4031),
    _UNREACHED: (2002, 2003, 2005),
    _STRANGER: (1045, 1130, 1251, 1698, 1862, 2059, 2061, 3118, 3159, 4151),
    _CROWDED: (1040, 1129, 1203, 1226),
    _FORBIDDEN: (1044, 1142, 1143, 1227, 1370),
    _DEADLOCK: (1213, 1614),
    _LOCKED: (1205, 3572),
    _CHANGED: (1020,),
    _TOO_SLOW: (1317, 1969, 1907, 3024),
    _READ_ONLY: (1036, 1290, 1792, 1836),
    _FULL: (3, 1021, 1114, 1026),
    _NO_MEMORY: (1037, 1038, 1041, 1206),
    _OWN_RULE: (1369, 1442, 1644, 3819, 4025),
    _UNFIT: (1264, 1265, 1292, 1366, 1367, 1406, 1411, 1416, 1690, 3140),
    _PACKET: (ROW_CUT, 1153),
    _LOGGED_BY_STATEMENT: (1665,),
    DRIFTED: (1049, 1051, 1054, 1072, 1109, 1146, 1305, 1356, 1412, 1932),
    IN_THE_WAY: (1048, 1062, 1169, 1216, 1217, 1364, 1451, 1452, 1557, 1761, 1762),
    DAMAGED: (1030, 1034, 1035, 1194, 1195, 1712, 1877),
}
_BY_NUMBER = {number: trouble for trouble, numbers in TROUBLES.items() for number in numbers}
# What the server says of these names users, tables and constraints, and never a value.
_CHECK = re.compile(r"CONSTRAINT `(.+?)` failed|Check constraint '(.+?)' is violated")
_REFERENCE = re.compile(r"CONSTRAINT [`\"](.+?)[`\"] FOREIGN KEY")


def classify(error: BaseException) -> Trouble:
    """Say what an error of PyMySQL means."""
    number, text = error_of(error)
    if number is None:
        return _BROKE if type(error).__name__ == "InterfaceError" else _unknown(error, None)
    trouble = _BY_NUMBER.get(number) or _unknown(error, number)
    match trouble:
        case Trouble(kind=kind) if kind is PermissionMissing:
            return replace(trouble, reason=text)
        case _ if trouble is _OWN_RULE:
            return replace(trouble, reason=broken_check(text) or trouble.reason)
        case _ if trouble is IN_THE_WAY and (found := _REFERENCE.search(text)):
            return replace(trouble, reason=f"{trouble.reason} ({found[1]})")
    return trouble


def error_of(error: BaseException) -> tuple[int | None, str]:
    """Return the number of an error and the first line of what was said with it."""
    arguments: tuple[Any, ...] = error.args
    if not arguments or not isinstance(arguments[0], int) or not arguments[0]:
        return None, ""
    said = str(arguments[1]) if len(arguments) > 1 else ""
    return arguments[0], said.partition("\n")[0]


def broken_check(text: str) -> str | None:
    """Return the name of the check that a change breaks."""
    found = _CHECK.search(text)
    return (found[1] or found[2]) if found else None


def _unknown(error: BaseException, number: int | None) -> Trouble:
    told = type(error).__name__ if number is None else f"error {number}"
    return replace(OUR_MISTAKE, reason=told)
