"""PostgreSQL's error codes, and what each of them means to us.

Source: PostgreSQL, "PostgreSQL Error Codes".
"""

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
    SourceFailing,
    SourceFull,
    SourceReadOnly,
    SourceTooSlow,
    SourceUnavailable,
    SourceUnusable,
    Trouble,
)

_AGAIN = "run it again later: it goes on where it stopped"
_ROOM = "make room on the server, then run it again: it goes on where it stopped"
_BROKE = Trouble(kind=SourceUnavailable, reason="the connection broke", hint=_AGAIN)
_SHUT_DOWN = Trouble(
    kind=SourceUnavailable, reason="the server ended the session, or starts or stops", hint=_AGAIN
)
_CROWDED = Trouble(
    kind=SourceCrowded,
    reason="it takes no more connections",
    hint="end sessions that nobody needs, or raise max_connections, then run it again",
)
_STRANGER = Trouble(
    kind=SourceUnavailable,
    reason="it does not let us in",
    hint="are the user and the password of the address right?",
)
_TOO_SLOW = Trouble(
    kind=SourceTooSlow,
    reason="a time limit, or somebody who canceled it",
    hint="raise statement_timeout for our role (ALTER ROLE … SET statement_timeout), run it again",
)
_SESSION_TOO_SLOW = Trouble(
    kind=SourceTooSlow,
    reason="a time limit for transactions or sessions",
    hint="raise transaction_timeout and idle_in_transaction_session_timeout for our role",
)
_POOLED = Trouble(
    kind=SourceUnusable,
    reason="a pooler gives our statements to several sessions",
    hint="name the server itself, or a pooler in session mode",
)
_OWN_RULE = Trouble(
    kind=ChangeRefused,
    reason="a trigger, a rule or a view",
    hint="read what the trigger or rule is for; let it pass for our role, and run it again",
)

# By the whole code, or else by its class, which is the first two characters.
TROUBLES: Mapping[str, Trouble] = {
    "08": _BROKE,
    "0A": DRIFTED,  # "cached plan must not change result type"
    "23": IN_THE_WAY,
    "25006": Trouble(
        kind=SourceReadOnly,
        reason="it is a replica, or it was made read-only",
        hint="name the primary server in the address; after a failover, run it again",
    ),
    "25P03": _SESSION_TOO_SLOW,
    "25P04": _SESSION_TOO_SLOW,
    "26": _POOLED,
    "27": _OWN_RULE,
    "28": _STRANGER,
    "3D": DRIFTED,
    "3F": DRIFTED,
    "40": Trouble(
        kind=SourceBusy,
        reason="another session changed the same rows meanwhile",
        hint=_AGAIN,
    ),
    "40P01": Trouble(
        kind=SourceBusy,
        reason="a deadlock with another session",
        hint=_AGAIN,
    ),
    "42": DRIFTED,
    "42501": Trouble(
        kind=PermissionMissing,
        reason="a privilege is missing",
        hint="grant it to our role, and run it again",
    ),
    "42601": OUR_MISTAKE,
    "42P05": _POOLED,
    "44": _OWN_RULE,
    "53": Trouble(kind=SourceFull, reason="a limit of the server is reached", hint=_ROOM),
    "53100": Trouble(kind=SourceFull, reason="the disk of the server is full", hint=_ROOM),
    "53200": Trouble(kind=SourceFull, reason="the memory of the server is full", hint=_ROOM),
    "53300": _CROWDED,
    "55": Trouble(kind=SourceBusy, reason="another session uses what is needed", hint=_AGAIN),
    "55P03": Trouble(
        kind=SourceBusy,
        reason="a lock was not to be had in time",
        hint="end the session that holds it (pg_stat_activity shows it), or run it again later",
    ),
    "57014": _TOO_SLOW,
    "57P": _SHUT_DOWN,
    "57P05": _SESSION_TOO_SLOW,
    "58": Trouble(kind=SourceFailing, reason="the system of the server fails", hint=_AGAIN),
    "P0": _OWN_RULE,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
}
_SAID_AT_THE_DOOR: Mapping[str, Trouble] = {
    "too many clients": _CROWDED,
    "too many connections": _CROWDED,
    "connection slots are reserved": _CROWDED,
    "is starting up": _SHUT_DOWN,
    "is shutting down": _SHUT_DOWN,
    "authentication failed": _STRANGER,
}


_DOOR = ("OperationalError", "InterfaceError")  # the driver's kinds for the connection itself


def classify(error: Any) -> Trouble:  # noqa: ANN401 - a driver's error, and it may not be installed
    """Say what an error of psycopg means."""
    state = getattr(error, "sqlstate", None)
    if state is None:
        return _without_code(error)
    known = (TROUBLES[code] for code in (state, state[:3], state[:2]) if code in TROUBLES)
    trouble = next(known, replace(OUR_MISTAKE, reason=f"SQLSTATE {state}"))
    if trouble.kind is PermissionMissing:
        return replace(trouble, reason=_first_line(error))  # it names an object and nothing else
    names = (error.diag.constraint_name, error.diag.table_name)
    told = " of ".join(name for name in names if name)
    return replace(trouble, reason=f"{trouble.reason} ({told})") if told else trouble


def _without_code(error: BaseException) -> Trouble:
    """Tell a refused or broken connection, of which the driver gives no code."""
    kind = type(error).__name__
    if kind not in _DOOR:
        return replace(OUR_MISTAKE, reason=kind)
    said = str(error)
    broken = replace(
        _BROKE, reason=_first_line(error), hint="is the database up, and is the address right?"
    )
    return next((each for words, each in _SAID_AT_THE_DOOR.items() if words in said), broken)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
