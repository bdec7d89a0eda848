"""What went wrong for somebody: said once, looked into with all there is, mended in one go.

The evidence of a case is read when the case is, and never copied into it: what became of messages,
links and ends is history that nothing rewrites. Who may do what is explained for the instant that
is spoken of.

Source: mission A12; docs/decisions/033-cases.md.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from whenever import Date, Instant

from offramp.core.access import Place
from offramp.core.case import REPAIRS, Case, CaseNote, CaseState, Complaint, Repair
from offramp.core.dates import Boundary, first_instant
from offramp.core.errors import Invalid, Missing, Refused
from offramp.core.ledger import Detail, Event
from offramp.core.model import Role, SubjectKind
from offramp.core.policy import ANY, Action, Capability
from offramp.engine.context import Context
from offramp.engine.correspondence import Written, history
from offramp.engine.explanation import Account, MemberErased, explain_access
from offramp.engine.link import Listed, NoLinks, list_links, reissue
from offramp.engine.own_copy import CopyNotGiven, ask_for_copy
from offramp.engine.resending import ask_again
from offramp.engine.situation import require_member, require_organization
from offramp.engine.unlock import UNLOCK_HOURS, grant_unlock
from offramp.ports import Transaction

WORDS_MAX = 4_000  # characters of what is said at once
CASES_LISTED = 1_000
OWN_WAITING_MAX = 5  # cases of one person
ACCOUNTS_MAX = 5  # of administrators, where nobody is named


class CaseUnknown(Missing):
    """There is no case {case}."""


class CaseClosed(Refused):
    """The case {case} is closed."""


class NothingToRepair(Refused):
    """Nothing that is done in one go would mend the case {case}."""


class CasesWaiting(Refused):
    """So many cases of this person wait for an answer already: {most}."""


class LetterKnown(Refused):
    """This letter has been read before."""


class WordsTooLong(Invalid):
    """What was said has {count} characters, more than {most}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """A case with everything that is known about it.

    Attributes:
        names: of the organization, and of the member whom it is about; their ids where they have
            none.
        messages: to the member; where nobody is named, those that were lost.
        links: to data that was too large for a mail.
        accounts: who was allowed what at the instant that is spoken of, and why.
        repair: what mends it in one go, if anything does.
    """

    case: Case
    names: tuple[str, str]
    notes: tuple[CaseNote, ...]
    messages: tuple[Written, ...]
    links: tuple[Listed, ...]
    accounts: tuple[Account, ...]
    repair: Repair | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What was done: messages that go again, or until when access is given back.

    Attributes:
        copies: that are made, because no data was sent that could be sent again.
    """

    repair: Repair
    messages: int = 0
    copies: int = 0
    unlocked_until: Instant | None = None


def open_case(
    context: Context,
    organization: str,
    complaint: Complaint,
    *,
    member: str | None = None,
    about: Boundary | None = None,
    words: str = "",
    actor: str = "operator",
    letter: str | None = None,
) -> Case:
    """Note that something went wrong for an organization, or for a member of it.

    Args:
        about: when it did: an instant, or a day of which the first instant is meant.
        words: what they say themselves.
        letter: what stands for the letter in which they say so.

    Raises:
        OrganizationUnknown, OrganizationErased, MemberUnknown: nobody is there.
        LetterKnown: it came before.
        WordsTooLong: nobody would read them.
    """
    _require_short(words)
    now = context.clock.now()
    with context.store.transaction() as transaction:
        zone = require_organization(transaction, organization).zone
        if member is not None:
            require_member(transaction, organization, member)
        case = Case(
            id=context.ids.new(),
            organization=organization,
            member=member,
            complaint=complaint,
            about=first_instant(about, zone) if isinstance(about, Date) else about,
            opened_at=now,
            answer_by=_answer_by(context, now),
        )
        transaction.put_case(case)
        _say(transaction, case, words, actor=actor, at=now, letter=letter)
        _note(
            transaction,
            case,
            "opened",
            actor=_actor(context, actor),
            at=now,
            complaint=complaint.value,
        )
    return case


def list_cases(
    context: Context, organization: str | None = None, *, is_closed: bool = False
) -> tuple[Case, ...]:
    """List the cases of an organization, or of all: who has waited longest first.

    Raises:
        OrganizationUnknown, OrganizationErased: there is no such organization (any more).
    """
    with context.store.reading() as transaction:
        if organization is not None:
            require_organization(transaction, organization)
        return transaction.cases(organization, is_closed=is_closed, limit=CASES_LISTED)


def list_own_cases(context: Context, organization: str, member: str) -> tuple[Case, ...]:
    """List the cases of one member: the open ones first."""
    with context.store.reading() as transaction:
        return tuple(
            case
            for is_closed in (False, True)
            for case in transaction.cases(
                organization, member=member, is_closed=is_closed, limit=CASES_LISTED
            )
        )


def read_own_case(
    context: Context, organization: str, member: str, case: str
) -> tuple[Case, tuple[CaseNote, ...]]:
    """Give a case and what was said about it to whom it is about, and to nobody else.

    Raises:
        CaseUnknown: there is none of theirs.
    """
    own = {each.id: each for each in list_own_cases(context, organization, member)}
    if case not in own:
        raise CaseUnknown(case=case)
    with context.store.reading() as transaction:
        notes = transaction.case_notes(case)
    return own[case], tuple(each for each in notes if not each.is_private)


def require_room(context: Context, organization: str, member: str) -> None:
    """Refuse another case of somebody of whom several wait already.

    Raises:
        CasesWaiting: they do.
    """
    own = list_own_cases(context, organization, member)
    if sum(each.state is CaseState.WAITING for each in own) >= OWN_WAITING_MAX:
        raise CasesWaiting(most=OWN_WAITING_MAX)


def read_case(context: Context, case: str) -> CaseFile:
    """Look into a case: what was said, what was sent, and who was allowed what.

    Raises:
        CaseUnknown: there is none, or it went with the organization or the member.
    """
    with context.store.transaction() as transaction:
        found = _require(transaction, case)
        names = _names(transaction, found)
        notes = transaction.case_notes(case)
        witnesses = _witnesses(transaction, found)
    organization, member = found.organization, found.member
    return CaseFile(
        case=found,
        names=names,
        notes=notes,
        messages=history(context, organization, member=member, is_lost=member is None),
        links=list_links(context, organization, member=member),
        accounts=tuple(_accounts(context, found, witnesses)),
        repair=REPAIRS.get(found.complaint),
    )


def add_note(
    context: Context, case: str, words: str, *, actor: str = "operator", letter: str | None = None
) -> Case:
    """Keep what somebody says about a case; a user waits from then on, and an operator answers.

    Raises:
        CaseUnknown, CaseClosed: nothing is said about it any more.
        LetterKnown: it came before.
        WordsTooLong: nobody would read them.
    """
    _require_short(words)
    now = context.clock.now()
    with context.store.transaction() as transaction:
        found = _require_open(transaction, case)
        if actor == "user":
            answered = replace(found, answered_at=None, answer_by=_answer_by(context, now))
        else:
            answered = replace(found, answered_at=now)
        transaction.put_case(answered)
        said = partial(_say, transaction, answered, words, actor=actor, at=now)
        said(letter=letter, is_answer=actor != "user")
        _note(transaction, answered, "noted", actor=_actor(context, actor), at=now)
    return answered


def add_private_note(context: Context, case: str, words: str) -> Case:
    """Keep what operators say to one another about a case; whoever complained goes on waiting.

    Raises:
        CaseUnknown, CaseClosed: nothing is said about it any more.
        WordsTooLong: nobody would read them.
    """
    _require_short(words)
    now = context.clock.now()
    with context.store.transaction() as transaction:
        found = _require_open(transaction, case)
        if words.strip():
            said = CaseNote(
                case=case, at=now, actor="operator", text=words.strip(), is_private=True
            )
            transaction.add_case_note(said)
            _note(transaction, found, "noted", actor=context.actor_or("operator"), at=now)
    return found


def repair_case(context: Context, case: str) -> Repaired:
    """Do what mends a case: send again what was lost, make a copy, or give access back for a day.

    Raises:
        CaseUnknown, CaseClosed: nothing is done about it any more.
        NothingToRepair: it is of no kind that anything mends in one go.
        NothingToResend, NoLinks: there is nothing to send again.
        CopyUnderWay: one is being made already.
    """
    with context.store.transaction() as transaction:
        found = _require_open(transaction, case)
    repaired = _repair(context, found)
    now = context.clock.now()
    with context.store.transaction() as transaction:
        current = _require(transaction, case)
        transaction.put_case(replace(current, repaired_at=now, answered_at=now))
        who, done = context.actor_or("operator"), repaired.repair.value
        _note(transaction, current, "repaired", actor=who, at=now, repair=done)
    return repaired


def close_case(context: Context, case: str, *, words: str = "") -> Case:
    """End a case.

    Raises:
        CaseUnknown, CaseClosed: it is over.
        WordsTooLong: nobody would read them.
    """
    _require_short(words)
    now = context.clock.now()
    with context.store.transaction() as transaction:
        closed = replace(_require_open(transaction, case), closed_at=now)
        transaction.put_case(closed)
        _say(transaction, closed, words, actor="operator", at=now, is_answer=True)
        _note(transaction, closed, "closed", actor=context.actor_or("operator"), at=now)
    return closed


def _repair(context: Context, case: Case) -> Repaired:
    organization, member, repair = case.organization, case.member, REPAIRS.get(case.complaint)
    match repair:
        case Repair.RESEND:
            count = ask_again(
                context,
                organization,
                member=member,
                is_lost=member is None,
                is_own=True,
                action=Action.NOTIFY,
            )
            return Repaired(repair=repair, messages=count)
        case Repair.REISSUE:
            return _hand_over_again(context, case)
        case Repair.UNLOCK:
            unlock = grant_unlock(
                context,
                organization,
                member=member,
                owner="support",
                reason=f"case {case.id}",
                hours=UNLOCK_HOURS,
            )
            return Repaired(repair=repair, unlocked_until=unlock.ends_at)
        case None:
            hint = f"offramp case show {case.id} shows what is known"
            raise NothingToRepair(case=case.id, hint=hint)


def _hand_over_again(context: Context, case: Case) -> Repaired:
    """Send data again, or where none was sent let a copy be made of what their stage gives them."""
    repair, member = Repair.REISSUE, case.member
    try:
        count = reissue(context, case.organization, member=member)
    except NoLinks:
        if member is None or not _is_copied(context, case.organization, member):
            raise
        return Repaired(repair=repair, copies=1)
    return Repaired(repair=repair, messages=count)


def _is_copied(context: Context, organization: str, member: str) -> bool:
    """Ask for a copy of everything, or else of their own; false where they are given neither."""
    actor = context.actor_or("operator")
    for scope in (SubjectKind.ORGANIZATION, SubjectKind.MEMBER):
        with suppress(CopyNotGiven):
            ask_for_copy(context, organization, member, scope=scope, actor=actor)
            return True
    return False


def _names(transaction: Transaction, case: Case) -> tuple[str, str]:
    organization = transaction.organization(case.organization)
    member = None if case.member is None else transaction.member(case.organization, case.member)
    return (
        (organization and organization.name) or case.organization,
        (member and member.name) or case.member or "",
    )


def _witnesses(transaction: Transaction, case: Case) -> tuple[str, ...]:
    """Name those whose access tells what happened: the member, or else administrators."""
    if case.member is not None:
        return (case.member,)
    roles = transaction.roles(case.organization)
    admins = sorted(member for member, its in roles.items() if Role.ADMIN in its)
    return tuple(admins[:ACCOUNTS_MAX])


def _accounts(context: Context, case: Case, witnesses: tuple[str, ...]) -> Iterator[Account]:
    at = case.about or case.opened_at
    for member in witnesses:
        place = Place(organization=case.organization, member=member, surface=ANY, product=None)
        try:
            yield from explain_access(context, place, Capability.SIGN_IN, at=at)
        except MemberErased:
            continue  # what was known of them went with them


def _actor(context: Context, actor: str) -> str:
    """Name who acts: a person who complains, or whoever is signed in for the vendor."""
    return actor if actor == "user" else context.actor_or(actor)


def _answer_by(context: Context, now: Instant) -> Instant:
    return now.add(hours=context.limits.case_hours)


def _require(transaction: Transaction, case: str) -> Case:
    found = transaction.case(case)
    if found is None:
        raise CaseUnknown(case=case, hint="offramp case list shows those that are open")
    return found


def _require_open(transaction: Transaction, case: str) -> Case:
    found = _require(transaction, case)
    if found.state is CaseState.CLOSED:
        raise CaseClosed(case=case, hint="open another one")
    return found


def _require_short(words: str) -> None:
    if len(words) > WORDS_MAX:
        raise WordsTooLong(count=len(words), most=WORDS_MAX, hint="say it in several notes")


def _say(
    transaction: Transaction,
    case: Case,
    words: str,
    *,
    actor: str,
    at: Instant,
    letter: str | None = None,
    is_answer: bool = False,
) -> None:
    """Keep what is said; a worker mails an answer to whom the case is about."""
    if letter is not None and transaction.is_letter_known(letter):
        raise LetterKnown
    if words.strip():
        note = CaseNote(case=case.id, at=at, actor=actor, text=words.strip())
        is_mailed = is_answer and case.member is not None
        transaction.add_case_note(note, letter=letter, mail_at=at if is_mailed else None)


def _note(
    transaction: Transaction, case: Case, what: str, *, actor: str, at: Instant, **detail: Detail
) -> None:
    """Put on record what was done, and nothing of what was said."""
    event = Event(kind=f"case-{what}", at=at, actor=actor, detail={"case": case.id, **detail})
    transaction.append([event])
