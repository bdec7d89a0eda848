"""`offramp status` and `offramp timeline`: how things stand, and what will happen on which day.

Source: mission A7; `engine.overview` for everything that is shown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Annotated, Any, TypeAlias

import typer
from whenever import Instant, TimeDelta

from offramp.cli.opening import open_context
from offramp.cli.output import AsJson, guarded, show_json, show_table, show_text
from offramp.core.model import Hold
from offramp.core.plan import Timeline
from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.documents.timeline.rows import timeline_rows
from offramp.engine.archive import proof_name
from offramp.engine.overview import (
    HOURS_AHEAD,
    Erased,
    Leaving,
    Overview,
    Standing,
    StepState,
    look,
    look_at_timelines,
)
from offramp.ports import Workload

MEMBERS_SHOWN_MAX = 20  # of an organization in which hundreds leave on their own
_Row: TypeAlias = tuple[str, str, str, str, str, str]


@guarded
def status(
    organization: Annotated[
        str | None, typer.Argument(metavar="[ORG]", help="One organization; else all of them.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show stages, next dates, holds, and what stands in the way and why."""
    overview = look(open_context(), organization)
    if as_json:
        show_json(_overview_data(overview))
    else:
        _show_overview(overview)


@guarded
def timeline(
    organization: Annotated[str, typer.Argument(metavar="ORG", help="The organization's id.")],
    member: Annotated[str | None, typer.Option(help="One member's own path, if any.")] = None,
    product: Annotated[str | None, typer.Option(help="One product's clock.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show every planned step: done, due, or kept from running, and why."""
    found = look_at_timelines(open_context(), organization, member=member, product=product)
    if as_json:
        show_json(
            {"organization": organization, "timelines": [_leaving_data(each) for each in found]}
        )
        return
    if not found:
        show_text(f"nothing of {organization} has an end")
    for each in found:
        _show_timeline(each)


def _show_overview(overview: Overview) -> None:
    for line, style in _workload_lines(overview):
        show_text(line, style=style)
    for line in _brake_lines(overview):
        show_text(line, style="yellow")
    show_table(
        ("organization", "name", "stage", "end", "next", "in the way"),
        [row for standing in overview.standings for row in _standing_rows(standing)],
    )
    for erased in overview.erased:
        when = erased.erased_at.format_iso() if erased.erased_at else "?"
        show_text(f"{erased.organization}: erased at {when}, {_certificate(erased)}")


def _workload_lines(overview: Overview) -> Iterator[tuple[str, str]]:
    """Say how much there is to do, and apart from it what a person has to look at."""
    load = overview.workload
    now = f"{load.due} due, {load.running} running, {load.coming} in the next {HOURS_AHEAD} hours"
    moment, number = load.busiest or (overview.at, 0)
    if number > 1:
        now += f", {number} of them at {moment.format_iso()}"
    if load.oldest_due_at:
        now += f"; the oldest has been due for {_duration(overview.at - load.oldest_due_at)}"
    yield now, ""
    troubles = {
        "off-boardings lost by their worker": load.lost,
        "off-boardings stopped": load.stopped,
        "steps failed": load.failed,
        "steps held": load.held,
        "steps abandoned": load.abandoned,
    }
    told = ", ".join(f"{number} {what}" for what, number in troubles.items() if number)
    if told:
        yield told, "yellow"


def _brake_lines(overview: Overview) -> Iterator[str]:
    """Say what keeps everything destructive from happening, or a good deal of it."""
    if overview.is_paused:
        yield "everything destructive is paused: offramp resume"
    if overview.clock_until is not None:
        until = overview.clock_until.format_iso()
        yield f"the clock went back: nothing is deleted before {until}; offramp resume --clock"
    held = sum(standing.is_bulk for standing in overview.standings)
    if held:
        yield f"two people have to let so many deletions begin: {held} held; offramp arm"
    for asked in overview.requests:
        yield (
            f"{asked.owner} asks to delete {asked.organizations} ({asked.reason}): "
            f"offramp approve {asked.id}, before {asked.expires_at.format_iso()}"
        )


def _duration(elapsed: TimeDelta) -> str:
    """Write a time that has passed in the largest unit that it fills."""
    seconds = int(elapsed.total("seconds"))
    units = (("d", 86_400), ("h", 3_600), ("min", 60))
    unit, length = next((each for each in units if seconds >= each[1]), ("s", 1))
    return f"{seconds // length} {unit}"


def _standing_rows(standing: Standing) -> list[_Row]:
    """Give a row for the organization, per product, and for members on a path of their own."""
    whole = [each for each in standing.leaving if each.offboarding.subject.member is None]
    alone = [each for each in standing.leaving if each.offboarding.subject.member is not None]
    organization = standing.organization
    rows = [
        *(_leaving_row(each, name=organization.name) for each in whole),
        *(_leaving_row(each) for each in alone[:MEMBERS_SHOWN_MAX]),
    ]
    if len(alone) > MEMBERS_SHOWN_MAX:
        more = len(alone) - MEMBERS_SHOWN_MAX
        rows.append((organization.id, "", "", "", "", f"{more} more members on their own"))
    notes = [hold_text(hold) for hold in standing.holds]
    notes += ["exempt"] if standing.is_exempt else []
    if not whole:
        rows.insert(0, (organization.id, organization.name, standing.stage, "-", "-", ""))
    first = rows[0]
    return [(*first[:5], "\n".join(filter(None, [*notes, first[5]]))), *rows[1:]]


def _leaving_row(leaving: Leaving, *, name: str = "") -> _Row:
    following = leaving.next
    notes = [
        f"{step.planned.key}: {_why(leaving, step)}"
        for step in leaving.steps
        if _needs_a_word(step)
    ]
    if leaving.offboarding.status is OffboardingStatus.STOPPED:
        notes.append("stopped: an invariant failed, a person has to look")
    if leaving.late:
        notes.append(f"the window closes before: {', '.join(leaving.late)}")
    return (
        who_text(leaving),
        name,
        leaving.stage.stage.id,
        str(leaving.offboarding.ends),
        f"{following.planned.due_on} {following.planned.key}" if following else "-",
        "\n".join(notes),
    )


def who_text(leaving: Leaving) -> str:
    """Name who is leaving."""
    subject = leaving.offboarding.subject
    return " / ".join(filter(None, (subject.organization, subject.product, subject.member)))


def _needs_a_word(step: StepState) -> bool:
    return step.is_blocked or step.trouble is not None


def _why(leaving: Leaving, step: StepState) -> str:
    """Say why a step does not run, what went wrong, until when, and what that endangers."""
    reason = step.reason.value if step.reason else step.status.value
    trouble = f" ({step.trouble}, attempts: {step.attempts})" if step.trouble else ""
    until = f", until {local_text(step.until, leaving.timeline)}" if step.until else ""
    window = f"; to be done by {leaving.erase_by}" if step.planned.is_destructive else ""
    return f"{reason}{trouble}{until}{window}"


def hold_text(hold: Hold) -> str:
    """Tell of one hold on one line."""
    until = f" until {hold.ends_at.format_iso()}" if hold.ends_at else ""
    return f"hold {hold.id} by {hold.owner}: {hold.reason}{until}"


def _show_timeline(leaving: Leaving) -> None:
    planned = leaving.timeline
    version = f"{planned.policy.policy} version {planned.policy.version}"
    show_text(
        f"{who_text(leaving)}: {version}, now in stage {leaving.stage.stage.id}", style="bold"
    )
    show_text(
        f"end {leaving.offboarding.ends}, episode {leaving.offboarding.episode}, "
        f"off-boarding {leaving.offboarding.id}, local times in {planned.zone}"
    )
    worded = {p.key: row for p, row in zip(planned.steps, timeline_rows(planned), strict=True)}
    rows = []
    for step in leaving.steps:
        row = worded.get(step.planned.key)
        what = row.what if row else f"Notice: {step.planned.key}"
        rows.append(
            (
                local_text(step.planned.due_at, planned),
                what,
                row.who if row else "",
                _state_text(leaving, step),
                _counts_text(step),
            )
        )
    show_table(("due", "what", "who", "state", "messages"), rows)


def _state_text(leaving: Leaving, step: StepState) -> str:
    if step.done_at is not None:
        return f"{step.status.value} {local_text(step.done_at, leaving.timeline)}"
    if _needs_a_word(step):
        return _why(leaving, step)
    if step.is_due:
        return "due"
    if step.expected_at is not None and step.expected_at > step.planned.due_at:
        return f"planned, to be expected {local_text(step.expected_at, leaving.timeline)}"
    return "planned" if step.status is StepStatus.PENDING else step.status.value


def _counts_text(step: StepState) -> str:
    return ", ".join(f"{count} {kind.value}" for kind, count in step.deliveries.items())


def local_text(moment: Instant | None, planned: Timeline) -> str:
    """Write a moment as the wall clock of the timeline shows it; nothing for none."""
    if moment is None:
        return ""
    local = moment.to_tz(planned.zone)
    return f"{local.date()} {local.time().format_iso()[:5]}"


def _overview_data(overview: Overview) -> dict[str, Any]:
    return {
        "at": overview.at.format_iso(),
        "is_paused": overview.is_paused,
        "clock_until": _text(overview.clock_until),
        "bulk_held": sum(standing.is_bulk for standing in overview.standings),
        "requests": [
            {
                "request": asked.id,
                "owner": asked.owner,
                "reason": asked.reason,
                "organizations": asked.organizations,
                "expires_at": asked.expires_at.format_iso(),
            }
            for asked in overview.requests
        ],
        "next_due_at": _text(overview.next_due_at),
        "workload": _workload_data(overview.workload),
        "organizations": [_standing_data(standing) for standing in overview.standings],
        "erased": [
            {
                "organization": erased.organization,
                "offboarding": erased.offboarding,
                "erased_at": _text(erased.erased_at),
                "certificate": _certificate(erased),
            }
            for erased in overview.erased
        ],
    }


def _workload_data(load: Workload) -> dict[str, Any]:
    busiest = {"at": load.busiest[0].format_iso(), "due": load.busiest[1]} if load.busiest else None
    return asdict(load) | {"oldest_due_at": _text(load.oldest_due_at), "busiest": busiest}


def _certificate(erased: Erased) -> str:
    return f"vault/{proof_name(erased.offboarding, 'certificate')}"


def _standing_data(standing: Standing) -> dict[str, Any]:
    organization = standing.organization
    return {
        "organization": organization.id,
        "name": organization.name,
        "zone": organization.zone,
        "policy": organization.policy,
        "stage": standing.stage,
        "is_exempt": standing.is_exempt,
        "holds": [hold_data(hold) for hold in standing.holds],
        "leaving": [_leaving_data(leaving) for leaving in standing.leaving],
    }


def hold_data(hold: Hold) -> dict[str, str | None]:
    """Describe one hold for a program."""
    return {
        "hold": hold.id,
        "member": hold.member,
        "owner": hold.owner,
        "reason": hold.reason,
        "placed_at": hold.placed_at.format_iso(),
        "ends_at": _text(hold.ends_at),
    }


def _leaving_data(leaving: Leaving) -> dict[str, Any]:
    row, following = leaving.offboarding, leaving.next
    return {
        "offboarding": row.id,
        "member": row.subject.member,
        "product": row.subject.product,
        "policy": row.policy,
        "version": row.policy_version,
        "episode": row.episode,
        "status": row.status.value,
        "cause": row.cause.value,
        "ends": str(row.ends),
        "stage": leaving.stage.stage.id,
        "next": _step_data(following) if following else None,
        "erase_by": str(leaving.erase_by) if leaving.erase_by else None,
        "blocked": [step.planned.key for step in leaving.blocked],
        "abandoned": [step.planned.key for step in leaving.abandoned],
        "late": list(leaving.late),
        "steps": [_step_data(step) for step in leaving.steps],
    }


def _step_data(step: StepState) -> dict[str, Any]:
    deliveries: Mapping[str, int] = {kind.value: n for kind, n in step.deliveries.items()}
    return {
        "key": step.planned.key,
        "action": step.planned.action.value,
        "due_on": str(step.planned.due_on),
        "due_at": step.planned.due_at.format_iso(),
        "status": step.status.value,
        "is_due": step.is_due,
        "reason": step.reason.value if step.reason else None,
        "until": _text(step.until),
        "done_at": _text(step.done_at),
        "expected_at": _text(step.expected_at),
        "attempts": step.attempts,
        "trouble": step.trouble,
        "deliveries": deliveries,
    }


def _text(moment: Instant | None) -> str | None:
    return None if moment is None else moment.format_iso()
