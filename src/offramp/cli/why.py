"""`offramp why`: every guard before a step, what it says now, and which of them decides.

Source: mission, "nobody can say why"; `engine.why` for everything that is shown.
"""

from typing import Annotated, Any

import typer
from whenever import Instant

from offramp.cli.opening import open_context
from offramp.cli.output import AsJson, guarded, show_json, show_table, show_text
from offramp.cli.status import hold_data, hold_text, local_text, who_text
from offramp.core.due import Answer, Held, Missed, Wait
from offramp.engine.overview import Leaving
from offramp.engine.why import Explained, explain


@guarded
def why(
    organization: Annotated[str, typer.Argument(metavar="ORG", help="The organization's id.")],
    step: Annotated[
        str | None, typer.Argument(metavar="[STEP]", help="The step's key; else the next one.")
    ] = None,
    member: Annotated[str | None, typer.Option(help="One member's own path, if any.")] = None,
    product: Annotated[str | None, typer.Option(help="One product's clock.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say why a step does or does not run: every guard before it, and what each says now."""
    found = explain(open_context(), organization, step, member=member, product=product)
    if as_json:
        show_json({"organization": organization, "steps": [_data(each) for each in found]})
        return
    for each in found:
        _show(each)


def _show(explained: Explained) -> None:
    leaving, step = explained.leaving, explained.step
    due = local_text(step.planned.due_at, leaving.timeline)
    show_text(f"{who_text(leaving)}: {step.planned.key}, due {due}", style="bold")
    if explained.answers:
        show_table(
            ("guard", "now", "until"),
            [_row(answer, leaving) for answer in explained.answers],
        )
    for hold in explained.holds:
        show_text(hold_text(hold))
    show_text(_conclusion(explained))


def _row(answer: Answer, leaving: Leaving) -> tuple[str, str, str]:
    asked = answer.guard.value + (f": {answer.about}" if answer.about else "")
    return asked, _reason(answer) or "yes", local_text(_until(answer), leaving.timeline)


def _conclusion(explained: Explained) -> str:
    """Say in one line what becomes of the step."""
    leaving, step, deciding = explained.leaving, explained.step, explained.deciding
    if step.done_at is not None:
        return f"{step.status.value} {local_text(step.done_at, leaving.timeline)}"
    if not explained.answers:
        return f"nothing more is done: the off-boarding is {leaving.offboarding.status.value}"
    if deciding is None:
        return "it runs with the next sweep"
    until = _until(deciding)
    when = f" until {local_text(until, leaving.timeline)}" if until else ""
    return f"it does not run{when}: {_reason(deciding)}"


def _reason(answer: Answer) -> str | None:
    match answer.verdict:
        case Wait(reason=reason) | Held(reason=reason):
            return reason.value
        case Missed():
            return "its use has passed"
        case _:
            return None


def _until(answer: Answer) -> Instant | None:
    return answer.verdict.until if isinstance(answer.verdict, Wait) else None


def _data(explained: Explained) -> dict[str, Any]:
    step, row, deciding = explained.step, explained.leaving.offboarding, explained.deciding
    return {
        "offboarding": row.id,
        "member": row.subject.member,
        "product": row.subject.product,
        "key": step.planned.key,
        "status": step.status.value,
        "due_at": step.planned.due_at.format_iso(),
        "done_at": step.done_at.format_iso() if step.done_at else None,
        "runs": bool(explained.answers) and deciding is None,
        "decided_by": deciding.guard.name.lower() if deciding else None,
        "guards": [_answer_data(answer) for answer in explained.answers],
        "holds": [hold_data(hold) for hold in explained.holds],
    }


def _answer_data(answer: Answer) -> dict[str, Any]:
    until = _until(answer)
    return {
        "guard": answer.guard.name.lower(),
        "about": answer.about,
        "passes": answer.verdict is None,
        "reason": _reason(answer),
        "until": until.format_iso() if until else None,
    }
