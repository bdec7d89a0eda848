"""What people decide about a whole organization: renew, extend, reactivate, unlock, retry.

Each command is one use case of the engine, all of it or nothing.

Source: mission A12, B4; policy language S6, A3, D3, R1; `engine.offboarding`.
"""

from enum import StrEnum
from typing import Annotated

import typer

from offramp.cli.opening import open_context
from offramp.cli.option import read_boundary
from offramp.cli.output import AsJson, guarded, show_json, show_text
from offramp.engine import offboarding
from offramp.engine.block import set_block
from offramp.engine.following import Followed
from offramp.engine.unlock import UNLOCK_HOURS, UNLOCK_HOURS_MAX, grant_unlock

Organization = Annotated[str, typer.Argument(metavar="ORG", help="The organization's id.")]
Member = Annotated[str | None, typer.Option(help="Only this member.")]
Until = Annotated[str, typer.Option(metavar="DATE", help="The last day, or an instant.")]
Pool = Annotated[str | None, typer.Option(help="One pool; else those that end last.")]
Owner = Annotated[str, typer.Option(help="Who answers for it.")]
Reason = Annotated[str, typer.Option(help="Why.")]


class By(StrEnum):
    """Who wants somebody back."""

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
    show_followed(organization, followed, as_json=as_json)


@guarded
def extend(
    organization: Organization, until: Until, pool: Pool = None, as_json: AsJson = False
) -> None:
    """Move the end of the present term: what is done stays, the rest is re-dated."""
    ends = read_boundary("--until", until)
    followed = offboarding.extend(open_context(), organization, until=ends, pool=pool)
    show_followed(organization, followed, as_json=as_json)


@guarded
def reactivate(
    organization: Organization,
    until: Until,
    by: Annotated[By, typer.Option(help="Who asks for it; the stage has to allow it.")],
    pool: Pool = None,
    as_json: AsJson = False,
) -> None:
    """Bring an organization back with everything it has, until it has been deleted."""
    ends = read_boundary("--until", until)
    followed = offboarding.reactivate(
        open_context(), organization, until=ends, by=by.value, pool=pool
    )
    show_followed(organization, followed, as_json=as_json)


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
def block(
    organization: Organization,
    owner: Owner,
    reason: Reason,
    member: Member = None,
    as_json: AsJson = False,
) -> None:
    """Shut an organization or one member out at once; nothing is deleted, and no date moves."""
    _set_block(organization, member, owner, reason, is_blocked=True, as_json=as_json)


@guarded
def unblock(
    organization: Organization,
    owner: Owner,
    reason: Reason,
    member: Member = None,
    as_json: AsJson = False,
) -> None:
    """Let in again who was shut out, as far as their stage allows."""
    _set_block(organization, member, owner, reason, is_blocked=False, as_json=as_json)


def _set_block(
    organization: str,
    member: str | None,
    owner: str,
    reason: str,
    *,
    is_blocked: bool,
    as_json: bool,
) -> None:
    set_block(
        open_context(),
        organization,
        member=member,
        is_blocked=is_blocked,
        owner=owner,
        reason=reason,
    )
    if as_json:
        show_json({"organization": organization, "member": member, "is_blocked": is_blocked})
    else:
        who = f"{member} of {organization}" if member else organization
        show_text(f"{who} is {'shut out' if is_blocked else 'let in again'}")


@guarded
def retry(organization: Organization, as_json: AsJson = False) -> None:
    """Put back what was abandoned or stopped, once its cause has been mended."""
    count = offboarding.retry(open_context(), organization)
    if as_json:
        show_json({"organization": organization, "put_back": count})
    else:
        show_text(f"{organization}: {count} put back; the next sweep takes them up")


def show_followed(organization: str, followed: Followed, *, as_json: bool) -> None:
    """Print what became of the off-boardings of an organization."""
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
