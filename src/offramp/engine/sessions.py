"""Open sessions end with the right to sign in, where they are rows of the vendor's database.

Whose sessions end is what access is decided to be at that moment: a member who may still sign in
somewhere, by another pool or product, keeps theirs. What the application makes of a cookie that
somebody still has is its own affair; the SDK refuses it.

Source: mission A1, A2; lesson L40.
"""

from collections.abc import Iterator, Sequence

from offramp.data.sessions import OpenSessions
from offramp.engine.snapshot import snapshot_of
from offramp.engine.work import Heartbeat, Work

MEMBERS_PER_STATEMENT = 1000


def close_sessions(work: Work) -> None:
    """Close the sessions of everybody who may sign in nowhere any more; again is once.

    Raises:
        SessionsUnfit, SourceUnavailable: they cannot be closed.
    """
    sessions = _open(work)
    heartbeat = Heartbeat(context=work.context, claimed=work.claimed)
    if sessions is not None:
        for members in _shut_out(work):
            sessions.close(members)
            heartbeat.beat()


def are_closed(work: Work) -> bool:
    """Whether nobody has an open session who may sign in nowhere any more."""
    sessions = _open(work)
    return sessions is None or not any(sessions.count(members) for members in _shut_out(work))


def _open(work: Work) -> OpenSessions | None:
    data = work.context.data
    if data is None or not data.datamap.sessions:
        return None
    return OpenSessions(data.datamap, data.sources, work.claimed.subject.organization)


def _shut_out(work: Work) -> Iterator[Sequence[str]]:
    """Page through the members of the subject who may sign in nowhere now."""
    context, subject = work.context, work.claimed.subject
    snapshot = snapshot_of(context, subject.organization, member=subject.member)
    now = context.clock.now()
    asked = snapshot.members if subject.member is None else (subject.member,)
    shut = [member for member in asked if snapshot.is_shut_out(member, now=now)]
    for start in range(0, len(shut), MEMBERS_PER_STATEMENT):
        yield shut[start : start + MEMBERS_PER_STATEMENT]
