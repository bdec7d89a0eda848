"""What stops deletion and nothing else: hold, release, pause, resume, cap, exempt.

Source: policy language S6, D3.
"""

from typing import Annotated

import typer

from offramp.cli.lifecycle import Member, Organization, Owner, Reason
from offramp.cli.opening import open_context
from offramp.cli.option import OptionInvalid, read_instant
from offramp.cli.output import AsJson, guarded, show_json, show_text
from offramp.engine import brake

NO_CAP = "none"


@guarded
def hold(
    organization: Organization,
    owner: Owner,
    reason: Reason,
    member: Member = None,
    category: Annotated[
        str | None, typer.Option(help="Only this data category; everything else goes.")
    ] = None,
    ends: Annotated[str | None, typer.Option(metavar="INSTANT", help="When it ends.")] = None,
    as_json: AsJson = False,
) -> None:
    """Stop deletion, and nothing else, until the hold ends or is released."""
    placed = brake.place_hold(
        open_context(with_data=category is not None),
        organization,
        owner=owner,
        reason=reason,
        member=member,
        category=category,
        ends_at=None if ends is None else read_instant("--ends", ends),
    )
    if as_json:
        show_json({"hold": placed.id, "organization": organization, "member": member})
    else:
        show_text(f"hold {placed.id} on {organization}; to end it: offramp release {placed.id}")


@guarded
def release(
    hold_id: Annotated[str, typer.Argument(metavar="HOLD", help="The id of the hold.")],
    as_json: AsJson = False,
) -> None:
    """End a hold; what it stopped is taken up again by the next sweep."""
    released = brake.release_hold(open_context(), hold_id)
    if as_json:
        show_json({"hold": hold_id, "organization": released.organization})
    else:
        show_text(f"hold {hold_id} on {released.organization} is released")


@guarded
def pause(as_json: AsJson = False) -> None:
    """Stop everything destructive, everywhere, at the next chunk."""
    _set_paused(is_paused=True, as_json=as_json)


@guarded
def resume(
    clock: Annotated[
        bool, typer.Option("--clock", help="After the clock went back: it is right now.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let what is destructive go on again."""
    if not clock:
        _set_paused(is_paused=False, as_json=as_json)
        return
    brake.trust_clock(open_context())
    if as_json:
        show_json({"is_clock_trusted": True})
    else:
        show_text("the clock is trusted again; start the workers anew that run since before")


@guarded
def cap(
    deletions: Annotated[str, typer.Argument(metavar="NUMBER", help="A number, or none.")],
    as_json: AsJson = False,
) -> None:
    """Allow so many deletions to begin within 24 hours; the others wait."""
    if deletions != NO_CAP and not deletions.isdecimal():
        raise OptionInvalid(option="NUMBER", text=deletions, expected="0, 1, 2, … or none")
    number = None if deletions == NO_CAP else int(deletions)
    brake.set_daily_cap(open_context(), number)
    if as_json:
        show_json({"daily_cap": number})
    else:
        most = f"{number} deletions within 24 hours at most"
        show_text("no cap on deletions" if number is None else most)


@guarded
def exempt(
    organization: Organization,
    end: Annotated[bool, typer.Option("--end", help="Put it back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Keep an organization from all deletion until it is put back with --end."""
    brake.set_exempt(open_context(), organization, is_exempt=not end)
    if as_json:
        show_json({"organization": organization, "is_exempt": not end})
    else:
        show_text(f"{organization} is " + ("put back" if end else "exempt from deletion"))


def _set_paused(*, is_paused: bool, as_json: bool) -> None:
    brake.set_paused(open_context(), is_paused=is_paused)
    if as_json:
        show_json({"is_paused": is_paused})
    else:
        show_text("everything destructive is " + ("paused" if is_paused else "allowed again"))
