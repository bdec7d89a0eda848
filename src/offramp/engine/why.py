"""Why a step does or does not run: every guard that stands before it, and what each says now.

The guards are the core's own, asked one after the other: the same that the sweep obeys, of which it
hears only the first that minds.

Source: mission, "nobody can say why"; docs/decisions/003-guards.md.
"""

from dataclasses import dataclass

from offramp.core.due import Answer, guards, in_force
from offramp.core.errors import Missing
from offramp.core.model import Hold
from offramp.core.transitions import OffboardingStatus
from offramp.engine.context import Context
from offramp.engine.overview import Leaving, StepState, look_at_timelines


class StepUnknown(Missing):
    """No step {step} is planned for {organization}."""


class NothingPlanned(Missing):
    """Nothing is left to do for {organization}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One step, and the answer of every guard before it; none where it is over and done with."""

    leaving: Leaving
    step: StepState
    answers: tuple[Answer, ...]

    @property
    def deciding(self) -> Answer | None:
        """The first guard that does not let the step pass; the sweep obeys this one."""
        return next((answer for answer in self.answers if answer.verdict is not None), None)

    @property
    def holds(self) -> tuple[Hold, ...]:
        """The holds in force that stand before this step: before destruction only."""
        if not self.answers or not self.step.planned.is_destructive:
            return ()
        situation = self.leaving.situation
        return tuple(in_force(situation.holds, situation.subject, now=self.leaving.at))


def explain(
    context: Context,
    organization: str,
    step: str | None = None,
    *,
    member: str | None = None,
    product: str | None = None,
) -> tuple[Explained, ...]:
    """Explain one step of every timeline that has it; without a name, the next one of each.

    Raises:
        OrganizationUnknown, OrganizationErased, MemberUnknown: there is nobody of that name.
        StepUnknown: none of the timelines has a step of that name.
        NothingPlanned: no name was given, and nothing is left to do.
    """
    found = look_at_timelines(context, organization, member=member, product=product)
    pairs = ((leaving, _named(leaving, step)) for leaving in found)
    explained = tuple(_explain(leaving, state) for leaving, state in pairs if state is not None)
    if explained:
        return explained
    if step is None:
        raise NothingPlanned(organization=organization, hint="offramp timeline shows what was done")
    keys = dict.fromkeys(state.planned.key for leaving in found for state in leaving.steps)
    raise StepUnknown(
        step=step, organization=organization, hint=f"planned are: {', '.join(keys) or 'none'}"
    )


def _named(leaving: Leaving, step: str | None) -> StepState | None:
    if step is None:
        return leaving.next
    return next((state for state in leaving.steps if state.planned.key == step), None)


def _explain(leaving: Leaving, step: StepState) -> Explained:
    is_over = step.is_finished or leaving.offboarding.status is not OffboardingStatus.OPEN
    answers = () if is_over else tuple(guards(step.planned, leaving.situation, now=leaving.at))
    return Explained(leaving=leaving, step=step, answers=answers)
