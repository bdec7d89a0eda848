"""`offramp case`: what somebody says went wrong, what is known about it, and what mends it.

Source: mission A12; docs/cases.md.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from whenever import Instant

from offramp.cli.access import account_data, show_account
from offramp.cli.lifecycle import Member, Organization
from offramp.cli.link import link_data, link_row
from offramp.cli.mail import message_data, message_row
from offramp.cli.opening import open_context
from offramp.cli.option import read_boundary
from offramp.cli.output import AsJson, guarded, read_each, show_json, show_table, show_text
from offramp.core.case import Case, Complaint, Repair
from offramp.core.errors import Missing
from offramp.documents.case_mail import read_letter
from offramp.engine import cases
from offramp.engine.case_mail import Received, receive_letter
from offramp.engine.cases import CaseFile, Repaired


class CaseAddressMissing(Missing):
    """No address is set to which letters about cases are written."""


app = typer.Typer(help="What somebody says went wrong, and its repair.", no_args_is_help=True)

CaseId = Annotated[str, typer.Argument(metavar="CASE", help="The case's id.")]
Words = Annotated[str, typer.Option(help="What is said about it.")]


@app.command("open")
@guarded
def open_case(
    organization: Organization,
    complaint: Annotated[Complaint, typer.Argument(metavar="COMPLAINT", help="What went wrong.")],
    member: Member = None,
    at: Annotated[
        str | None, typer.Option(metavar="WHEN", help="When it did: a date or an instant.")
    ] = None,
    words: Words = "",
    as_json: AsJson = False,
) -> None:
    """Note that something went wrong for an organization or a member, and show what is known."""
    context = open_context()
    about = None if at is None else read_boundary("--at", at)
    case = cases.open_case(
        context, organization, complaint, member=member, about=about, words=words
    )
    _show_file(cases.read_case(context, case.id), now=context.clock.now(), as_json=as_json)


@app.command("list")
@guarded
def list_cases(
    organization: Annotated[
        str | None, typer.Argument(metavar="[ORG]", help="The organization's id; else all.")
    ] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Those that are over.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the cases that are open: first whoever has waited longest for an answer."""
    context = open_context()
    now = context.clock.now()
    found = cases.list_cases(context, organization, is_closed=closed)
    if as_json:
        show_json({"cases": [_data(case, now=now) for case in found]})
    elif found:
        columns = ("case", "organization", "member", "complaint", "state", "opened", "answer by")
        show_table(columns, [_row(case, now=now) for case in found], unbroken=("case",))
    else:
        show_text("no case is closed" if closed else "no case is open")


@app.command("show")
@guarded
def show(case: CaseId, as_json: AsJson = False) -> None:
    """Show a case: what was said, what was sent, who was allowed what, and what mends it."""
    context = open_context()
    _show_file(cases.read_case(context, case), now=context.clock.now(), as_json=as_json)


@app.command("note")
@guarded
def note(
    case: CaseId,
    words: Annotated[str, typer.Argument(metavar="WORDS", help="What is said about it.")],
    by_user: Annotated[bool, typer.Option("--by-user", help="By whoever complained.")] = False,
    is_private: Annotated[
        bool, typer.Option("--private", help="For operators alone: nobody is told or answered.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Keep what is said about a case; an operator answers with it, and a user waits again."""
    context = open_context()
    if is_private:
        noted = cases.add_private_note(context, case, words)
    else:
        noted = cases.add_note(context, case, words, actor="user" if by_user else "operator")
    _show_state(noted, now=context.clock.now(), as_json=as_json)


@app.command("repair")
@guarded
def repair(case: CaseId, as_json: AsJson = False) -> None:
    """Mend a case: send again what never came, or give access back for a day."""
    repaired = cases.repair_case(open_context(), case)
    if as_json:
        show_json({"case": case, **_repaired_data(repaired)})
    elif repaired.unlocked_until is not None:
        show_text(f"{case}: unlocked until {_time(repaired.unlocked_until)}")
    elif repaired.copies:
        show_text(f"{case}: a copy is being made; its link is mailed once it is ready")
    else:
        show_text(f"{case}: {repaired.messages} queued; the next sweep sends them again")


@app.command("receive")
@guarded
def receive(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILES]", help="Letters as they came; else standard input."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take in letters to the address for complaints, as a mail server pipes or files them."""
    context = open_context()
    if context.case_address is None:
        raise CaseAddressMissing(hint="set case_address")
    counts = {**dict.fromkeys((each.value for each in Received), 0), "automatic": 0}
    for content in read_each(files):
        letter = read_letter(content, address=context.case_address)
        if letter is None:
            counts["automatic"] += 1
        else:
            counts[receive_letter(context, letter).value] += 1
    if as_json:
        show_json(counts)
        return
    shown = [f"{counts[name]} {words}" for name, words in _RECEIVED.items() if counts[name]]
    show_text("; ".join(shown))


_RECEIVED = {
    Received.OPENED: "opened a case",
    Received.ADDED: "went to the case that they answer",
    Received.KNOWN: "known already",
    Received.NOBODYS: "of nobody here",
    Received.WAITING: "of people of whom several cases wait already",
    "automatic": "written by a machine",
}


@app.command("close")
@guarded
def close(case: CaseId, words: Words = "", as_json: AsJson = False) -> None:
    """End a case."""
    context = open_context()
    closed = cases.close_case(context, case, words=words)
    _show_state(closed, now=context.clock.now(), as_json=as_json)


def _show_state(case: Case, *, now: Instant, as_json: bool) -> None:
    if as_json:
        show_json(_data(case, now=now))
    else:
        show_text(f"{case.id}: {_state(case, now=now)}")


def _show_file(found: CaseFile, *, now: Instant, as_json: bool) -> None:
    case = found.case
    if as_json:
        show_json(_file_data(found, now=now))
        return
    who = " / ".join(filter(None, (case.organization, case.member)))
    show_text(f"{case.id}: {who}, {case.complaint.value}, {_state(case, now=now)}", style="bold")
    for line in _dates(case):
        show_text(line)
    for each in found.notes:
        among = ", to operators alone" if each.is_private else ""
        show_text(f"{_time(each.at)}, the {each.actor}{among}: {each.text}")
    if found.messages:
        columns = ("step", "member", "now", "since", "reason", "before")
        show_table(columns, [message_row(each) for each in found.messages])
    else:
        show_text("no message was sent" if case.member else "no message was lost")
    if found.links:
        link_columns = ("step", "member", "state", "mailed", "until", "downloads", "last")
        show_table(link_columns, [link_row(each) for each in found.links], unbroken=("state",))
    for account in found.accounts:
        show_account(account)
    show_text(_offer(found))


def _dates(case: Case) -> Iterator[str]:
    yield f"opened {_time(case.opened_at)}, to be answered by {_time(case.answer_by)}"
    if case.about is not None:
        yield f"about {_time(case.about)}"
    if case.repaired_at is not None:
        yield f"repaired {_time(case.repaired_at)}"
    if case.closed_at is not None:
        yield f"closed {_time(case.closed_at)}"


_OFFERS = {
    Repair.RESEND: "sends the achievements again",
    Repair.REISSUE: "sends the data again, or lets a copy be made",
    Repair.UNLOCK: "gives access back for a day",
}


def _offer(found: CaseFile) -> str:
    if found.repair is None or found.case.closed_at is not None:
        return f"offramp case note {found.case.id} answers"
    return f"offramp case repair {found.case.id} {_OFFERS[found.repair]}"


def _state(case: Case, *, now: Instant) -> str:
    return f"{case.state.value}, late" if case.is_late(now) else case.state.value


def _row(case: Case, *, now: Instant) -> tuple[str, ...]:
    return (
        case.id,
        case.organization,
        case.member or "",
        case.complaint.value,
        _state(case, now=now),
        _time(case.opened_at),
        "" if case.answered_at or case.closed_at else _time(case.answer_by),
    )


def _time(moment: Instant) -> str:
    return moment.format_iso(unit="second")


def _data(case: Case, *, now: Instant) -> dict[str, Any]:
    moments = ("about", "opened_at", "answer_by", "answered_at", "repaired_at", "closed_at")
    said = {name: getattr(case, name) for name in moments}
    return {
        "case": case.id,
        "organization": case.organization,
        "member": case.member,
        "complaint": case.complaint.value,
        "state": case.state.value,
        "is_late": case.is_late(now),
        **{name: moment and moment.format_iso() for name, moment in said.items()},
    }


def _repaired_data(repaired: Repaired) -> dict[str, Any]:
    until = repaired.unlocked_until
    return {
        "repair": repaired.repair.value,
        "messages": repaired.messages,
        "copies": repaired.copies,
        "unlocked_until": until and until.format_iso(),
    }


def _file_data(found: CaseFile, *, now: Instant) -> dict[str, Any]:
    return {
        **_data(found.case, now=now),
        "repair": found.repair and found.repair.value,
        "notes": [
            {
                "at": each.at.format_iso(),
                "actor": each.actor,
                "text": each.text,
                "is_private": each.is_private,
            }
            for each in found.notes
        ],
        "messages": [message_data(each) for each in found.messages],
        "links": [link_data(each) for each in found.links],
        "accounts": [
            {"member": each.place.member, **account_data(each)} for each in found.accounts
        ],
    }
