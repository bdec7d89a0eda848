"""What is wrong between the values of a policy. Every check that needs two values lives here.

A fault makes a file unusable: something could not be dated, a guard could never hold, or two parts
contradict each other. What only dates can show is found in ``core/rehearsal.py``, what is allowed
but unwise in ``core/advice.py``.

Source: docs/policy.md, "What is checked"; policy language T1-T6, S1-S5, D2, R1.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from whenever import Date, Instant

from offramp.core.dates import Period, PeriodInvalid, WorkCalendar, effect, shift
from offramp.core.fault import Fault, FaultPath, unknown
from offramp.core.model import Anchor, Role, SubjectKind
from offramp.core.moment import Choice, Moment, Special
from offramp.core.policy import (
    ANY,
    LEVELS,
    Action,
    NamedPeriod,
    Policy,
    Requirement,
    Schedule,
    Step,
)
from offramp.core.rehearsal import SAMPLE_ENDS, dated_faults

_RESERVED = frozenset({*Special, *Choice})
_ONLY_FOR: Mapping[str, tuple[Action, ...]] = {
    "attach": (Action.NOTIFY,),
    "optional": (Action.NOTIFY,),
    "send_to": (Action.EXPORT, Action.ERASE),
    "link_valid": (Action.EXPORT,),
    "method": (Action.ERASE,),
    "requires": (Action.ERASE,),
    "if_unmet": (Action.ERASE,),
    "instead": (Action.ERASE,),
}
"""Keys that mean nothing on a step of another kind, and so were meant for another step."""


def faults(policy: Policy) -> tuple[Fault, ...]:
    """List what is wrong between the values of a policy; dates are judged once names are right."""
    found = tuple(
        fault
        for check in (_ids, _moments, _returns, _stages, _access, _steps, _guards, _periods)
        for fault in check(policy)
    )
    return found or tuple(dated_faults(policy))


def override_faults(policy: Policy, overrides: Mapping[str, str]) -> tuple[Fault, ...]:
    """List what is wrong with the periods that a contract sets in place of the policy's."""
    return tuple(
        fault for name, text in overrides.items() for fault in _override(policy, name, text)
    )


def _override(policy: Policy, name: str, text: str) -> Iterator[Fault]:
    path = ("overrides", name)
    named = policy.periods.get(name)
    if named is None:
        yield unknown(path, "period", name, policy.periods)
        return
    if named.at_least is None and named.at_most is None:
        yield Fault(
            path=path,
            problem=f"the period {name} may not be changed by a contract",
            expected="a period for which the policy declares at_least or at_most",
        )
        return
    try:
        value = Special(text) if text in set(Special) else Period.parse(text)
    except PeriodInvalid as error:
        expected = str(error.attributes.get("expected"))
        yield Fault(path=path, problem=str(error), expected=expected, hint=error.hint)
        return
    yield from _outside_bounds(policy, named, value, path=path)


def _ids(policy: Policy) -> Iterator[Fault]:
    """One name means one thing, since a moment may count from any of them."""
    named: list[tuple[str, FaultPath, str]] = [
        *((s.id, ("stages", n, "id"), "stage") for n, s in enumerate(policy.stages)),
        *((s.id, ("steps", n, "id"), "step") for n, s in enumerate(policy.steps)),
        *((name, ("periods", name), "period") for name in policy.periods),
    ]
    taken: dict[str, str] = {anchor.value: "anchor" for anchor in Anchor}
    for name, path, noun in named:
        if name in _RESERVED:
            yield Fault(
                path=path, problem=f"{name} is a word of the language", expected="another name"
            )
        elif name in taken:
            yield Fault(
                path=path,
                problem=f"{name} is already the name of {_a(taken[name])}",
                expected="a name that no stage, step, period or anchor has",
                hint=f"call it {name}-{noun}, for example",
            )
        taken.setdefault(name, noun)


def _a(noun: str) -> str:
    return f"an {noun}" if noun == "anchor" else f"a {noun}"


def _moments(policy: Policy) -> Iterator[Fault]:
    anchors = [*Anchor, *(s.id for s in policy.stages), *(s.id for s in policy.steps)]
    known = [str(anchor) for anchor in anchors]
    for path, moment in _every_moment(policy):
        for name in moment.anchors:
            if name not in known:
                yield unknown(path, "anchor, stage or step", name, known)
        if isinstance(moment.length, str) and moment.length not in policy.periods:
            fault = unknown(path, "period", moment.length, policy.periods)
            hint = fault.hint or "write a length such as P30D, or define it under periods"
            yield replace(fault, hint=hint)
        if Anchor.DELETION in moment.anchors and not any(s.is_destructive for s in policy.steps):
            yield Fault(
                path=path,
                problem="deletion is counted from, and no step erases anything",
                expected="a step with erase",
            )


def _returns(policy: Policy) -> Iterator[Fault]:
    """Nobody knows beforehand whether somebody stays after all; it can only be spoken of then."""
    for path, moment in _every_moment(policy):
        if Anchor.RETURN not in moment.anchors:
            continue
        part, number, key, *_ = path
        if (part, key) != ("steps", "at") or policy.steps[int(number)].action is not Action.NOTIFY:
            yield Fault(
                path=path,
                problem="only a notice can be counted from the return of somebody who was leaving",
                expected="return in the at of a step with notify",
            )
        elif len(moment.anchors) > 1 or moment.backwards:
            yield Fault(
                path=path,
                problem="a return is not known before it happens",
                expected="return, or return with a period after it such as return + P1D",
            )


def _every_moment(policy: Policy) -> Iterator[tuple[FaultPath, Moment]]:
    for number, stage in enumerate(policy.stages):
        yield from _scheduled(("stages", number, "from"), stage.starts or {})
    for number, step in enumerate(policy.steps):
        yield from _scheduled(("steps", number, "at"), step.at)
        for key in ("useful_until", "no_later_than"):
            moment = getattr(step, key)
            if moment is not None:
                yield ("steps", number, key), moment


def _scheduled(path: FaultPath, schedule: Schedule) -> Iterator[tuple[FaultPath, Moment]]:
    for cause, moments in schedule.items():
        for number, moment in enumerate(moments):
            yield (*path, str(cause), number), moment


def _stages(policy: Policy) -> Iterator[Fault]:
    for number, stage in enumerate(policy.stages):
        path = ("stages", number)
        if number == 0 and stage.starts is not None:
            yield Fault(
                path=(*path, "from"),
                problem="the first stage has always been there",
                expected="no from on the first stage",
                hint="put a stage before it, such as: {id: active, access: {'*': full}}",
            )
        if number > 0 and stage.starts is None:
            yield Fault(
                path=path,
                problem=f"the stage {stage.id} never begins",
                expected="from, with the moment at which it begins",
            )
        for cause, moments in (stage.starts or {}).items():
            if len(moments) > 1:
                yield Fault(
                    path=(*path, "from", cause),
                    problem="a stage begins once",
                    expected="one moment, or latest(a, b)",
                )
        if stage.final and stage is not policy.stages[-1]:
            yield Fault(
                path=(*path, "final"),
                problem=f"a stage follows the final stage {stage.id}",
                expected="final on the last stage only",
            )


def _access(policy: Policy) -> Iterator[Fault]:
    levels = [*LEVELS, *(name for name in policy.levels if name not in LEVELS)]
    roles = [ANY, *(role.value for role in Role)]
    for number, stage in enumerate(policy.stages):
        for role, row in stage.access.items():
            path: FaultPath = ("stages", number, "access", role)
            if role not in roles:
                yield unknown(path, "role", role, roles)
            cells = {"": row} if isinstance(row, str) else row
            for surface, level in cells.items():
                cell = (*path, surface) if surface else path
                if surface and surface != ANY and not _is_name(surface):
                    yield Fault(
                        path=cell,
                        problem=f"{surface} is not the name of a surface",
                        expected="lower-case letters, digits and hyphens, or '*' for the rest",
                    )
                if level not in levels:
                    yield unknown(cell, "level", level, levels)


def _is_name(text: str) -> bool:
    return text[:1].isalpha() and text == text.lower() and text.replace("-", "").isalnum()


def _steps(policy: Policy) -> Iterator[Fault]:
    for number, step in enumerate(policy.steps):
        for key, actions in _ONLY_FOR.items():
            if key in step.model_fields_set and step.action not in actions:
                fitting = " or ".join(action.value for action in actions)
                yield Fault(
                    path=("steps", number, key),
                    problem=f"{key} means nothing on a step that does {step.action.value}",
                    expected=f"{key} on a step with {fitting} only",
                )
        yield from _kinds(policy, step, number)


def _kinds(policy: Policy, step: Step, number: int) -> Iterator[Fault]:
    """Refuse a step that would never be planned for anybody."""
    kinds = {kind.value for kind in policy.applies_to}
    for kind in step.applies_to:
        if kind not in policy.applies_to:
            path: FaultPath = ("steps", number, "applies_to")
            yield unknown(path, "kind in this policy's applies_to", kind.value, sorted(kinds))
    if step.scope in set(SubjectKind) and step.scope not in (step.applies_to or kinds):
        yield Fault(
            path=("steps", number, step.action.value),
            problem=f"this step concerns the {step.scope}, which it does not apply to",
            expected=f"{step.scope} in applies_to, or the scope subject",
        )


def _guards(policy: Policy) -> Iterator[Fault]:
    notices = [step.id for step in policy.steps if step.action is Action.NOTIFY]
    for number, step in enumerate(policy.steps):
        for position, guard in enumerate(step.requires):
            path = ("steps", number, "requires", position, "delivered")
            yield from _guard(policy, step, guard, path)
        if step.instead is not None:
            yield from _stand_in(policy, step.instead, ("steps", number, "instead"), notices)


def _stand_in(policy: Policy, instead: str, path: FaultPath, notices: list[str]) -> Iterator[Fault]:
    notice = policy.step(instead)
    if notice is None or instead not in notices:
        yield unknown(path, "notice", instead, notices)
    elif notice.optional:
        yield _declinable(path, notice)


def _declinable(path: FaultPath, notice: Step) -> Fault:
    return Fault(
        path=path,
        problem=f"{notice.id} is optional, so that its readers may decline it",
        expected="a notice that everybody gets",
    )


def _guard(
    policy: Policy, step: Step, guard: Requirement, path: tuple[str | int, ...]
) -> Iterator[Fault]:
    required = policy.step(guard.delivered)
    deliverable = [
        s.id for s in policy.steps if s.audience and not (s.is_destructive or s.is_of_return)
    ]
    if required is None:
        yield unknown(path, "step", guard.delivered, deliverable)
        return
    if guard.delivered not in deliverable:
        yield Fault(
            path=path,
            problem=f"{guard.delivered} is delivered to nobody before",
            expected="a notice, or an export with send_to",
        )
    if required.optional:
        yield _declinable(path, required)
    for kind in policy.applies_to:
        concerned = policy.steps_for(kind)
        if step in concerned and required not in concerned:
            yield Fault(
                path=path,
                problem=f"{guard.delivered} is not planned for the {kind.value} that this erases",
                expected=f"a step that applies to the {kind.value} too",
                hint="a guard on a step that is never planned would guard nothing",
            )


def _periods(policy: Policy) -> Iterator[Fault]:
    for name, named in policy.periods.items():
        value = named.value if isinstance(named.value, Period) else Special(named.value)
        yield from _outside_bounds(policy, named, value, path=("periods", name))


def _outside_bounds(
    policy: Policy, named: NamedPeriod, value: Period | Special, *, path: FaultPath
) -> Iterator[Fault]:
    bounds = f"at least {named.at_least or 'immediately'}, at most {named.at_most or 'never'}"
    calendar = policy.calendar
    least = named.at_least or Special.IMMEDIATELY
    most = named.at_most if isinstance(named.at_most, Period) else Special.NEVER
    if _is_longer(least, value, calendar):
        yield Fault(path=path, problem=f"{value} is shorter than {least}", expected=bounds)
    if _is_longer(value, most, calendar):
        yield Fault(path=path, problem=f"{value} is longer than {most}", expected=bounds)


def _is_longer(one: Period | Special, other: Period | Special, calendar: WorkCalendar) -> bool:
    """Compare on the sample dates, since a month has no fixed number of days."""
    return any(_reach(one, end, calendar) > _reach(other, end, calendar) for end in SAMPLE_ENDS)


def _reach(period: Period | Special, end: Date, calendar: WorkCalendar) -> Instant:
    if period is Special.NEVER:
        return Instant.MAX
    length = period if isinstance(period, Period) else Period()
    return effect(shift(end, length, zone="UTC", calendar=calendar), zone="UTC")
