"""What people decide: renew, extend, reactivate, hold, release, unlock, pause, and members.

Each command is one use case of the engine, all of it or nothing.

Source: mission A12, B4, B11; policy language S6, A3, D3, R1; `engine.offboarding`.
"""

from enum import StrEnum
from typing import Annotated

import typer

from offramp.cli.opening import open_context
from offramp.cli.option import read_boundary
from offramp.cli.output import AsJson, guarded, show_json, show_text
from offramp.engine import offboarding
from offramp.engine.following import Followed
from offramp.engine.unlock import grant_unlock

UNLOCK_HOURS = 24
UNLOCK_HOURS_MAX = 168

members = typer.Typer(
    help="Give members an end, remove them, take them back.", no_args_is_help=True
)

Organization = Annotated[str, typer.Argument(metavar="ORG", help="The organization's id.")]
Members = Annotated[list[str], typer.Argument(metavar="MEMBER", help="Ids of members.")]
Member = Annotated[str | None, typer.Option(help="Only this member.")]
Until = Annotated[str, typer.Option(metavar="DATE", help="The last day, or an instant.")]
Pool = Annotated[str | None, typer.Option(help="One pool; else those that end last.")]
Owner = Annotated[str, typer.Option(help="Who answers for it.")]
Reason = Annotated[str, typer.Option(help="Why.")]


class Person(StrEnum):
    """Who wants an organization back."""

    ADMIN = "admin"
    OWNER = "owner"
    SUPPORT = "support"


@guarded
def renew(
    organization: Organization, until: Until, pool: Pool = None, as_json: AsJson = False
) -> None:
    """Begin a new term: everything pending is canceled, and the next term warns again."""
    ends = read_boundary("--until", until)
    followed = offboarding.renew(open_context(), organization, until=ends, pool=pool)
    _show_followed(organization, followed, as_json=as_json)


@guarded
def extend(
    organization: Organization, until: Until, pool: Pool = None, as_json: AsJson = False
) -> None:
    """Move the end of the present term: what is done stays, the rest is re-dated."""
    ends = read_boundary("--until", until)
    followed = offboarding.extend(open_context(), organization, until=ends, pool=pool)
    _show_followed(organization, followed, as_json=as_json)


@guarded
def reactivate(
    organization: Organization,
    until: Until,
    by: Annotated[Person, typer.Option(help="Who asks for it; the stage has to allow it.")],
    pool: Pool = None,
    as_json: AsJson = False,
) -> None:
    """Bring an organization back with everything it has, until it has been deleted."""
    ends = read_boundary("--until", until)
    followed = offboarding.reactivate(
        open_context(), organization, until=ends, by=by.value, pool=pool
    )
    _show_followed(organization, followed, as_json=as_json)


@guarded
def unlock(
    organization: Organization,
    owner: Owner,
    reason: Reason,
    member: Member = None,
    hours: Annotated[
        int, typer.Option(min=1, max=UNLOCK_HOURS_MAX, help="For how long.")
    ] = UNLOCK_HOURS,
    as_json: AsJson = False,
) -> None:
    """Give access back for some hours; the stage and its dates stay as they are."""
    granted = grant_unlock(
        open_context(), organization, owner=owner, reason=reason, hours=hours, member=member
    )
    ends_at = granted.ends_at.format_iso()
    if as_json:
        show_json({"organization": organization, "member": member, "ends_at": ends_at})
    else:
        show_text(f"{organization} is unlocked until {ends_at}")


@guarded
def retry(organization: Organization, as_json: AsJson = False) -> None:
    """Put back what was abandoned or stopped, once its cause has been mended."""
    count = offboarding.retry(open_context(), organization)
    if as_json:
        show_json({"organization": organization, "put_back": count})
    else:
        show_text(f"{organization}: {count} put back; the next sweep takes them up")


@members.command("end")
@guarded
def end_members(
    organization: Organization,
    member: Members,
    on: Annotated[str, typer.Option(metavar="DATE", help="Their last day, or an instant.")],
    as_json: AsJson = False,
) -> None:
    """Give members an end date of their own."""
    followed = offboarding.set_member_end(
        open_context(), organization, member, ends=read_boundary("--on", on)
    )
    _show_followed(organization, followed, as_json=as_json)


@members.command("remove")
@guarded
def remove_members(organization: Organization, member: Members, as_json: AsJson = False) -> None:
    """Remove members at once."""
    followed = offboarding.set_member_end(open_context(), organization, member, is_removed=True)
    _show_followed(organization, followed, as_json=as_json)


@members.command("restore")
@guarded
def restore_members(organization: Organization, member: Members, as_json: AsJson = False) -> None:
    """Take members back: neither removed nor with an end of their own."""
    followed = offboarding.set_member_end(open_context(), organization, member)
    _show_followed(organization, followed, as_json=as_json)


def _show_followed(organization: str, followed: Followed, *, as_json: bool) -> None:
    if as_json:
        show_json(
            {
                "organization": organization,
                "opened": followed.opened,
                "moved": followed.moved,
                "ended": followed.ended,
            }
        )
    else:
        show_text(f"{organization}: {followed_text(followed)}")


def followed_text(followed: Followed) -> str:
    """Say what became of the off-boardings."""
    return (
        f"off-boardings: {followed.opened} opened, {followed.moved} moved, {followed.ended} ended"
    )
