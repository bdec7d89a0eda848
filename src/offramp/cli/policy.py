"""`offramp policy`: check a policy, show its dates, compare two versions, print the schema.

These commands need no database: a policy and an end date are all that a date depends on.

Source: docs/policy.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from offramp.adapters.clock import SystemClock
from offramp.cli.late import LateGroup, Place
from offramp.cli.option import OptionInvalid, read_boundary
from offramp.cli.output import (
    AsJson,
    error_data,
    guarded,
    show_error,
    show_json,
    show_table,
    show_text,
    write_file,
)
from offramp.core.advice import warnings
from offramp.core.compare import Move, compare
from offramp.core.dates import Boundary, require_zone
from offramp.core.errors import Invalid
from offramp.core.model import ANCHOR_OF, Anchor, Cause, Facts, SubjectKind
from offramp.core.plan import Timeline, plan
from offramp.core.policy import Policy, schema
from offramp.core.spelling import did_you_mean
from offramp.documents.policy import check_overrides, find_policy
from offramp.documents.timeline.calendar import calendar_file
from offramp.documents.timeline.data import timeline_data, warning_data
from offramp.documents.timeline.drawing import draw_timeline
from offramp.documents.timeline.rows import timeline_rows
from offramp.documents.yaml import dotted
from offramp.ports import CalendarPart

_COMMANDS_ELSEWHERE: Mapping[str, Place] = {
    "publish": Place(
        "offramp.cli.publication:publish_policy",
        "Publish a version of a policy; what was not announced yet takes it over.",
    )
}


class PolicyCommands(LateGroup):
    """One of them needs an installation; the others do not wait for the imports of that one."""

    places = _COMMANDS_ELSEWHERE


app = typer.Typer(
    cls=PolicyCommands, help="Check, show and compare policies.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="A preset (license-pool, edit-only-grace) or a file.")]
Expiry = Annotated[str, typer.Option(help="The end: 2024-08-30, or 2024-08-30T12:00:00Z.")]
Zone = Annotated[str, typer.Option(help="The organization's time zone, such as Europe/Dublin.")]
CauseOption = Annotated[Cause, typer.Option("--cause", help="Why the subject leaves.")]
Member = Annotated[bool, typer.Option("--member", help="For one user, not the organization.")]
Anchors = Annotated[
    list[str] | None, typer.Option("--anchor", help="Another date, such as cancelled=2024-05-01.")
]
Overrides = Annotated[
    list[str] | None, typer.Option("--override", help="A period of the contract: name=P60D.")
]


class PolicyUnsuitable(Invalid):
    """The policy {policy} cannot be shown so: {reason}."""


@app.command("check")
@guarded
def check(
    files: Annotated[list[str], typer.Argument(help="Files or presets.")], as_json: AsJson = False
) -> None:
    """Say what is wrong with policies, and what should be thought about again."""
    failed = False
    results = []
    for name in files:
        try:
            policy = find_policy(name)
        except Invalid as error:
            failed = True
            results.append({"file": name, "valid": False, **error_data(error)})
            if not as_json:
                show_error(error, as_json=False)
            continue
        found = warnings(policy)
        told = [warning_data(warning) for warning in found]
        results.append({"file": name, "valid": True, "warnings": told})
        if not as_json:
            show_text(f"{name}: {policy.policy} version {policy.version} is valid", style="bold")
            _show_warnings(policy)
    if as_json:
        show_json(results)
    if failed:
        raise typer.Exit(Invalid.exit_code)


@app.command("show")
@guarded
def show(
    policy: Name,
    expiry: Expiry,
    zone: Zone,
    cause: CauseOption = Cause.EXPIRED,
    member: Member = False,
    anchor: Anchors = None,
    override: Overrides = None,
    ics: Annotated[Path | None, typer.Option(help="Write an iCalendar file.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Write a picture.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the dates that a policy means for one end date."""
    chosen = find_policy(policy)
    facts = _facts(chosen, expiry, zone, cause=cause, is_member=member, anchors=anchor or ())
    facts = _with_overrides(chosen, facts, override or ())
    timeline = plan(chosen, facts)
    if ics is not None:
        name = f"{chosen.policy}-{facts.kind.value}-{expiry}"
        part = CalendarPart(timeline=timeline, name=name)
        write_file(ics, calendar_file([part], stamped_at=SystemClock().now()))
    if svg is not None:
        write_file(svg, draw_timeline(timeline, facts).encode())
    if as_json:
        show_json(timeline_data(timeline, facts, warnings=warnings(chosen)))
    else:
        _show_timeline(timeline, facts)
        _show_warnings(chosen)


@app.command("schema")
@guarded
def print_schema() -> None:
    """Print the JSON Schema of a policy file, for editors."""
    show_json(schema())


@app.command("diff")
@guarded
def diff(
    old: Annotated[str, typer.Argument(help="The version in force: a preset or a file.")],
    new: Annotated[str, typer.Argument(help="The version to come: a preset or a file.")],
    expiry: Expiry,
    zone: Zone,
    cause: CauseOption = Cause.EXPIRED,
    member: Member = False,
    anchor: Anchors = None,
    override: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Show which dates a new version moves, and which of them need an explicit act."""
    before, after = find_policy(old), find_policy(new)
    facts = _facts(before, expiry, zone, cause=cause, is_member=member, anchors=anchor or ())
    _require_kind(after, facts.kind)
    facts = _with_overrides(after, _with_overrides(before, facts, override or ()), override or ())
    moves = compare(before, after, facts)
    if as_json:
        show_json({"moves": [_move_data(move) for move in moves]})
    else:
        _show_moves(moves)


def _facts(
    policy: Policy,
    expiry: str,
    zone: str,
    *,
    cause: Cause,
    is_member: bool,
    anchors: Sequence[str],
) -> Facts:
    """Read the options that say what a timeline is planned from."""
    kind = SubjectKind.MEMBER if is_member else SubjectKind.ORGANIZATION
    _require_kind(policy, kind)
    end = read_boundary("--expiry", expiry)
    if policy.expiry == "instant" and "T" not in expiry:
        raise OptionInvalid(
            option="--expiry",
            text=expiry,
            expected="an instant such as 2024-08-30T12:00:00Z",
            hint=f"the policy {policy.policy} says expiry: instant",
        )
    known: dict[str, Boundary] = {Anchor.EXPIRY: end, ANCHOR_OF[cause]: end}
    for name, text in _pairs("--anchor", anchors):
        if name not in set(Anchor):
            raise OptionInvalid(
                option="--anchor",
                text=name,
                expected="one of " + ", ".join(Anchor),
                hint=did_you_mean(name, list(Anchor)),
            )
        known[name] = read_boundary("--anchor", text)
    return Facts(kind=kind, zone=require_zone(zone), anchors=known, cause=cause)


def _require_kind(policy: Policy, kind: SubjectKind) -> None:
    if kind not in policy.applies_to:
        raise PolicyUnsuitable(
            policy=policy.policy,
            reason=f"it does not apply to a {kind.value}",
            expected="applies_to: " + ", ".join(policy.applies_to),
        )


def _pairs(option: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    pairs = [text.partition("=") for text in texts]
    for text, (_, equals, _) in zip(texts, pairs, strict=True):
        if not equals:
            raise OptionInvalid(option=option, text=text, expected="name=value")
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def _with_overrides(policy: Policy, facts: Facts, texts: Sequence[str]) -> Facts:
    overrides = dict(_pairs("--override", texts))
    check_overrides(policy, overrides)
    return replace(facts, overrides=overrides)


def _show_timeline(timeline: Timeline, facts: Facts) -> None:
    policy = timeline.policy
    show_text(f"{policy.title or policy.policy} (version {policy.version})", style="bold")
    end = facts.anchors[Anchor.EXPIRY]
    show_text(f"{facts.kind.value}, {facts.cause.value}, end {end}, local times in {facts.zone}")
    show_table(
        ("date", "time", "what", "who", "details"),
        [(str(r.on), r.local_time, r.what, r.who, r.note) for r in timeline_rows(timeline)],
    )


def _show_warnings(policy: Policy) -> None:
    for warning in warnings(policy):
        show_text(f"{warning.rule} at {dotted(warning.path)}: {warning.problem}", style="yellow")
        show_text(f"   {warning.hint}", style="dim")


def _show_moves(moves: Sequence[Move]) -> None:
    if not moves:
        show_text("no date moves")
        return
    show_table(
        ("step", "was", "becomes", "", ""),
        [
            (
                move.key,
                str(move.was_on or "-"),
                str(move.becomes_on or "-"),
                move.shift.value,
                "needs an explicit act and fresh notice" if move.needs_act else "",
            )
            for move in moves
        ],
    )


def _move_data(move: Move) -> dict[str, str | bool | None]:
    return {
        "key": move.key,
        "action": move.action.value,
        "shift": move.shift.value,
        "was_on": _text(move.was_on),
        "was_at": _text(move.was_at),
        "becomes_on": _text(move.becomes_on),
        "becomes_at": _text(move.becomes_at),
        "needs_act": move.needs_act,
    }


def _text(value: Boundary | None) -> str | None:
    return None if value is None else value.format_iso()
