"""`offramp access`: whether somebody may do something, and why, at any instant.

Source: mission A2, B2-B5, and "nobody can say why"; `engine.explanation` for everything shown.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer
from whenever import Instant

from offramp.cli.opening import open_context
from offramp.cli.option import read_boundary
from offramp.cli.output import AsJson, guarded, show_json, show_table, show_text
from offramp.core.access import Decision, Place, Voter
from offramp.core.dates import effect
from offramp.core.explanation import Explanation, Saying, Statement
from offramp.core.model import Pool
from offramp.core.policy import ANY, Capability
from offramp.engine.access import may
from offramp.engine.explanation import Account, Tense, explain_access
from offramp.engine.hindsight import Gap, Record

app = typer.Typer(help="Who may do what, and who says so.", no_args_is_help=True)

Organization = Annotated[str, typer.Argument(metavar="ORG", help="The organization's id.")]
Member = Annotated[str, typer.Argument(metavar="MEMBER", help="The member's id.")]

_SILENT: Mapping[Voter, str] = {
    Voter.BLOCK: "nobody has shut them out",
    Voter.ORGANIZATION: "the product was never bought",
    Voter.MEMBER: "no end of their own",
    Voter.POOL: "no seat that ends before the organization",
    Voter.UNLOCK: "none is in force",
}
_GAPS: Mapping[Gap, str] = {
    Gap.KNOWN_SINCE: "since when they are known here; before that, they might do nothing",
    Gap.ROLES: "the roles they had; today's are used, and others would have had another answer",
    Gap.SEATS: "the pools they had a seat in, and when those ended; today's are shown",
    Gap.CALENDAR: "another time zone or contract that may have been in force; today's are used",
    Gap.POLICY: "another policy that may have been in force; today's is used",
    Gap.VERSION: "when the newer version of the policy took over; it is used",
    Gap.END: "the end that was known; today's is used",
    Gap.CAUSE: "whether it was an end, a removal or a seat; today's cause is used",
    Gap.BLOCK: "whether an operator had shut them out; it is taken that nobody had",
}
_RECORDED = {
    "opened": "end set to",
    "moved": "end moved to",
    "canceled": "end taken back:",
}


@app.command("check")
@guarded
def check(
    organization: Organization,
    member: Member,
    surface: Annotated[str, typer.Option(help="Where: app, console, …")],
    capability: Annotated[Capability, typer.Option(help="What they want to do.")],
    product: Annotated[str | None, typer.Option(help="In which product.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a member may do something right now, and who says so."""
    context = open_context()
    decision = may(
        context.store,
        organization,
        member,
        capability,
        surface=surface,
        product=product,
        now=context.clock.now(),
    )
    if as_json:
        show_json(_decision_data(decision))
        return
    show_text(_verdict(decision), style="bold")
    until = _time(decision.until) or "further notice"
    show_text(f"stage {decision.stage}, level {decision.level}, until {until}")


@app.command("explain")
@guarded
def explain(
    organization: Organization,
    member: Member,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="An instant, or a day, whose first one it is; else now."),
    ] = None,
    surface: Annotated[str, typer.Option(help="Where: app, console, …")] = ANY,
    capability: Annotated[
        Capability, typer.Option(help="What they want to do.")
    ] = Capability.SIGN_IN,
    product: Annotated[
        str | None, typer.Option(help="In which product; else in each with a clock.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say why a member may do something or not, now, in the past or to come: every voter."""
    place = Place(organization=organization, member=member, surface=surface, product=product)
    moment = None if at is None else read_boundary("--at", at)
    accounts = explain_access(open_context(), place, capability, at=moment)
    if as_json:
        answers = [account_data(account) for account in accounts]
        show_json({"organization": organization, "member": member, "answers": answers})
        return
    if not accounts:
        show_text(f"{organization} has not bought anything")
    for account in accounts:
        show_account(account)


def show_account(account: Account) -> None:
    """Show who said what about one question, and what was decided."""
    place, explanation = account.place, account.explanation
    who = " / ".join(filter(None, (place.organization, place.product, place.member)))
    where = "" if place.surface == ANY else f" in {place.surface}"
    when = _local(account.at, account.zone)
    asked = f"{account.capability.value}{where} at {when} ({account.zone})"
    doubt = ", if they were known here at all" if _is_in_the_dark(account) else ""
    show_text(f"{who}, {asked}: {_verdict(explanation.decision)}{doubt}", style="bold")
    show_table(
        ("voter", "says", "stage", "level", "since", "until", "why"),
        [_row(each, account) for each in explanation.statements],
    )
    show_text(f"may: {_capabilities(explanation.decision)}")
    show_text(_next_text(account))
    if account.tense is not Tense.PRESENT:
        show_text(f"today: {_verdict(account.today)}")
    kept = (*_record_lines(account), *_block_lines(account))
    for line in (*_pool_lines(account), *kept, *_gap_lines(account)):
        show_text(line)


def _is_in_the_dark(account: Account) -> bool:
    """Whether nothing is on record of that time by which anybody was known."""
    return {Gap.KNOWN_SINCE, Gap.POLICY} <= set(account.gaps)


def _verdict(decision: Decision) -> str:
    if decision.voter is Voter.UNKNOWN:
        return "not allowed: nobody has a say about it"
    answer = "allowed" if decision.is_allowed else "not allowed"
    return f"{answer}, says the {decision.voter.value}"


def _row(statement: Statement, account: Account) -> tuple[str, ...]:
    return (
        statement.voter.value,
        "" if statement.saying is Saying.SILENT else statement.saying.value,
        statement.stage or "",
        statement.level or "",
        _local(statement.since, account.zone),
        _local(statement.until, account.zone),
        _why(statement),
    )


def _why(statement: Statement) -> str:
    if statement.saying is Saying.SILENT:
        return _SILENT[statement.voter]
    if statement.unlock is not None:
        return f"by {statement.unlock.owner}: {statement.unlock.reason}"
    if statement.voter is Voter.BLOCK:
        return "an operator has shut them out"
    if statement.ends is None:
        return "nothing ends"
    if statement.is_removed:
        return f"removed {_time(statement.ends)}"
    return f"{_ENDING[statement.voter]} {_time(statement.ends)}"


_ENDING: Mapping[Voter, str] = {
    Voter.ORGANIZATION: "its last pool ends",
    Voter.MEMBER: "their own end is",
    Voter.POOL: "their last seat ends",
}


def _next_text(account: Account) -> str:
    change = account.explanation.change
    if change is None:
        return "no change is planned"
    decision, when = change.decision, _local(change.at, account.zone)
    return f"next change {when}: {_verdict(decision)}, stage {decision.stage}"


def _pool_lines(account: Account) -> Iterator[str]:
    for pool in account.pools:
        ends = f"ends {_time(pool.ends)}" if pool.ends is not None else "has no end"
        state = "" if _is_live(pool, account) else ", over at that time"
        yield f"seat in {pool.id} ({pool.product}): {ends}{state}"


def _record_lines(account: Account) -> Iterator[str]:
    for record in account.records:
        event = record.event
        when, what = _local(event.at, account.zone), _RECORDED[_what(record)]
        whose = "member" if record.offboarding.subject.member else "organization"
        yield f"on record {when}: {whose}, {what} {event.detail['ends']}, by the {event.actor}"


def _block_lines(account: Account) -> Iterator[str]:
    for note in account.blocks:
        whose = "member" if note.member else "organization"
        what = "shut out" if note.is_blocked else "let in again"
        when = _local(note.at, account.zone)
        yield f"on record {when}: {whose} {what} by {note.owner}: {note.reason}"


def _gap_lines(account: Account) -> Iterator[str]:
    for gap in account.gaps:
        yield f"not known any more: {_GAPS[gap]}"


def _is_live(pool: Pool, account: Account) -> bool:
    return pool.ends is None or effect(pool.ends, zone=account.zone) > account.at


def _what(record: Record) -> str:
    return record.event.kind.removeprefix("offboarding-")


def _capabilities(decision: Decision) -> str:
    named = [each.value for each in Capability if each in decision.capabilities]
    return ", ".join(named) or "nothing"


def _local(moment: Instant | None, zone: str) -> str:
    """Write a moment as the clocks of the organization show it; nothing for none."""
    if moment is None:
        return ""
    local = moment.to_tz(zone)
    return f"{local.date()} {local.time().format_iso()[:5]}"


def _time(moment: object) -> str:
    """Write an instant or a last day; nothing for none."""
    return moment.format_iso() if isinstance(moment, Instant) else str(moment or "")


def account_data(account: Account) -> dict[str, Any]:
    """Give the answer to one question, and every voter's, as JSON."""
    place = account.place
    return {
        "product": place.product,
        "surface": place.surface,
        "capability": account.capability.value,
        "at": account.at.format_iso(),
        "tense": account.tense.value,
        "zone": account.zone,
        **_explanation_data(account.explanation),
        "today": _decision_data(account.today),
        "pools": [
            {
                "pool": pool.id,
                "product": pool.product,
                "ends": _time(pool.ends) or None,
                "is_live": _is_live(pool, account),
            }
            for pool in account.pools
        ],
        "records": [_record_data(record) for record in account.records],
        "blocks": [
            {
                "at": note.at.format_iso(),
                "member": note.member,
                "is_blocked": note.is_blocked,
                "owner": note.owner,
                "reason": note.reason,
            }
            for note in account.blocks
        ],
        "not_known": [{"gap": gap.value, "meaning": _GAPS[gap]} for gap in account.gaps],
    }


def _explanation_data(explanation: Explanation) -> dict[str, Any]:
    change = explanation.change
    return {
        "decision": _decision_data(explanation.decision),
        "voters": [_statement_data(statement) for statement in explanation.statements],
        "next_change": change
        and {"at": change.at.format_iso(), "decision": _decision_data(change.decision)},
    }


def _statement_data(statement: Statement) -> dict[str, Any]:
    return {
        "voter": statement.voter.value,
        "says": statement.saying.value,
        "stage": statement.stage,
        "level": statement.level,
        "capabilities": sorted(statement.capabilities),
        "since": _time(statement.since) or None,
        "until": _time(statement.until) or None,
        "ends": _time(statement.ends) or None,
        "why": _why(statement),
    }


def _record_data(record: Record) -> dict[str, Any]:
    row, event = record.offboarding, record.event
    return {
        "at": event.at.format_iso(),
        "what": _what(record),
        "by": event.actor,
        "offboarding": row.id,
        "member": row.subject.member,
        "product": row.subject.product,
        "episode": event.episode,
        "ends": event.detail["ends"],
    }


def _decision_data(decision: Decision) -> dict[str, Any]:
    return {
        "is_allowed": decision.is_allowed,
        "voter": decision.voter.value,
        "stage": decision.stage,
        "level": decision.level,
        "capabilities": sorted(decision.capabilities),
        "until": _time(decision.until) or None,
    }
