"""What a person says went wrong, by way of a program of the vendor, and what support does about it.

Source: docs/http.md, "Cases"; mission A12.
"""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field, StrictBool
from whenever import Instant

from offramp.core.case import Case, CaseState, Complaint, Repair
from offramp.core.operator import OperatorRole
from offramp.engine.cases import (
    WORDS_MAX,
    CaseFile,
    add_note,
    add_private_note,
    close_case,
    list_cases,
    open_case,
    read_case,
    repair_case,
)
from offramp.engine.context import Context
from offramp.engine.correspondence import Written
from offramp.engine.explanation import Account
from offramp.engine.link import Listed
from offramp.web.api.caller import Caller, Gate, Need
from offramp.web.api.document import Organization, Part, time_of
from offramp.web.api.people import End
from offramp.web.api.repeatable import repeatable

CaseId = Annotated[str, Path(description="The case's id.")]
Actor = Literal["user", "operator"]
Words = Annotated[str, Field(max_length=WORDS_MAX, description="What they say themselves.")]


class ComplaintDocument(Part):
    """What went wrong, and for whom."""

    complaint: Complaint
    member: Annotated[str | None, Field(description="For whom; null for all of them.")] = None
    about: Annotated[End | None, Field(description="When it did; the first instant of a day.")] = (
        None
    )
    words: Words = ""
    by: Annotated[Actor, Field(description="Who says so.")] = "user"


class WordsDocument(Part):
    """What is said about a case."""

    words: Annotated[Words, Field(min_length=1)]
    by: Annotated[Actor, Field(description="A user waits again, an operator answers.")] = "user"
    is_private: Annotated[
        StrictBool, Field(description="For operators alone; whoever complained goes on waiting.")
    ] = False


class CaseDocument(Part):
    """One case."""

    case: str
    organization: str
    member: str | None
    complaint: Complaint
    state: CaseState
    is_late: Annotated[bool, Field(description="Whether they wait for longer than was promised.")]
    about: str | None
    opened_at: str
    answer_by: str
    answered_at: str | None
    repaired_at: str | None
    closed_at: str | None


class CasesDocument(Part):
    """Cases: the open ones begin with whoever has waited longest."""

    cases: tuple[CaseDocument, ...]


class NoteDocument(Part):
    """What somebody said."""

    at: str
    actor: str
    text: str
    is_private: bool


class MessageDocument(Part):
    """One message to one person, and how it came to stand as it does."""

    step: str
    member: str
    status: str
    reason: Annotated[str | None, Field(description="What the receiving server said.")]
    history: tuple[tuple[str, str], ...]


class SentLinkDocument(Part):
    """One link to data that was too large for a mail."""

    step: str
    member: str
    state: str
    mailed_at: str
    downloads: int


class AccountDocument(Part):
    """Whether a member was let in at the instant that is spoken of, and who decided."""

    member: str
    product: str | None
    at: str
    is_allowed: bool
    voter: str
    stage: str | None
    is_allowed_today: bool


class CaseFileDocument(CaseDocument):
    """One case with everything that is known about it."""

    repair: Annotated[Repair | None, Field(description="What mends it in one go.")]
    notes: tuple[NoteDocument, ...]
    messages: tuple[MessageDocument, ...]
    links: tuple[SentLinkDocument, ...]
    accounts: tuple[AccountDocument, ...]


class RepairedDocument(Part):
    """What was done."""

    repair: Repair
    messages: Annotated[int, Field(description="So many go again with the next sweep.")]
    copies: Annotated[int, Field(description="So many are made, and mailed when they are ready.")]
    unlocked_until: str | None


def case_routes(gate: Gate) -> APIRouter:
    """Give the routes for cases."""
    routes = APIRouter(route_class=repeatable(gate), tags=["cases"])
    viewer = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.VIEWER))]
    support = Annotated[Caller, Depends(Need(gate=gate, role=OperatorRole.SUPPORT))]

    @routes.post("/organizations/{organization}/cases", status_code=HTTPStatus.CREATED)
    def complain(
        caller: support, organization: Organization, asked: ComplaintDocument
    ) -> CaseDocument:
        """Note that something went wrong for an organization, or for a member of it."""
        opened = open_case(
            caller.context,
            organization,
            asked.complaint,
            member=asked.member,
            about=asked.about,
            words=asked.words,
            actor=asked.by,
        )
        return _document(opened, now=caller.context.clock.now())

    @routes.get("/organizations/{organization}/cases")
    def of_organization(
        caller: viewer,
        organization: Organization,
        is_closed: Annotated[bool, Query(description="Those that are over.")] = False,
    ) -> CasesDocument:
        """List the cases of an organization."""
        return _list(caller.context, organization, is_closed=is_closed)

    @routes.get("/cases")
    def of_all(
        caller: viewer,
        is_closed: Annotated[bool, Query(description="Those that are over.")] = False,
    ) -> CasesDocument:
        """List the cases of all organizations."""
        return _list(caller.context, None, is_closed=is_closed)

    @routes.get("/cases/{case}")
    def look_into(caller: viewer, case: CaseId) -> CaseFileDocument:
        """Look into a case: what was said, what was sent, and who was allowed what."""
        return _file(read_case(caller.context, case), now=caller.context.clock.now())

    @routes.post("/cases/{case}/notes")
    def note(caller: support, case: CaseId, asked: WordsDocument) -> CaseDocument:
        """Keep what somebody says about a case."""
        if asked.is_private:
            noted = add_private_note(caller.context, case, asked.words)
        else:
            noted = add_note(caller.context, case, asked.words, actor=asked.by)
        return _document(noted, now=caller.context.clock.now())

    @routes.post("/cases/{case}/repair")
    def repair(caller: support, case: CaseId) -> RepairedDocument:
        """Mend a case: send again what never came, or give access back for a day."""
        repaired = repair_case(caller.context, case)
        return RepairedDocument(
            repair=repaired.repair,
            messages=repaired.messages,
            copies=repaired.copies,
            unlocked_until=time_of(repaired.unlocked_until),
        )

    @routes.post("/cases/{case}/close")
    def close(caller: support, case: CaseId) -> CaseDocument:
        """End a case."""
        return _document(close_case(caller.context, case), now=caller.context.clock.now())

    return routes


def _list(context: Context, organization: str | None, *, is_closed: bool) -> CasesDocument:
    now = context.clock.now()
    found = list_cases(context, organization, is_closed=is_closed)
    return CasesDocument(cases=tuple(_document(case, now=now) for case in found))


def _document(case: Case, *, now: Instant) -> CaseDocument:
    return CaseDocument(
        case=case.id,
        organization=case.organization,
        member=case.member,
        complaint=case.complaint,
        state=case.state,
        is_late=case.is_late(now),
        about=time_of(case.about),
        opened_at=case.opened_at.format_iso(),
        answer_by=case.answer_by.format_iso(),
        answered_at=time_of(case.answered_at),
        repaired_at=time_of(case.repaired_at),
        closed_at=time_of(case.closed_at),
    )


def _file(found: CaseFile, *, now: Instant) -> CaseFileDocument:
    return CaseFileDocument(
        **_document(found.case, now=now).model_dump(),
        repair=found.repair,
        notes=tuple(
            NoteDocument(
                at=each.at.format_iso(),
                actor=each.actor,
                text=each.text,
                is_private=each.is_private,
            )
            for each in found.notes
        ),
        messages=tuple(map(_message, found.messages)),
        links=tuple(map(_link, found.links)),
        accounts=tuple(map(_account, found.accounts)),
    )


def _message(written: Written) -> MessageDocument:
    delivery = written.delivery
    return MessageDocument(
        step=delivery.step,
        member=delivery.member,
        status=delivery.status.value,
        reason=delivery.reason,
        history=tuple((note.at.format_iso(), note.status.value) for note in written.notes),
    )


def _link(listed: Listed) -> SentLinkDocument:
    link = listed.link
    return SentLinkDocument(
        step=link.step,
        member=link.member,
        state=listed.state.value,
        mailed_at=link.mailed_at.format_iso(),
        downloads=link.downloads,
    )


def _account(account: Account) -> AccountDocument:
    decision = account.explanation.decision
    return AccountDocument(
        member=account.place.member,
        product=account.place.product,
        at=account.at.format_iso(),
        is_allowed=decision.is_allowed,
        voter=decision.voter.value,
        stage=decision.stage,
        is_allowed_today=account.today.is_allowed,
    )
