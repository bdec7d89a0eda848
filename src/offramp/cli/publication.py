"""`offramp policy publish`: the difference first, then the publication.

Nobody's announced date is moved by it; what it does to the others is shown before it is done.

Source: docs/cli.md; docs/policy.md ("A new version").
"""

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from offramp.cli.opening import open_context
from offramp.cli.output import AsJson, guarded, show_json, show_table, show_text
from offramp.core.compare import Shift
from offramp.core.errors import Refused
from offramp.core.publication import Effect, Fate, StepEffect
from offramp.documents.policy import find_policy
from offramp.engine.publication import Publication, preview, publish

_TOLD: Mapping[Fate, str] = {
    Fate.TAKES_OVER: "were told nothing yet and take the new version over",
    Fate.TOLD: "were told dates already and keep the version that they were told",
    Fate.UNFIT: "have a contract that the new version does not allow and keep theirs",
}

Name = Annotated[str, typer.Argument(help="A preset (license-pool, edit-only-grace) or a file.")]


class NotAgreed(Refused):
    """Version {version} of the policy {policy} was not published, because nobody agreed to it."""


@guarded
def publish_policy(
    name: Name,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what it would do, and publish nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Publish a version of a policy; what was not announced yet takes it over."""
    policy = find_policy(name)
    context = open_context()
    publication = preview(context, policy)
    is_asked = publication.effect.in_flight > 0 and not yes
    is_published = publication.is_new and not dry_run and not is_asked
    if is_published:
        publication = publish(context, policy)
    show_publication(publication, is_published=is_published, as_json=as_json)
    if is_asked and not dry_run:
        _require_agreement(publication, is_possible=sys.stdin.isatty() and not as_json)
        publish(context, policy)
        show_text(_told(publication, is_published=True), style="bold")


def show_publication(publication: Publication, *, is_published: bool, as_json: bool) -> None:
    """Print what a version does, and whether it was published."""
    effect = publication.effect
    if as_json:
        show_json(publication_data(publication, is_published=is_published))
        return
    if effect.in_flight:
        show_text(f"{effect.in_flight} are leaving by another version:")
        for fate, told in _TOLD.items():
            if effect.fates[fate]:
                show_text(f"{effect.fates[fate]:>9} {told}")
        _show_steps(effect)
    show_text(_told(publication, is_published=is_published), style="bold")


def publication_data(publication: Publication, *, is_published: bool) -> dict[str, Any]:
    """Describe a publication for a program."""
    effect = publication.effect
    return {
        "policy": publication.policy.policy,
        "version": publication.policy.version,
        "is_new": publication.is_new,
        "is_published": is_published,
        "in_flight": effect.in_flight,
        **{fate.name.lower(): effect.fates[fate] for fate in Fate},
        "steps": [_step_data(step) for step in effect.steps()],
    }


def _step_data(step: StepEffect) -> dict[str, Any]:
    return {
        "key": step.key,
        "action": step.action.value,
        **{shift.value: step.moves[shift] for shift in Shift},
        "first_on": None if step.first_on is None else step.first_on.format_iso(),
        "spared": step.spared,
    }


def _show_steps(effect: Effect) -> None:
    rows = [
        (
            step.key,
            *(str(step.moves[shift] or "") for shift in Shift),
            str(step.first_on or ""),
            str(step.spared or ""),
        )
        for step in effect.steps()
    ]
    if rows:
        columns = ("step", *(shift.value for shift in Shift), "first new date")
        show_table((*columns, "would be sooner, stays as told"), rows)
    else:
        show_text("no date moves")


def _told(publication: Publication, *, is_published: bool) -> str:
    policy = publication.policy
    told = "published" if is_published else "not published"
    if not publication.is_new:
        told = "was published already"
    return f"policy {policy.policy} version {policy.version}: {told}"


def _require_agreement(publication: Publication, *, is_possible: bool) -> None:
    """Have a person say that what was shown is meant."""
    policy = publication.policy
    if not is_possible or not typer.confirm("Publish it?", err=True):
        hint = "look at what it does, and give --yes if you mean it"
        raise NotAgreed(policy=policy.policy, version=policy.version, hint=hint)
